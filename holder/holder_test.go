package holder_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/signature"
)

// person plays a PIN source, keeps what it was asked, and keeps the bytes that it gave, to see
// that they were overwritten.
type person struct {
	typed    []string
	confirms bool
	asked    []holder.Question
	given    [][]byte
}

func (p *person) Confirms() bool { return p.confirms }
func (p *person) PIN(_ context.Context, q holder.Question) ([]byte, error) {
	p.asked = append(p.asked, q)
	if len(p.typed) == 0 {
		return nil, jitsuin.Errorf(jitsuin.Unauthenticated, "pin-missing", "nobody typed anything")
	}
	b := []byte(p.typed[0])
	p.typed = p.typed[1:]
	p.given = append(p.given, b)
	return b, nil
}

func types(pins ...string) *person { return &person{typed: pins} }

func (p *person) mustBeForgotten(t *testing.T) {
	t.Helper()
	for _, b := range p.given {
		if len(bytes.Trim(b, "\x00")) != 0 {
			t.Error("a PIN was not overwritten after use")
		}
	}
}

var shared struct {
	sync.Mutex
	world *holdertest.World
}

func world(t *testing.T) *holdertest.World {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.world == nil {
		shared.world = holdertest.New(t)
	}
	return shared.world
}

// newCard makes one card in a data folder of its own and opens it.
func newCard(t *testing.T, o holdertest.Order) (*holder.Card, *holdertest.Card) {
	t.Helper()
	data := t.TempDir()
	made := world(t).Card(t, data, o)
	c, err := holder.CardsIn(data).Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, made
}

func act(t *testing.T, p holder.PINSource, warned *[]string) holder.Act {
	return holder.Act{PINs: p, At: world(t).Now, Warn: func(w holder.Warning) error {
		*warned = append(*warned, w.Code)
		return nil
	}}
}

func tries(t *testing.T, c *holder.Card, kind jitsuin.CertKind) int {
	t.Helper()
	s, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Of(kind).TriesLeft
}

func TestASignedDocument(t *testing.T) {
	c, made := newCard(t, holdertest.Order{})
	document := []byte("契約書\n")
	var warned []string
	p := types("abc123") // as people type it
	der, err := c.Document(t.Context(), bytes.NewReader(document), act(t, p, &warned))
	if err != nil || len(warned) != 0 {
		t.Fatal(err, warned)
	}
	p.mustBeForgotten(t)
	if len(p.asked) != 1 || p.asked[0].TriesLeft != 5 {
		t.Errorf("asked %+v", p.asked)
	}
	judgedByOpenSSL(t, made, der, document, true)
	judgedByOpenSSL(t, made, der, []byte("契絢書\n"), false)

	whole, err := c.Enveloping(t.Context(), document, act(t, types("ABC123"), &warned))
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]signature.Input{"detached": {Signature: der, Content: bytes.NewReader(document)}, "enveloping": {Signature: whole}} {
		r, err := signature.Verify(t.Context(), in, signature.Policy{AnchorsNone: true, At: world(t).Now})
		if err != nil || r.Integrity != signature.Intact || r.Signatures[0].Level != "B-B" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// judgedByOpenSSL asks openssl whether der is the card's signature over document.
func judgedByOpenSSL(t *testing.T, made *holdertest.Card, der, document []byte, good bool) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the judge openssl is not installed")
		}
		t.Log("SKIPPED: the judge openssl is not installed; nobody outside has looked at this")
		return
	}
	dir := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: world(t).CAs[jitsuin.SignCert].Cert.Raw})
	for name, b := range map[string][]byte{"ca.pem": ca, "sig": der, "doc": document} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "sig", "-content", "doc", "-CAfile", "ca.pem", "-out", "out", "-signer", "who.pem")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if (err == nil) != good {
		t.Fatalf("openssl: %s", out)
	}
	if !good {
		return
	}
	who, err := os.ReadFile(filepath.Join(dir, "who.pem"))
	block, _ := pem.Decode(who)
	if err != nil || !bytes.Equal(block.Bytes, made.Certificates[jitsuin.SignCert].Raw) {
		t.Errorf("openssl names another signer (%v)", err)
	}
}

