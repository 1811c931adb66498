package holdertest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/production"
	"github.com/jitsuin/jitsuin/card/reader"
)

// TextPIN is the PIN of the text application of every card with a face.
const TextPIN = "4321"

// MyNumber is the invented number on every card with a face.
const MyNumber = "123456789018"

// faces is who signs what is on the cards' faces.
type faces struct {
	root, key *rsa.PrivateKey
	cvc       []byte
}

var faceRoot, faceKey = contents.NewKeyID('R', "1"), contents.NewKeyID('I', "1")

func (f *faces) Certificate() ([]byte, contents.KeyID) { return f.cvc, faceKey }

func (f *faces) Sign(_ context.Context, tbs []byte) ([]byte, error) {
	return contents.Sign(f.key, tbs)
}

func newFaces(t testing.TB) *faces {
	t.Helper()
	f := &faces{}
	var err error
	for _, key := range []**rsa.PrivateKey{&f.root, &f.key} {
		if *key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	tbs, err := contents.CVCToSign(faceRoot, faceKey, &f.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := contents.Sign(f.root, tbs)
	if err != nil {
		t.Fatal(err)
	}
	if f.cvc, err = contents.AssembleCVC(tbs, signature); err != nil {
		t.Fatal(err)
	}
	return f
}

// FaceAnchor is the root of what is written on cards with a face.
func (w *World) FaceAnchor(t testing.TB) contents.Anchor {
	t.Helper()
	if w.faces == nil {
		w.faces = newFaces(t)
	}
	return contents.Anchor{ID: faceRoot, Key: &w.faces.root.PublicKey}
}

func (w *World) writeFace(t testing.TB, channel reader.Channel, items jitsuin.FourItems) {
	t.Helper()
	w.FaceAnchor(t)
	ctx, today := context.Background(), jitsuin.DateOf(w.Now)
	err := production.Write(ctx, channel, w.production, production.Face{Person: face.Person{ID: jitsuin.NewID(), PhotoOn: today, Items: items},
		MyNumber: MyNumber, Number: "400000012719843", Code: "2285", Municipality: "91201", Expires: today.AddDays(3000)}, w.faces)
	if err == nil {
		err = reader.SetHolderPINs(ctx, channel, w.counter, TextPIN)
	}
	if err != nil {
		t.Fatal(err)
	}
}
