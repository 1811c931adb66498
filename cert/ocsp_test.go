package cert_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"golang.org/x/crypto/ocsp"
)

// answering is an authority with a delegated responder and a resident.
type answering struct {
	*certtest.Authority
	responder *x509.Certificate
	sign      cert.SignFunc
	leaf      *x509.Certificate
	id        cert.CertID
}

func newAnswering(t *testing.T, suite cert.Suite, n int) *answering {
	t.Helper()
	a := &answering{Authority: certtest.NewAuthority(t, jitsuin.SignCert, suite, n)}
	tmpl, key := a.Responder(t, n)
	a.responder = a.Issue(t, tmpl)
	a.sign = func(_ context.Context, tbs []byte) ([]byte, error) { return certtest.SignTBS(key, tbs) }
	a.leaf = a.Issue(t, a.Resident(t, big.NewInt(0x4242424242)))
	var err error
	if a.id, err = cert.NewCertID(crypto.SHA256, a.Cert, a.leaf.SerialNumber); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *answering) template(state cert.State) *cert.OCSPTemplate {
	return &cert.OCSPTemplate{Responder: a.responder, ProducedAt: certtest.Now, Singles: []cert.OCSPSingle{{ID: a.id, State: state,
		RevokedAt: certtest.Now.Add(-time.Hour), Reason: jitsuin.ReasonSuperseded, ThisUpdate: certtest.Now, NextUpdate: certtest.Now.Add(time.Hour)}}}
}