func TestALoginIsAnswered(t *testing.T) {
	c, made := newCard(t, holdertest.Order{Without: jitsuin.SignCert})
	now := time.Now().Truncate(time.Second)
	challenge := signature.Challenge{Origin: "https://bank.example", ClientID: "bank", Purpose: "ログイン", Nonce: strings.Repeat("n", 22),
		IssuedAt: now, ExpiresAt: now.Add(time.Minute), Txn: "t1"}
	var warned []string
	p := types("1234")
	answer, err := c.Login(t.Context(), challenge, act(t, p, &warned))
	if err != nil || len(warned) != 0 || !answer.Certificate.Equal(made.Certificates[jitsuin.AuthCert]) {
		t.Fatal(err, warned)
	}
	p.mustBeForgotten(t)
	policy := signature.Policy{Anchors: []*x509.Certificate{world(t).CAs[jitsuin.AuthCert].Cert}, At: now, Revocation: good{}}
	if _, err := challenge.Verify(t.Context(), answer, now, policy); err != nil {
		t.Errorf("the answer: %v", err)
	}
	near := challenge
	near.Origin = "https://bank.example.net"
	if _, err := near.Verify(t.Context(), answer, now, policy); jitsuin.CodeOf(err) != "challenge-signature" {
		t.Errorf("the answer for another origin: %v", err)
	}
	challenge.Nonce = "short"
	unasked := types("1234")
	if _, err := c.Login(t.Context(), challenge, act(t, unasked, &warned)); jitsuin.KindOf(err) != jitsuin.Invalid || len(unasked.asked) != 0 {
		t.Errorf("a bad challenge: %v, the PIN was asked for %d times", err, len(unasked.asked))
	}
}

type good struct{}

func (good) Status(context.Context, *x509.Certificate, *x509.Certificate, time.Time) (cert.Status, error) {
	return cert.Status{State: cert.Good, Source: cert.SourceOCSP}, nil
}

func TestAWrongPINIsTriedOnceAndABlockedOneNotAtAll(t *testing.T) {
	c, _ := newCard(t, holdertest.Order{Without: jitsuin.SignCert})
	for left := 2; left >= 0; left-- {
		p := types("9999", "1234")
		err := c.Verify(t.Context(), jitsuin.AuthCert, p)
		code, says := "pin-wrong", fmt.Sprintf("%d tr", left)
		if left == 0 {
			code, says = "pin-blocked", "blocked"
		}
		if jitsuin.CodeOf(err) != code || !strings.Contains(err.Error(), says) || len(p.asked) != 1 || p.asked[0].TriesLeft != left+1 {
			t.Fatalf("%d left: %v, asked %+v", left, err, p.asked)
		}
		if e, _ := errors.AsType[*jitsuin.Error](err); e.Hint == "" || strings.Contains(e.Error()+e.Hint, "9999") {
			t.Errorf("hint %q", e.Hint)
		}
		p.mustBeForgotten(t)
	}
	p := types("1234")
	if err := c.Verify(t.Context(), jitsuin.AuthCert, p); jitsuin.CodeOf(err) != "pin-blocked" || len(p.asked) != 0 {
		t.Errorf("blocked: %v, asked %d times", err, len(p.asked))
	}
}

func TestAPINThatCannotBeRightCostsNoTry(t *testing.T) {
	c, _ := newCard(t, holdertest.Order{})
	for kind, pins := range map[jitsuin.CertKind][]string{jitsuin.AuthCert: {"123", "12345", "12a4", "１２３４"}, jitsuin.SignCert: {"ABC12", "ABC 123", strings.Repeat("A1", 9), "ABCſ23"}} {
		before := tries(t, c, kind)
		for _, pin := range pins {
			p := types(pin)
			err := c.Verify(t.Context(), kind, p)
			if jitsuin.CodeOf(err) != "pin-form" || strings.Contains(fmt.Sprintf("%+v", err), pin) {
				t.Errorf("%v", err)
			}
			p.mustBeForgotten(t)
		}
		if after := tries(t, c, kind); after != before {
			t.Errorf("%s: %d of %d tries left", kind, after, before)
		}
	}
	if err := c.Verify(t.Context(), jitsuin.AuthCert, nil); jitsuin.CodeOf(err) != "pin-source" {
		t.Errorf("nobody to ask: %v", err)
	}
}

