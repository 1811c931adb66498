package jlis

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"
	"net/http"

	"github.com/jitsuin/jitsuin"
	chip "github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/production"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/rules"
)

// Keys of card-face signatures (券面署名) in the signer. The root is what readers trust.
const (
	faceRootKey = "face-root-1"
	faceKey     = "face-1"
)

var (
	faceRootID = contents.NewKeyID('R', "00000001")
	faceKeyID  = contents.NewKeyID('I', "00000001")
)

// FaceAnchor is what readers of cards trust: the root of card-face signatures.
func (a *Agency) FaceAnchor() (contents.Anchor, error) {
	key, err := a.faceRSA(faceRootKey)
	return contents.Anchor{ID: faceRootID, Key: key}, err
}

// serveFaceAnchor publishes it, as contents.ParseAnchor reads it.
func (a *Agency) serveFaceAnchor(w http.ResponseWriter, r *http.Request) {
	anchor, err := a.FaceAnchor()
	if err != nil {
		httpapi.WriteError(w, r, a.Log, err)
		return
	}
	text, err := anchor.PEM()
	if err != nil {
		httpapi.WriteError(w, r, a.Log, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Write(text)
}

func (a *Agency) faceRSA(name string) (*rsa.PublicKey, error) {
	public, err := a.signer.Public(name)
	if err != nil {
		return nil, err
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.Internal, "face-key", "the key of card-face signatures is not RSA")
	}
	return key, nil
}

// openFace has the root certify the key that signs faces, once.
func (a *Agency) openFace(ctx context.Context) error {
	key, err := a.faceRSA(faceKey)
	if err != nil {
		return fmt.Errorf("card-face signatures: %w", err)
	}
	tbs, err := contents.CVCToSign(faceRootID, faceKeyID, key)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(tbs)
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		a.faceCVC = nil
		_, err := tx.Exec(`INSERT INTO face_key (name, tbs, digest, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING`, faceKey, tbs, digest[:], store.Micros(a.Clock.Now()))
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT certificate FROM face_key WHERE name = $1`, faceKey).Scan(&a.faceCVC)
	})
	if err != nil || a.faceCVC != nil {
		return err
	}
	sig, receipt, err := a.sign(ctx, faceRootKey, signer.Face, tbs)
	if _, stopped := a.journal.get(); err != nil && stopped != nil {
		return nil // nothing is signed, so nothing is produced either
	}
	if err != nil {
		return fmt.Errorf("card-face signatures: %w", err)
	}
	made, err := contents.AssembleCVC(tbs, sig)
	if err != nil {
		return err
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		if err := noteSignature(tx, receipt, "face-key"); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE face_key SET certificate = $2, counter = $3 WHERE name = $1 AND certificate IS NULL`, faceKey, made, receipt.Counter)
		return err
	})
	if err == nil {
		a.faceCVC = made
	}
	return err
}

// faceSigner signs the face of one application's card.
type faceSigner struct {
	agency      *Agency
	application jitsuin.ID
}

func (f faceSigner) Certificate() ([]byte, contents.KeyID) { return f.agency.faceCVC, faceKeyID }

// Sign records the intent, signs and notes the signature. Signed again after a crash the bytes are the same.
func (f faceSigner) Sign(ctx context.Context, tbs []byte) ([]byte, error) {
	a, digest := f.agency, sha256.Sum256(tbs)
	err := a.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO face_signature (digest, application, made_at) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING`,
			digest[:], string(f.application), store.Micros(a.Clock.Now()))
		return err
	})
	if err != nil {
		return nil, err
	}
	sig, receipt, err := a.sign(ctx, faceKey, signer.Face, tbs)
	if err != nil {
		return nil, err
	}
	return sig, a.DB.Update(ctx, func(tx *store.Tx) error { return noteSignature(tx, receipt, "face") })
}

// writeFace writes what is on the card's face into its chip. My Number is got from the network for this card
// alone, and forgotten.
func (a *Agency) writeFace(ctx context.Context, ch reader.Channel, app application, c card) error {
	if c.Number == "" {
		return nil // ordered by the first release, with a chip that has no room for it
	}
	if a.faceCVC == nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "no-production", "the key of card-face signatures has no certificate yet")
	}
	number, err := a.cardNumber(ctx, jukinet.CardNumberRequest{Application: app.ID, Subject: app.Subject})
	if err != nil {
		return fmt.Errorf("the number for the card: %w", err)
	}
	return production.Write(ctx, ch, a.production, production.Face{Person: personOn(app), MyNumber: number, Number: c.Number, Code: c.SecurityCode,
		Municipality: app.Municipality, Expires: c.ValidUntil}, faceSigner{a, app.ID})
}

// personOn is of whom a new card tells; the photo is of the day of the application.
func personOn(app application) face.Person {
	return face.Person{ID: app.Subject, Items: app.Items, PhotoOn: jitsuin.DateOf(app.AppliedAt)}
}

// profileFor is the kind of card that an applicant gets: without a photo under the age of one, and without a
// signature certificate under fifteen (rules.MayHold).
func profileFor(app application) string {
	on := jitsuin.DateOf(app.AppliedAt)
	switch p := personOn(app); {
	case !p.HasPhoto():
		return chip.ProfileInfant
	case jitsuin.CodeOf(rules.MayHold(jitsuin.SignCert, rules.Holder{Birth: app.Items.BirthDate}, on)) == "under-age":
		return chip.ProfileChild
	}
	return chip.ProfileCard
}

// drawDigits draws n decimal digits.
func drawDigits(n int) (string, error) {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
	v, err := rand.Int(rand.Reader, most)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%0*d", n, v), nil
}
