//go:build unix

package country

import (
	"context"
	"crypto/x509"
	"os"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// Cardholder is a resident who holds one of the first cards.
type Cardholder struct {
	Subject jitsuin.ID
	Town    jitsuin.MunicipalityCode
	Items   jitsuin.FourItems
	Card    jitsuin.ID
}

// Holders lists the residents with the first cards, as the counters know them.
func Holders(t testing.TB, f Folder) (all []Cardholder) {
	t.Helper()
	facts, err := f.Facts()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range facts.Sample().Municipalities {
		for _, p := range firstResidents(facts.Sample(), jitsuin.DateOf(facts.Civil))[m.Code] {
			at := CounterOf(t, f, m.Code)
			r, err := at.Resident(t.Context(), p.ID)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, Cardholder{p.ID, m.Code, r.Items, r.Card})
		}
	}
	return all
}

// CounterOf is the way of a counter's terminal to its town.
func CounterOf(t testing.TB, f Folder, code jitsuin.MunicipalityCode) town.Client {
	t.Helper()
	r, err := f.Remote(Counter(code), Town(code))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return town.Client{Remote: r}
}

// NewCardFor has a resident apply, be checked and take a card.
func NewCardFor(t *testing.T, f Folder, code jitsuin.MunicipalityCode, subject jitsuin.ID, items jitsuin.FourItems) town.Application {
	t.Helper()
	at, err := f.Terminal(t.Context(), code, sampleClerk)
	if err != nil {
		t.Fatal(err)
	}
	app, err := newCardFor(t.Context(), at, subject, items)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// ReissueFor gives a card a new signature certificate.
func ReissueFor(t *testing.T, f Folder, h Cardholder) town.Application {
	t.Helper()
	at, err := f.Terminal(t.Context(), h.Town, sampleClerk)
	if err != nil {
		t.Fatal(err)
	}
	app, err := reissueFor(t.Context(), at, f, h.Subject, h.Items, h.Card, nil)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// FinishCase brings a case that a restore has opened again to its end: the card is handed over, or the new
// certificate written into the card that the resident has brought.
func FinishCase(t *testing.T, f Folder, code jitsuin.MunicipalityCode, id jitsuin.ID) town.Application {
	t.Helper()
	at, err := f.Terminal(t.Context(), code, sampleClerk)
	if err != nil {
		t.Fatal(err)
	}
	var app town.Application
	ctx, cancel := context.WithTimeout(t.Context(), actTime)
	defer cancel()
	err = patient(ctx, func() (err error) {
		if app, err = at.Town.Application(ctx, id, "", 0); err == nil && app.State == town.Done {
			err = jitsuin.Errorf(jitsuin.Unavailable, "not-yet", "the case has not been opened again")
		}
		return err
	})
	if err == nil && app.Type == town.Reissue {
		app, err = renew(ctx, at, f, id, app.Card, nil)
	} else if err == nil {
		err = patient(ctx, func() (err error) { app, err = at.HandOver(ctx, id, SamplePIN); return err })
	}
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// Change records a change at a counter, once what it needs has come.
func Change(t testing.TB, f Folder, code jitsuin.MunicipalityCode, r town.ChangeRequest) {
	t.Helper()
	at := CounterOf(t, f, code)
	now, err := CivilNow(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	r.OccurredOn, r.Clerk = jitsuin.DateOf(now.Now), sampleClerk
	key := string(jitsuin.NewID())
	err = patient(t.Context(), func() error {
		_, err := at.Record(t.Context(), r, key)
		if jitsuin.CodeOf(err) == "moving-certificate-missing" {
			err = jitsuin.Errorf(jitsuin.Unavailable, "on-its-way", "the moving-out certificate is on its way")
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", r.Cause, err)
	}
}

// Given is every number that a stopped country has given out: serial numbers with the digest of what was
// signed, feed positions with the hash there.
func Given(t *testing.T, f Folder) map[string]string {
	t.Helper()
	a := openAudit(t, f)
	defer a.close()
	given := map[string]string{}
	for _, c := range a.readCertificates() {
		given["serial number "+c.id()] = c.digest
	}
	for _, id := range a.ids {
		a.feedsSent(id)
		for topic, events := range a.sent[id] {
			for _, e := range events {
				given["position "+id+" "+topic+" "+e.at()] = string(e.hash)
			}
		}
	}
	return given
}

// ListsOf tells whether the complete revocation list of a view has a certificate.
func (v StatusView) ListsOf(t *testing.T, kind jitsuin.CertKind, der []byte) bool {
	t.Helper()
	x := mustParse(t, der)
	_, listed := v.lists[kind].Lookup(x.SerialNumber)
	return listed
}

// AskOCSP asks the status origin about one certificate.
func AskOCSP(ctx context.Context, t *testing.T, f Folder, kind jitsuin.CertKind, der []byte) (string, error) {
	t.Helper()
	r, err := f.Remote(Verifier, Status)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	now, err := CivilNow(ctx, f)
	if err != nil {
		return "", err
	}
	return askOCSP(ctx, r, mustParse(t, anchor(t, f, kind)), der, now.Now)
}

func mustParse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	x, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func anchor(t *testing.T, f Folder, kind jitsuin.CertKind) []byte {
	t.Helper()
	der, err := os.ReadFile(f.Path("anchors", string(kind)+".cer"))
	if err != nil {
		t.Fatal(err)
	}
	return der
}