func (a *answering) build(t *testing.T, m *cert.OCSPTemplate, sign cert.SignFunc) []byte {
	t.Helper()
	der, err := m.Build(t.Context(), sign)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func statusOf(t *testing.T, der []byte, a *answering, o cert.OCSPCheck) cert.Status {
	t.Helper()
	r, err := cert.ParseOCSPResponse(der)
	if err != nil {
		return cert.Status{State: cert.Unknown, Why: err.Error()}
	}
	if o.At.IsZero() {
		o.At = certtest.Now
	}
	return r.Status(a.leaf, a.Cert, o)
}

func TestResponsesAreReadByEverybody(t *testing.T) {
	for _, suite := range suites {
		a := newAnswering(t, suite, 1)
		for _, state := range []cert.State{cert.Good, cert.Revoked, cert.Unknown} {
			der := a.build(t, a.template(state), a.sign)
			if st := statusOf(t, der, a, cert.OCSPCheck{NoCheckRequired: true}); st.State != state {
				t.Errorf("ours: %+v", st)
			}
			std, err := ocsp.ParseResponseForCert(der, a.leaf, a.Cert)
			if err != nil || std.Status != map[cert.State]int{cert.Good: 0, cert.Revoked: 1, cert.Unknown: 2}[state] || state == cert.Revoked && std.RevocationReason != 4 {
				t.Errorf("x/crypto: %+v, %v", std, err)
			}
			out, ok := judge(t, "openssl", "ocsp", "-respin", file(t, "r.der", "", der), "-issuer", file(t, "ca.pem", "CERTIFICATE", a.Cert.Raw), "-sha256",
				"-cert", file(t, "c.pem", "CERTIFICATE", a.leaf.Raw), "-CAfile", file(t, "ca2.pem", "CERTIFICATE", a.Cert.Raw),
				"-attime", big.NewInt(certtest.Now.Unix()).String(), "-no_nonce", "-validity_period", "99999999")
			if !ok || !strings.Contains(out, "Response verify OK") || !strings.Contains(out, ": "+string(state)) {
				t.Errorf("openssl on %s: %s", state, out)
			}
		}
	}
}

func TestResponsesThatMustNotBeBelieved(t *testing.T) {
	a, b := newAnswering(t, cert.P384SHA384, 1), newAnswering(t, cert.P384SHA384, 2) // two generations of one name
	good := func() *cert.OCSPTemplate { return a.template(cert.Good) }
	with := func(change func(*cert.OCSPTemplate)) []byte {
		m := good()
		change(m)
		return a.build(t, m, a.sign)
	}
	if st := statusOf(t, a.build(t, good(), a.sign), a, cert.OCSPCheck{}); st.State != cert.Good {
		t.Fatalf("%+v", st)
	}
	byCA := good()
	byCA.Responder = a.Cert
	if st := statusOf(t, a.build(t, byCA, a.Sign), a, cert.OCSPCheck{}); st.State != cert.Good {
		t.Errorf("answered by the CA itself: %+v", st)
	}
	resident := good()
	resident.Responder = a.leaf // a resident's key is nobody's responder
	tmpl, key := a.Authority.Responder(t, 3)
	tmpl.LastDay = jitsuin.DateOf(certtest.Now).AddDays(-1)
	old := good()
	old.Responder, old.ProducedAt = a.Issue(t, tmpl), certtest.Now.AddDate(0, 0, -5)
	signOld := func(_ context.Context, tbs []byte) ([]byte, error) { return certtest.SignTBS(key, tbs) }
	otherID, _ := cert.NewCertID(crypto.SHA256, a.Cert, big.NewInt(1))
	byB, _ := cert.NewCertID(crypto.SHA256, b.Cert, a.leaf.SerialNumber)
	noNonce, nonce := a.build(t, good(), a.sign), []byte("0123456789abcdef0123456789abcdef")
	for name, c := range map[string]struct {
		der []byte
		o   cert.OCSPCheck
	}{
		"signed by a resident":     {a.build(t, resident, a.residentKey(t)), cert.OCSPCheck{}},
		"signed with another key":  {a.build(t, good(), b.sign), cert.OCSPCheck{}},
		"another CA's responder":   {with(func(m *cert.OCSPTemplate) { m.Responder = b.responder }), cert.OCSPCheck{}},
		"other generation answers": {b.build(t, &cert.OCSPTemplate{Responder: b.responder, ProducedAt: certtest.Now, Singles: good().Singles}, b.sign), cert.OCSPCheck{}},
		"an expired responder":     {a.build(t, old, signOld), cert.OCSPCheck{}},
		"another certificate":      {with(func(m *cert.OCSPTemplate) { m.Singles[0].ID = otherID }), cert.OCSPCheck{}},
		"another issuer's name":    {with(func(m *cert.OCSPTemplate) { m.Singles[0].ID = byB }), cert.OCSPCheck{}},
		"made in the future":       {with(func(m *cert.OCSPTemplate) { m.ProducedAt = m.ProducedAt.Add(time.Hour) }), cert.OCSPCheck{}},
		"valid in the future":      {with(func(m *cert.OCSPTemplate) { m.Singles[0].ThisUpdate = certtest.Now.Add(time.Minute) }), cert.OCSPCheck{}},
		"a time to come":           {noNonce, cert.OCSPCheck{Times: cert.Times{At: certtest.Now.Add(10 * time.Minute), Now: certtest.Now}}},
		"ended":                    {noNonce, cert.OCSPCheck{Times: cert.Times{At: certtest.Now.Add(2 * time.Hour)}}},
		"without an end":           {with(func(m *cert.OCSPTemplate) { m.Singles[0].NextUpdate = time.Time{} }), cert.OCSPCheck{}},
		"no nonce":                 {noNonce, cert.OCSPCheck{Nonce: nonce, NonceRequired: true}},
		"another nonce":            {with(func(m *cert.OCSPTemplate) { m.Nonce = nonce }), cert.OCSPCheck{Nonce: nonce[1:]}},
		"altered":                  {flip(noNonce, bytes.Index(noNonce, []byte("20260601"))+7), cert.OCSPCheck{}},
		"an error":                 {cert.OCSPTryLater.Response(), cert.OCSPCheck{}},
	} {
		if st := statusOf(t, c.der, a, c.o); st.State != cert.Unknown || st.Why == "" {
			t.Errorf("%s: %+v", name, st)
		}
	}
	echo := with(func(m *cert.OCSPTemplate) { m.Nonce = nonce })
	if st := statusOf(t, echo, a, cert.OCSPCheck{Nonce: nonce, NonceRequired: true}); st.State != cert.Good {
		t.Errorf("the right nonce: %+v", st)
	}
}

// An answer is judged by the time it was given, but a key that has expired gives no new ones.
func TestAnExpiredRespondersEvidenceIsNoFreshAnswer(t *testing.T) {
	a := newAnswering(t, cert.P384SHA384, 1)
	tmpl, key := a.Authority.Responder(t, 3)
	tmpl.LastDay = jitsuin.DateOf(certtest.Now).AddDays(-1)
	then, nonce := certtest.Now.AddDate(0, 0, -5), []byte("0123456789abcdef0123456789abcdef")
	m := a.template(cert.Good)
	m.Responder, m.ProducedAt, m.Nonce = a.Issue(t, tmpl), then, nonce
	m.Singles[0].ThisUpdate, m.Singles[0].NextUpdate = then, then.Add(time.Hour)
	der := a.build(t, m, func(_ context.Context, tbs []byte) ([]byte, error) { return certtest.SignTBS(key, tbs) })
	times := cert.Times{At: then, Now: certtest.Now}
	if st := statusOf(t, der, a, cert.OCSPCheck{Times: times}); st.State != cert.Good {
		t.Errorf("kept evidence: %+v", st)
	}
	if st := statusOf(t, der, a, cert.OCSPCheck{Times: times, Nonce: nonce, NonceRequired: true}); st.State != cert.Unknown {
		t.Errorf("a fresh answer with an expired key: %+v", st)
	}
}

// Records of revocation are kept to the certificate's last day: good said later proves nothing, revoked does.
func TestGoodAfterExpiryIsUnknown(t *testing.T) {
	a := newAnswering(t, cert.P384SHA384, 1)
	tmpl := a.Resident(t, a.leaf.SerialNumber)
	tmpl.LastDay = jitsuin.DateOf(certtest.Now).AddDays(-2)
	a.leaf = a.Issue(t, tmpl)
	times := cert.Times{At: certtest.Now.AddDate(0, 0, -10), Now: certtest.Now}
	if st := statusOf(t, a.build(t, a.template(cert.Good), a.sign), a, cert.OCSPCheck{Times: times}); st.State != cert.Unknown || st.Why == "" {
		t.Errorf("good: %+v", st)
	}
	dead := a.template(cert.Revoked)
	dead.Singles[0].RevokedAt = certtest.Now.AddDate(0, 0, -11)
	if st := statusOf(t, a.build(t, dead, a.sign), a, cert.OCSPCheck{Times: times}); st.State != cert.Revoked {
		t.Errorf("revoked: %+v", st)
	}
}

func (a *answering) residentKey(t *testing.T) cert.SignFunc {
	key := certtest.Key(t, a.Suite, 1)
	return func(_ context.Context, tbs []byte) ([]byte, error) { return certtest.SignTBS(key, tbs) }
}

func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1
	return b
}

