package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

const origin = "https://securities.example"

func TestARelyingPartyCallsThePlatform(t *testing.T) {
	w := platformtest.New(t, "sqlite::memory:", nil)
	w.Accredit(minister.InForce)
	tenant := w.Register("tenant:bank", origin)
	c, err := client.New(w.Origin+"/", platformtest.ID, tenant.ID, tenant.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hanako := w.Agency.Resident("霧島　花子")
	document := []byte("契約書")
	v, err := c.Verify(t.Context(), "", client.VerificationRequest{Document: document, Signature: hanako.Sign.Over(t, document), Purpose: "contract"})
	if err != nil || client.Refusal(v.Report) != nil || v.Items.Name != hanako.Items.Name {
		t.Fatalf("%+v, %v", v, err)
	}
	again, err := c.Verification(t.Context(), v.ID)
	if err != nil || *again.User != *v.User {
		t.Errorf("again %+v, %v", again, err)
	}
	for form, begins := range map[string]string{client.HTML: "<!doctype html>", client.PDF: "%PDF-1.7", client.Text: "有効です。", client.JSON: "{"} {
		if raw, err := c.Report(t.Context(), v.ID, form, "ja"); err != nil || !strings.HasPrefix(string(raw), begins) {
			t.Errorf("the report as %s: %.80q, %v", form, raw, err)
		}
	}
	ch, err := c.Challenge(t.Context(), origin, "ログイン")
	if err != nil {
		t.Fatal(err)
	}
	a, err := ch.Challenge.ToSign().Sign(hanako.Auth.Cert, hanako.Auth.Key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.Login(t.Context(), client.LoginRequest{Challenge: ch.ID, Certificate: a.Certificate.Raw, Signature: a.Signature})
	if err != nil || client.Refusal(l.Report) != nil || l.User.ID != v.User.ID {
		t.Errorf("login %+v, %v", l, err)
	}
	m, err := c.Request(t.Context(), "", client.HolderRequest{Act: client.ActLogin, Purpose: "ログイン", PurposeEN: "Log in", Origin: origin, ResponseURI: origin + "/answers", State: "0123456789abcdef"})
	if err != nil || m.Txn == "" || m.Open == "" {
		t.Errorf("request %+v, %v", m, err)
	}
	for want, err := range map[string]error{
		"id-form":               second(c.Verification(t.Context(), "../tenants")),
		"request-form":          second(c.Report(t.Context(), v.ID, "docx", "ja")),
		"signature-empty":       second(c.Verify(t.Context(), "", client.VerificationRequest{Document: document, Signature: []byte{}, Purpose: "contract"})),
		"verification-unknown":  second(c.Verification(t.Context(), jitsuin.NewID())),
		"origin-not-registered": second(c.Challenge(t.Context(), "https://elsewhere.example", "ログイン")),
		"challenge-used":        second(c.Login(t.Context(), client.LoginRequest{Challenge: ch.ID, Certificate: a.Certificate.Raw, Signature: a.Signature})),
	} {
		if e, ok := errors.AsType[*jitsuin.Error](err); !ok || e.Code != want {
			t.Errorf("want %s, got %v", want, err)
		}
	}
	embedded, err := (&signature.DocumentSigner{Certificate: hanako.Sign.Cert, Key: hanako.Sign.Key}).Embedded(t.Context(), document, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, nothing := range []client.VerificationRequest{{Document: []byte{}}, {DocumentDigest: []byte{}}} {
		nothing.Signature, nothing.Purpose = embedded, "contract"
		if v, err := c.Verify(t.Context(), "", nothing); jitsuin.CodeOf(err) != "document-empty" {
			t.Errorf("what is embedded stood in for an empty document: %s, %v", v.Report.Verdict, err)
		}
	}
	w.Stop()
	_, err = c.Challenge(t.Context(), origin, "ログイン")
	if jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Errorf("a platform that is gone: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestRefusals(t *testing.T) {
	reasons := []signature.Reason{{Code: "why", JA: "理由", EN: "reason"}}
	for _, c := range []struct {
		r    signature.Report
		kind jitsuin.Kind
		code string
	}{
		{signature.Report{Verdict: signature.Failed, SubIndication: signature.HashFailure, Reasons: reasons}, jitsuin.Invalid, "why"},
		{signature.Report{Verdict: signature.Failed, SubIndication: signature.Revoked, Reasons: reasons}, jitsuin.Revoked, "why"},
		{signature.Report{Verdict: signature.Failed, SubIndication: signature.Expired, Reasons: reasons}, jitsuin.Expired, "why"},
		{signature.Report{Verdict: signature.Indeterminate, SubIndication: signature.TryLater, Reasons: reasons}, jitsuin.Unavailable, "why"},
		{signature.Report{Verdict: signature.Malformed, Reasons: reasons}, jitsuin.Invalid, "why"},
		{signature.Report{}, jitsuin.Invalid, "refused"},
	} {
		err := client.Refusal(c.r)
		if err == nil || jitsuin.KindOf(err) != c.kind || jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s %s: %v", c.r.Verdict, c.r.SubIndication, err)
		}
	}
	if err := client.Refusal(signature.Report{Verdict: signature.Passed}); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoClient(t *testing.T) {
	good, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"", "platform.example", "ftp://platform.example", "https://platform.example/v1"} {
		if _, err := client.New(url, "platform:1", "tenant:x", good); jitsuin.CodeOf(err) != "client-url" {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := client.New("https://platform.example", "platform:1", "tenant:x", other); jitsuin.CodeOf(err) != "client-key" {
		t.Errorf("a P-384 key: %v", err)
	}
}
