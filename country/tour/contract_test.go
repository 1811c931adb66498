package tour

import (
	"bytes"
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestBuiltInContract(t *testing.T) {
	who := jitsuin.FourItems{Name: "𠮷野　花子", Address: "架空県見本市一丁目１番１号"}
	pdf, err := BuiltInContract(who, jitsuin.Date{Year: 2026, Month: 11, Day: 23})
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 5000 {
		t.Fatalf("%d bytes, %v", len(pdf), err)
	}
	again, err := BuiltInContract(who, jitsuin.Date{Year: 2026, Month: 11, Day: 23})
	if err != nil || !bytes.Equal(pdf, again) {
		t.Errorf("the same contract gives other bytes (%v)", err)
	}
}