func TestCertificates(t *testing.T) {
	c, made := newCard(t, holdertest.Order{})
	free, err := c.Certificate(t.Context(), jitsuin.AuthCert, nil)
	if err != nil || !free.Equal(made.Certificates[jitsuin.AuthCert]) {
		t.Errorf("authentication: %v", err)
	}
	if _, err := c.Certificate(t.Context(), jitsuin.SignCert, types("WRONG1")); jitsuin.CodeOf(err) != "pin-wrong" {
		t.Errorf("signature with a wrong password: %v", err)
	}
	closed, err := c.Certificate(t.Context(), jitsuin.SignCert, types(holdertest.SignPIN))
	if err != nil || !closed.Equal(made.Certificates[jitsuin.SignCert]) {
		t.Errorf("signature: %v", err)
	}
	ca, err := c.AuthorityCertificate(t.Context(), jitsuin.SignCert)
	if err != nil || !ca.Equal(world(t).CAs[jitsuin.SignCert].Cert) {
		t.Errorf("authority: %v", err)
	}
	bare, _ := newCard(t, holdertest.Order{Without: jitsuin.SignCert})
	p := types(holdertest.SignPIN)
	if _, err := bare.Certificate(t.Context(), jitsuin.SignCert, p); jitsuin.CodeOf(err) != "certificate-missing" || len(p.asked) != 0 {
		t.Errorf("a card without: %v, asked %d times", err, len(p.asked))
	}
	if _, err := bare.Document(t.Context(), strings.NewReader("x"), holder.Act{PINs: p, At: time.Now()}); jitsuin.CodeOf(err) != "certificate-missing" || len(p.asked) != 0 {
		t.Errorf("sign without: %v, asked %d times", err, len(p.asked))
	}
}

func TestWhatIsWrongWithACertificateIsSaidBeforeItSigns(t *testing.T) {
	for _, one := range []struct {
		name  string
		order holdertest.Order
		want  []string
		signs bool
	}{
		{"sound", holdertest.Order{}, nil, true},
		{"expired", holdertest.Order{Years: -5}, []string{"certificate-expired"}, true},
		{"early", holdertest.Order{Years: 2}, []string{"certificate-early"}, true},
		{"of the wrong kind", holdertest.Order{Wrong: true}, []string{"certificate-kind"}, false},
	} {
		t.Run(one.name, func(t *testing.T) {
			c, _ := newCard(t, one.order)
			var warned []string
			der, err := c.Document(t.Context(), strings.NewReader("document"), act(t, types(holdertest.SignPIN), &warned))
			if !slices.Equal(warned, one.want) || (err == nil) != one.signs || (der != nil) != one.signs {
				t.Errorf("%v, warned %v", err, warned)
			}
			if !one.signs && jitsuin.CodeOf(err) != "wrong-kind" {
				t.Errorf("refused with %v", err)
			}
			if one.want == nil {
				return
			}
			// Nobody there to be warned, or one who stops: nothing is signed.
			silent := holder.Act{PINs: types(holdertest.SignPIN), At: world(t).Now}
			if der, err := c.Document(t.Context(), strings.NewReader("document"), silent); der != nil || jitsuin.CodeOf(err) != one.want[0] {
				t.Errorf("silently: %v", err)
			}
			stop := errors.New("stop")
			silent.PINs, silent.Warn = types(holdertest.SignPIN), func(holder.Warning) error { return stop }
			if der, err := c.Document(t.Context(), strings.NewReader("document"), silent); der != nil || !errors.Is(err, stop) {
				t.Errorf("stopped: %v", err)
			}
		})
	}
}

func TestAPINIsChanged(t *testing.T) {
	c, _ := newCard(t, holdertest.Order{})
	ctx := t.Context()
	for _, one := range []struct {
		name string
		who  *person
		code string
		left int
	}{
		{"the new ones differ", &person{typed: []string{"ABC123", "NEW4567", "NEW4568"}, confirms: true}, "pin-differs", 5},
		{"the new one has no digit", types("ABC123", "ABCDEF"), "pin-form", 5},
		{"the new one is missing", types("ABC123"), "pin-missing", 5},
		{"the old one is wrong", types("ABC124", "NEW4567"), "pin-wrong", 4},
		{"both are good", &person{typed: []string{"abc123", "new4567", "NEW4567"}, confirms: true}, "", 5},
		{"the old one is not good any more", types("ABC123", "NEW4568"), "pin-wrong", 4},
		{"the new one is", types("NEW4567", "ABC123"), "", 5},
	} {
		err := c.ChangePIN(ctx, jitsuin.SignCert, one.who)
		if (err == nil) != (one.code == "") || jitsuin.CodeOf(err) != one.code {
			t.Errorf("%s: %v", one.name, err)
		}
		if left := tries(t, c, jitsuin.SignCert); left != one.left {
			t.Errorf("%s: %d tries left, not %d", one.name, left, one.left)
		}
		one.who.mustBeForgotten(t)
	}
	if err := c.ChangePIN(ctx, jitsuin.AuthCert, types("1234", "567")); jitsuin.CodeOf(err) != "pin-form" {
		t.Errorf("three digits: %v", err)
	}
	if err := c.ChangePIN(ctx, jitsuin.AuthCert, types("1234", "5678")); err != nil {
		t.Error(err)
	}
}
