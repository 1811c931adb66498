package newcard

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/production"
	"github.com/jitsuin/jitsuin/card/reader"
)

// faceIssuer is the card-face authority and its issuing key, for as long as a card is made.
type faceIssuer struct {
	root  contents.Anchor
	key   crypto.Signer
	keyID contents.KeyID
	cvc   []byte
}

func (f *faceIssuer) Certificate() ([]byte, contents.KeyID) { return f.cvc, f.keyID }

func (f *faceIssuer) Sign(_ context.Context, signed []byte) ([]byte, error) {
	return contents.Sign(f.key, signed)
}

func newFaceIssuer() (*faceIssuer, error) {
	root, err := newKey(card.RSA2048)
	if err != nil {
		return nil, err
	}
	key, err := newKey(card.RSA2048)
	if err != nil {
		return nil, err
	}
	f := &faceIssuer{root: contents.Anchor{ID: contents.NewKeyID('A', "00000001"), Key: root.Public().(*rsa.PublicKey)}, key: key, keyID: contents.NewKeyID('I', "00000001")}
	signed, err := contents.CVCToSign(f.root.ID, f.keyID, key.Public().(*rsa.PublicKey))
	if err != nil {
		return nil, err
	}
	signature, err := contents.Sign(root, signed)
	if err != nil {
		return nil, err
	}
	f.cvc, err = contents.AssembleCVC(signed, signature)
	return f, err
}

// face writes what the card's face says into the applications beside JPKI, with their PINs and check numbers.
func (m *maker) face(ctx context.Context, channel reader.Channel, serial string, expiry jitsuin.Date) error {
	if !m.profile.Face {
		return nil
	}
	f, err := newFaceIssuer()
	if err != nil {
		return err
	}
	m.faceRoot = f.root
	code, err := rand.Int(rand.Reader, big.NewInt(10_000))
	if err != nil {
		return err
	}
	p := m.Person
	what := production.Face{Person: face.Person{ID: p.ID, Items: p.Items, OldSurname: p.OldSurname, Alias: p.Alias, PhotoOn: jitsuin.DateOf(m.Now)},
		MyNumber: p.MyNumber, Number: serial[1:], Code: fmt.Sprintf("%04d", code), Municipality: p.Municipality, Expires: expiry}
	if err := production.Write(ctx, channel, m.terminal, what, f); err != nil {
		return fmt.Errorf("write the card's face: %w", err)
	}
	if pin := m.PINs[jitsuin.AuthCert]; m.profile.PIN {
		if err := reader.SetHolderPINs(ctx, channel, m.terminal, pin); err != nil {
			return fmt.Errorf("set the PINs of the other applications: %w", err)
		}
	}
	return m.note(f, expiry, what.Code)
}

// printed is what stands on the front of the card and opens check number B, for whoever tests with it.
type printed struct {
	Expiry       string `json:"expiry"`
	SecurityCode string `json:"security_code"`
	// The key that card-face signatures lead to.
	FaceAuthority string `json:"face_authority"` // modulus, hex; the exponent is 65537
}

// note writes what is printed on the card into its folder; My Number is not among it.
func (m *maker) note(f *faceIssuer, expiry jitsuin.Date, code string) error {
	b, err := json.MarshalIndent(printed{expiry.String(), code, fmt.Sprintf("%x", f.root.Key.N)}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.dir, "printed.json"), append(b, '\n'), 0o600)
}
