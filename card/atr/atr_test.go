package atr_test

import (
	"bytes"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/atr"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

func TestEveryKnownATRIsOne(t *testing.T) {
	names := map[string]bool{}
	for _, k := range atr.All {
		if _, err := atr.Parse(k.Bytes()); err != nil || names[k.Name] || k.What == "" {
			t.Errorf("%s: %v", k.Name, err)
		}
		names[k.Name] = true
		if b, err := atr.Named(k.Name); err != nil || !bytes.Equal(b, k.Bytes()) {
			t.Errorf("%s: %x %v", k.Name, b, err)
		}
		if found, ok := atr.Find(k.Bytes()); !ok || found.Name != k.Name {
			t.Errorf("%s is found as %+v", k.Name, found)
		}
	}
	if !bytes.Equal(atr.All[0].Bytes(), cardtest.Issue(t).Chip.ATR()) {
		t.Error("our chip has another ATR")
	}
}

func TestParse(t *testing.T) {
	a, err := atr.Named("3B:DA:13:FF:81:31:FB:46:80:12:39:2F:31:C1:73:C6:01:C0:3B")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := atr.Parse(a)
	if err != nil || len(parsed.Historical) != 10 || len(parsed.Protocols) != 2 || parsed.Protocols[0] != 1 {
		t.Errorf("%+v %v", parsed, err)
	}
	for _, wrong := range []string{"", "3B", "3C00", "3BE000FF8131FE4515", "3BE000FF8131FE45", "3BE000FF8131FE451400", "3BF0", "no-such-name"} {
		if _, err := atr.Named(wrong); jitsuin.CodeOf(err) != "atr" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if parsed, err := atr.Parse([]byte{0x3B, 0}); err != nil || parsed.Protocols[0] != 0 {
		t.Errorf("the shortest: %+v %v", parsed, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, k := range atr.All {
		f.Add(k.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := atr.Parse(b); err == nil && (len(a.Historical) > 15 || len(a.Protocols) == 0) {
			t.Errorf("%x: %+v", b, a)
		}
	})
}
