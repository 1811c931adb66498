package municipality_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

func writeLines(t testing.TB, path string, lines ...municipality.ImportLine) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, l := range lines {
		if err := json.NewEncoder(f).Encode(l); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) certifyTerminal(publicKey []byte) ([]byte, error) {
	key, err := x509.ParsePKIXPublicKey(publicKey)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "terminal-key", "no public key")
	}
	point, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "terminal-key", "no P-256 key")
	}
	return card.IssueTerminalCertificate(rand.Reader, w.chips.Authority, card.RoleCounter, point)
}

func day(y, m, d int) jitsuin.Date { return jitsuin.Date{Year: y, Month: time.Month(m), Day: d} }

func today() jitsuin.Date { return jitsuin.DateOf(time.Now()) }

var grown = day(1980, 2, 17)

// licence is a photo document that agrees with the items.
func licence(items jitsuin.FourItems) *api.Document {
	return &api.Document{Type: "driving-licence", Number: "第000000000001号", Expires: today().AddDays(100), Items: items, FaceMatches: true}
}

var bothKinds = []jitsuin.CertKind{jitsuin.SignCert, jitsuin.AuthCert}

// applied takes in an application for a new card of a resident.
func (w *world) applied(r municipality.ImportLine, kinds ...jitsuin.CertKind) api.Application {
	w.t.Helper()
	a, err := w.counter.Apply(w.t.Context(), api.NewApplication{Type: api.NewCard, Items: r.Items, Kinds: kinds, Clerk: "窓口 一郎"}, "")
	w.must(err)
	return a
}

// wantError tells whether err has the kind and code.
func wantError(t testing.TB, err error, kind jitsuin.Kind, code string) {
	t.Helper()
	if err == nil || jitsuin.KindOf(err) != kind || jitsuin.CodeOf(err) != code {
		t.Fatalf("got %v (%v, %q), want %v %q", err, jitsuin.KindOf(err), jitsuin.CodeOf(err), kind, code)
	}
}

// away is a card host that does not answer when a card is to be passed on.
type away struct{ host.Cards }

func (away) Transfer(context.Context, host.Handle, host.Custodian, string) (host.Handle, error) {
	return "", jitsuin.Errorf(jitsuin.Unavailable, "host-unreachable", "the card host cannot be reached")
}

// numbers makes the i-th pair of numbers with right check digits.
func numbers(t testing.TB, i int) (jitsuin.ResidentCode, jitsuin.MyNumber) {
	t.Helper()
	body := 1_000_000_000 + 37*i
	for {
		code := fmt.Sprintf("%010d", body)
		check, err := rules.ResidentCodeCheckDigit(code)
		if err != nil {
			body++
			continue
		}
		first := fmt.Sprintf("%011d", 20_000_000_000+i)
		last, err := rules.MyNumberCheckDigit(first)
		if err != nil {
			t.Fatal(err)
		}
		return jitsuin.ResidentCode(code + string(check)), jitsuin.MyNumber(first + string(last))
	}
}
