package card_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

// An authority whose key lies in a signer of its own signs whole bytes; the chip sees no difference.
func TestATerminalCertificateAssembledFromSignedBytesIsTrusted(t *testing.T) {
	authority, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tbs, err := card.TerminalTBS(card.RoleProduction, &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(tbs)
	signature, err := authority.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := card.AssembleTerminalCertificate(tbs, signature)
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		certificate []byte
		trusted     bool
	}{
		"as signed":        {certificate, true},
		"one bit flipped":  {append([]byte{1, 2}, certificate[2:]...), false}, // production became counter
		"of another party": {func() []byte { c := append([]byte{}, certificate...); c[len(c)-1] ^= 1; return c }(), false},
	} {
		chip, err := card.New(&cardtest.Memory{}, card.Blank{Serial: cardtest.Serial, TerminalAuthority: &authority.PublicKey})
		if err != nil {
			t.Fatal(err)
		}
		j, err := reader.SelectJPKI(t.Context(), reader.Local(chip))
		if err != nil {
			t.Fatal(err)
		}
		err = j.Authenticate(t.Context(), reader.Terminal{Certificate: try.certificate, Key: key})
		if (err == nil) != try.trusted {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string][2][]byte{
		"other bytes":      {tbs[1:], signature},
		"more bytes":       {append(append([]byte{}, tbs...), 0), signature},
		"a cut signature":  {tbs, signature[:len(signature)-1]},
		"no signature":     {tbs, nil},
		"trailing garbage": {tbs, append(append([]byte{}, signature...), 0)},
	} {
		if _, err := card.AssembleTerminalCertificate(bad[0], bad[1]); err == nil {
			t.Errorf("%s was assembled", name)
		}
	}
	if _, err := card.TerminalTBS("visitor", &key.PublicKey); jitsuin.CodeOf(err) != "terminal-role" {
		t.Errorf("an unknown role: %v", err)
	}
}
