package console

import (
	"encoding/hex"
	"testing"

	"github.com/jitsuin/jitsuin/card"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func cardSW(n uint16) card.SW { return card.SW(n) }
