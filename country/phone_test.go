//go:build unix

package country_test

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	town "github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
)

const (
	phonePIN      = "2468"
	phonePassword = "PHONE2468"
)

// enrols puts certificates on a telephone with a card.
func (l *living) enrols(t *testing.T, card jitsuin.ID, label string) jitsuin.ID {
	t.Helper()
	console, err := l.Remote(country.Country, country.Holder)
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close()
	made, err := httpapi.Do[site.SandboxPhoneMade](t.Context(), console, "POST", "/sandbox/phones", "", site.SandboxPhone{Card: card,
		Password: country.SignPassword.Reveal(), Model: rules.Android, Label: label, PIN: phonePIN, SignPassword: phonePassword, Biometrics: true})
	if err != nil {
		t.Fatal(err)
	}
	return made.Card
}

// logsIn has the holder answer a login and the platform judge it.
func (s *shop) logsIn(t *testing.T, l *living, card jitsuin.ID, pin string) (client.Login, *x509.Certificate) {
	t.Helper()
	a := s.answered(t, l, "login", site.SandboxAnswer{Card: card, PIN: pin})
	in, err := s.client.Login(t.Context(), client.LoginRequest{Challenge: a.Txn, Certificate: a.Certificate, Signature: a.Signature, DigestAlg: a.DigestAlg})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := cert.Parse(a.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return in, leaf
}

// A telephone is enrolled with the card and is the same user everywhere; a second one ends the first; a card that is reported lost takes
// the telephone with it until the counter has looked at the person.
func TestATelephoneInTheCountry(t *testing.T) {
	t.Parallel()
	l := live(t, country.Options{Data: filepath.Join(t.TempDir(), "data"), Listen: listen(t)})
	s := l.shop(t)
	held, err := holder.CardsIn(string(l.Folder)).Held()
	if err != nil {
		t.Fatal(err)
	}
	card := held[0]
	withCard, _ := s.logsIn(t, l, card, country.AuthPIN.Reveal())
	first := l.enrols(t, card, "first")
	country.Settle(t, l.Folder) // J-LIS has written down that it is in force, or that another has ended: from then it is a moment until everybody is told
	in, leaf := s.logsIn(t, l, first, phonePIN)
	if in.Report.Verdict != signature.Passed || in.User.ID != withCard.User.ID || !cert.OnPhone(leaf) {
		t.Fatalf("with the telephone: %+v, user %+v and %+v with the card", in.Report, in.User, withCard.User)
	}
	signed := s.answered(t, l, "sign", site.SandboxAnswer{Card: first, PIN: phonePassword, Inputs: map[string]string{"what": "りんご"}})
	v, err := s.client.Verify(t.Context(), "", client.VerificationRequest{Document: signed.Documents[0].Content, Signature: signed.Signature, Purpose: "contract"})
	if err != nil || v.Report.Verdict != signature.Passed || v.User.ID != withCard.User.ID || v.Items == nil {
		t.Fatalf("signed with the telephone: %+v %v", v.Report, err)
	}

	second := l.enrols(t, card, "second")
	country.Settle(t, l.Folder)
	if in, _ := s.logsIn(t, l, first, phonePIN); in.Report.Verdict == signature.Passed || in.Report.Revocation.Reason != jitsuin.ReasonSuperseded {
		t.Errorf("the old telephone: %+v", in.Report)
	}
	if in, _ := s.logsIn(t, l, second, phonePIN); in.Report.Verdict != signature.Passed || in.User.ID != withCard.User.ID {
		t.Errorf("the new telephone: %+v", in.Report)
	}

	l.reportsLost(t, *v.Items)
	country.Settle(t, l.Folder)
	for name, k := range map[string]struct {
		card jitsuin.ID
		pin  string
	}{"the card": {card, country.AuthPIN.Reveal()}, "the telephone": {second, phonePIN}} {
		if in, _ := s.logsIn(t, l, k.card, k.pin); in.Report.Verdict == signature.Passed || in.Report.Revocation.Reason != jitsuin.ReasonCertificateHold {
			t.Errorf("%s while suspended: %+v", name, in.Report)
		}
	}
	l.isFound(t, *v.Items)
	country.Settle(t, l.Folder)
	for _, c := range []struct {
		card jitsuin.ID
		pin  string
	}{{card, country.AuthPIN.Reveal()}, {second, phonePIN}} {
		if in, _ := s.logsIn(t, l, c.card, c.pin); in.Report.Verdict != signature.Passed || in.User.ID != withCard.User.ID {
			t.Errorf("after it was found: %+v", in.Report)
		}
	}
	l.reportsLost(t, *v.Items) // the books are compared while it is suspended
	view := country.Settle(t, l.Folder)
	l.stop()
	country.CheckInvariants(t, l.Folder, view)
}

// reportsLost fills in the page by which a card is reported lost, in a browser that has never been anywhere.
func (l *living) reportsLost(t *testing.T, items jitsuin.FourItems) {
	t.Helper()
	d, err := l.Directory()
	if err != nil {
		t.Fatal(err)
	}
	self, err := d.Lookup(country.Holder)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	resp, err := browser.PostForm(self.Origin+"/lost", url.Values{"cause": {"lost"}, "name": {items.Name}, "address": {items.Address},
		"birth_date": {items.BirthDate.String()}, "sex": {string(items.Sex)}, "key": {string(jitsuin.NewID())}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(page), "届出を受け付けました") {
		t.Fatalf("%d %v %s", resp.StatusCode, err, page)
	}
}

// isFound has the counter of the person's town look at them and lift the suspension, twice with the same key.
func (l *living) isFound(t *testing.T, items jitsuin.FourItems) {
	t.Helper()
	d, err := l.Directory()
	if err != nil {
		t.Fatal(err)
	}
	for _, there := range d.Role("municipality") {
		counter, err := l.Remote("counter:"+strings.TrimPrefix(there.ID, "municipality:"), there.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer counter.Close()
		office := town.Client{Remote: counter}
		all, err := office.Search(t.Context(), town.Query{Name: items.Name, BirthDate: items.BirthDate.String()})
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 {
			continue
		}
		found := town.FoundCard{Clerk: "窓口　係", Document: town.Document{Type: "passport", Number: "TK1", Expires: items.BirthDate.AddDays(365 * 200), Items: items, FaceMatches: true}}
		wrong := found
		wrong.Document.FaceMatches = false
		if _, err := office.CardFound(t.Context(), all[0].Subject, wrong, string(jitsuin.NewID())); jitsuin.CodeOf(err) != "face-differs" {
			t.Errorf("somebody else at the counter: %v", err)
		}
		key := string(jitsuin.NewID())
		for range 2 {
			if out, err := office.CardFound(t.Context(), all[0].Subject, found, key); err != nil || out.Certificates != 4 {
				t.Fatalf("found: %+v %v", out, err)
			}
		}
		return
	}
	t.Fatal("no town has the person")
}
