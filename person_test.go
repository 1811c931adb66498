package jitsuin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
)

// The JSON form of a number is plain, and a JSON log asks for just that; it must not get it.
func TestSecretsPrintAsStars(t *testing.T) {
	const digits = "123456789018"
	number, code, pin := jitsuin.MyNumber(digits), jitsuin.ResidentCode(digits), jitsuin.PIN(digits)
	var out bytes.Buffer
	for _, log := range []*slog.Logger{slog.New(slog.NewJSONHandler(&out, nil)), slog.New(slog.NewTextHandler(&out, nil))} {
		log.Info("x", "number", number, "code", code, "pin", pin)
	}
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x", number, number, number, number, number, number)
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x", code, code, code, code, code, code)
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x", pin, pin, pin, pin, pin, pin)
	if strings.Contains(out.String(), digits) || strings.Contains(out.String(), fmt.Sprintf("%x", digits)) || !strings.Contains(out.String(), "***") {
		t.Errorf("a secret shows: %s", out.String())
	}
	if raw, err := json.Marshal(number); err != nil || string(raw) != `"`+digits+`"` {
		t.Errorf("the JSON form of a My Number is %s, %v", raw, err)
	}
	if raw, err := json.Marshal(pin); err != nil || string(raw) != `"***"` {
		t.Errorf("the JSON form of a PIN is %s, %v", raw, err)
	}
	if number.Reveal() != digits || code.Reveal() != digits || pin.Reveal() != digits {
		t.Error("who is entitled gets something else")
	}
}
