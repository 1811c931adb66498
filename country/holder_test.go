//go:build unix

package country_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	platform "github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// shop is a relying party of the test's own, a tenant of the country's platform.
type shop struct {
	origin  string
	client  *client.Client
	form    []byte
	answers []client.HolderAnswer
}

func (l *living) shop(t *testing.T) *shop {
	t.Helper()
	s := &shop{}
	raw, err := json.Marshal(form.Form{ID: "order", Number: "N-1", Title: form.Text{JA: "注文書", EN: "Order"}, Issuer: form.Text{JA: "見本商店", EN: "Sample Shop"}, Intro: form.Text{JA: "次のとおり注文します。", EN: "I order as follows."},
		Fields: []form.Field{{Name: "name", Label: form.Text{JA: "氏名", EN: "Name"}, From: form.FromCertificate, Item: form.ItemName}, {Name: "what", Label: form.Text{JA: "品物", EN: "What"}, From: form.FromPerson, Required: true}}})
	if err != nil {
		t.Fatal(err)
	}
	s.form = raw
	mux := http.NewServeMux()
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, _ *http.Request) { w.Write(s.form) })
	mux.HandleFunc("POST /answers", func(w http.ResponseWriter, r *http.Request) {
		var a client.HolderAnswer
		if json.NewDecoder(r.Body).Decode(&a) == nil {
			s.answers = append(s.answers, a)
		}
		json.NewEncoder(w).Encode(client.AnswerTaken{ReturnURL: s.origin + "/done"})
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	s.origin = srv.URL
	s.client = l.newTenant(t, "tenant:shop", s.origin)
	return s
}

// newTenant registers a tenant with a key of its own.
func (l *living) newTenant(t *testing.T, id, origin string) *client.Client {
	t.Helper()
	key, err := actor.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	operator, err := l.Remote(country.Operator, country.Platform)
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	if _, err := httpapi.Do[platform.Tenant](t.Context(), operator, "POST", "/v1/tenants", string(jitsuin.NewID()),
		platform.TenantRequest{ID: id, Name: "見本商店", NameEN: "Sample Shop", Origins: []string{origin}, PublicKey: der}); err != nil {
		t.Fatal(err)
	}
	d, err := l.Directory()
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Lookup(country.Platform)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(p.Origin, country.Platform, id, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// answered has the shop ask and the holder answer with a card, and gives the answer as the shop got it.
func (s *shop) answered(t *testing.T, l *living, act string, in site.SandboxAnswer) client.HolderAnswer {
	t.Helper()
	r := client.HolderRequest{Act: client.ActLogin, Purpose: "注文", PurposeEN: "Order", Origin: s.origin, ResponseURI: s.origin + "/answers", State: "0123456789abcdef"}
	if act == "sign" {
		sum := sha256.Sum256(s.form)
		r.Act, r.Documents = client.ActSign, []client.RequestDocument{{Name: "注文書", MediaType: client.MediaTypeForm, SHA256: sum[:], HRef: s.origin + "/form"}}
	}
	m, err := s.client.Request(t.Context(), "", r)
	if err != nil {
		t.Fatal(err)
	}
	console, err := l.Remote(country.Country, country.Holder)
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close()
	in.RequestURI = m.URI
	out, err := httpapi.Do[site.SandboxAnswered](t.Context(), console, "POST", "/sandbox/answers", "", in)
	if err != nil || out.ReturnURL != s.origin+"/done" {
		t.Fatalf("%+v, %v", out, err)
	}
	return s.answers[len(s.answers)-1]
}

// A service asks, a resident's card answers through the holder, the platform judges: with the
// sandbox's own chips, authorities and status.
func TestAServiceReachesACardThroughTheHolder(t *testing.T) {
	l := live(t, country.Options{Data: filepath.Join(t.TempDir(), "data"), Listen: listen(t)})
	s := l.shop(t)
	held, err := holder.CardsIn(string(l.Folder)).Held()
	if err != nil || len(held) != country.FirstCards {
		t.Fatalf("%d cards, %v", len(held), err)
	}
	sign := site.SandboxAnswer{Card: held[0], PIN: country.SignPassword.Reveal(), Inputs: map[string]string{"what": "りんご"}}
	check := func(a client.HolderAnswer) client.Verification {
		t.Helper()
		v, err := s.client.Verify(t.Context(), "", client.VerificationRequest{Document: a.Documents[0].Content, Signature: a.Signature, Purpose: "contract"})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	a := s.answered(t, l, "sign", sign)
	v := check(a)
	made, err := pades.Original(a.Documents[0].Content)
	if err != nil || a.Signature != nil {
		t.Fatalf("the form is not signed inside itself: %v", err)
	}
	filled, err := form.Read(made)
	if err != nil || v.Report.Verdict != signature.Passed || len(filled.Differences(*v.Items)) > 0 || filled.Values["what"] != "りんご" {
		t.Errorf("%+v, %+v, %v", v.Report, filled, err)
	}
	login := s.answered(t, l, "login", site.SandboxAnswer{Card: held[0], PIN: country.AuthPIN.Reveal()})
	in, err := s.client.Login(t.Context(), client.LoginRequest{Challenge: login.Txn, Certificate: login.Certificate, Signature: login.Signature, DigestAlg: login.DigestAlg})
	if err != nil || in.Report.Verdict != signature.Passed || in.User.ID != v.User.ID {
		t.Errorf("%+v, %v", in, err)
	}
	l.logsInByTLS(t, held[0])
	for fault, sub := range map[string]signature.SubIndication{"altered": signature.FormatFailure, "wrong-kind": signature.ChainConstraints} {
		wrong := sign
		wrong.Fault, wrong.WrongPIN = fault, country.AuthPIN.Reveal()
		if v := check(s.answered(t, l, "sign", wrong)); v.Report.Verdict != signature.Failed || v.Report.SubIndication != sub || v.Items != nil {
			t.Errorf("%s: %+v", fault, v.Report)
		}
	}
}