func TestRequests(t *testing.T) {
	a := newAnswering(t, cert.RSA2048SHA256, 1)
	q := cert.OCSPRequest{IDs: []cert.CertID{a.id}, Nonce: []byte("0123456789abcdef0123456789abcdef")}
	der := q.Marshal()
	back, err := cert.ParseOCSPRequest(der)
	if err != nil || !back.IDs[0].Equal(a.id) || !back.IDs[0].ByIssuer(a.Cert) || !bytes.Equal(back.Nonce, q.Nonce) {
		t.Fatalf("%+v, %v", back, err)
	}
	if out, ok := judge(t, "openssl", "ocsp", "-reqin", file(t, "q.der", "", der), "-req_text"); !ok || !strings.Contains(out, "OCSP Nonce") || !strings.Contains(out, "4242424242") {
		t.Errorf("openssl: %s", out)
	}
	many := cert.OCSPRequest{IDs: slices.Repeat([]cert.CertID{a.id}, 17)}
	long := cert.OCSPRequest{IDs: q.IDs, Nonce: make([]byte, 129)}
	empty := cert.OCSPRequest{IDs: q.IDs, Nonce: []byte{}}
	for name, bad := range map[string][]byte{"empty": nil, "cut": der[:40], "trailing": append(slices.Clone(der), 0), "none": cert.OCSPRequest{}.Marshal(),
		"many": many.Marshal(), "long nonce": long.Marshal(), "empty nonce": empty.Marshal(), "huge": make([]byte, 5000)} {
		if _, err := cert.ParseOCSPRequest(bad); jitsuin.CodeOf(err) != "ocsp-form" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cert.ParseOCSPResponse(cert.OCSPUnauthorized.Response()); jitsuin.CodeOf(err) != "ocsp-unauthorized" || jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Error(err)
	}
}
