package cert_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
)

func TestOfSeveralAnswersTheWorstCounts(t *testing.T) {
	a := newAnswering(t, cert.P384SHA384, 1)
	single := func(state cert.State) cert.OCSPSingle { return a.template(state).Singles[0] }
	for name, c := range map[string]struct {
		states []cert.State
		want   cert.State
	}{
		"good twice":            {[]cert.State{cert.Good, cert.Good}, cert.Good},
		"good and revoked":      {[]cert.State{cert.Good, cert.Revoked}, cert.Revoked},
		"revoked and good":      {[]cert.State{cert.Revoked, cert.Good}, cert.Revoked},
		"good and unknown":      {[]cert.State{cert.Good, cert.Unknown}, cert.Unknown},
		"unknown, then revoked": {[]cert.State{cert.Unknown, cert.Revoked}, cert.Revoked},
	} {
		m := a.template(cert.Good)
		m.Singles = nil
		for _, s := range c.states {
			m.Singles = append(m.Singles, single(s))
		}
		if st := statusOf(t, a.build(t, m, a.sign), a, cert.OCSPCheck{}); st.State != c.want {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

func TestAResponseOlderThanTheCertificateSaysNothing(t *testing.T) {
	a := newAnswering(t, cert.P384SHA384, 1)
	m := a.template(cert.Good)
	m.ProducedAt = a.leaf.NotBefore
	m.Singles[0].ThisUpdate = a.leaf.NotBefore
	if st := statusOf(t, a.build(t, m, a.sign), a, cert.OCSPCheck{}); st.State != cert.Good {
		t.Fatalf("made in its first second: %+v", st)
	}
	m.ProducedAt = a.leaf.NotBefore.Add(-time.Second)
	m.Singles[0].ThisUpdate = m.ProducedAt
	if st := statusOf(t, a.build(t, m, a.sign), a, cert.OCSPCheck{}); st.State != cert.Unknown {
		t.Errorf("made a second before: %+v", st)
	}
}

func TestARevokedResponderAnswersForNobody(t *testing.T) {
	a := newAnswering(t, cert.P384SHA384, 1)
	// The same responder without id-pkix-ocsp-nocheck: the extension under a number that nobody knows.
	tbs := replaced(t, a.responder.RawTBSCertificate, "\x2b\x06\x01\x05\x05\x07\x30\x01\x05", "\x2b\x06\x01\x05\x05\x07\x30\x01\x7f")
	checked := a.Assemble(t, tbs)
	m := a.template(cert.Good)
	m.Responder = checked
	der := a.build(t, m, a.sign)
	for state, want := range map[cert.State]cert.State{cert.Good: cert.Good, cert.Unknown: cert.Good, cert.Revoked: cert.Unknown} {
		o := cert.OCSPCheck{Responder: func(c *x509.Certificate) cert.Status {
			return cert.Status{State: state, RevokedAt: certtest.Now.Add(-time.Hour)}
		}}
		if state != cert.Revoked {
			o.Responder = func(*x509.Certificate) cert.Status { return cert.Status{State: state} }
		}
		if st := statusOf(t, der, a, o); st.State != want {
			t.Errorf("a responder that is %s: %+v", state, st)
		}
	}
	o := cert.OCSPCheck{Responder: func(*x509.Certificate) cert.Status { return cert.Status{State: cert.Revoked} }}
	if st := statusOf(t, a.build(t, a.template(cert.Good), a.sign), a, o); st.State != cert.Good {
		t.Errorf("a responder with nocheck is not asked about: %+v", st)
	}
}

func replaced(t *testing.T, b []byte, old, new string) []byte {
	t.Helper()
	out := []byte{}
	for i := range b {
		if i+len(old) <= len(b) && string(b[i:i+len(old)]) == old {
			return append(append(append(out, b[:i]...), new...), b[i+len(old):]...)
		}
	}
	t.Fatal("there is nothing to replace")
	return nil
}

func TestWhichAlgorithmsAPathMayUse(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := func(c elliptic.Curve) crypto.Signer {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for name, c := range map[string]struct {
		key   crypto.Signer
		holds bool
	}{
		"Ed25519": {ed, true}, "P-256": {signer(elliptic.P256()), true}, "P-384": {signer(elliptic.P384()), true},
		"P-521": {signer(elliptic.P521()), true}, "P-224": {signer(elliptic.P224()), false},
	} {
		m := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: certtest.Now.Add(-time.Hour), NotAfter: certtest.Now.Add(time.Hour), IsCA: true,
			BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
		m.Subject.CommonName = "CA"
		ca := signedWith(t, m, m, c.key)
		leaf := signedWith(t, &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: m.NotBefore, NotAfter: m.NotAfter}, ca, c.key)
		o := cert.PathOptions{Anchors: []*x509.Certificate{ca}, At: certtest.Now}
		if !c.holds {
			refuse(t, leaf, o, cert.BadAlgorithm)
			continue
		}
		if _, err := cert.ValidatePath(t.Context(), leaf, o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		leaf.Signature[len(leaf.Signature)-1] ^= 1
		refuse(t, leaf, o, cert.BadSignature)
	}
}

// signedWith makes a certificate for the key that signs it.
func signedWith(t *testing.T, m, parent *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, m, parent, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A name is the same in other letters, spaces and types of string, and in no other way.
func TestWhichNamesAreTheSame(t *testing.T) {
	name := func(rdns ...string) []byte {
		var body []byte
		for _, r := range rdns {
			body = append(body, 0x31, byte(len(r)))
			body = append(body, r...)
		}
		return append([]byte{0x30, byte(len(body))}, body...)
	}
	atv := func(attr byte, tag int, text string) string {
		body := "\x06\x03\x55\x04" + string(rune(attr)) + string(rune(tag)) + string(rune(len(text))) + text
		return "\x30" + string(rune(len(body))) + body
	}
	one := name(atv(3, asn1.TagPrintableString, "Kasumi Taro"))
	for label, c := range map[string]struct {
		other []byte
		same  bool
	}{
		"itself":           {one, true},
		"UTF8String":       {name(atv(3, asn1.TagUTF8String, "Kasumi Taro")), true},
		"IA5String":        {name(atv(3, asn1.TagIA5String, "Kasumi Taro")), true},
		"other letters":    {name(atv(3, asn1.TagUTF8String, "KASUMI taro")), true},
		"more spaces":      {name(atv(3, asn1.TagUTF8String, " Kasumi   Taro ")), true},
		"no space":         {name(atv(3, asn1.TagUTF8String, "KasumiTaro")), false},
		"T61String":        {name(atv(3, asn1.TagT61String, "Kasumi Taro")), false},
		"another type":     {name(atv(10, asn1.TagUTF8String, "Kasumi Taro")), false},
		"one more":         {name(atv(3, asn1.TagUTF8String, "Kasumi Taro"), atv(3, asn1.TagUTF8String, "x")), false},
		"none":             {name(), false},
		"two in one":       {name(atv(3, asn1.TagUTF8String, "Kasumi Taro") + atv(4, asn1.TagUTF8String, "x")), false},
		"something behind": {append(one[:len(one):len(one)], 0), false},
	} {
		if cert.SameName(one, c.other) != c.same || cert.SameName(c.other, one) != c.same {
			t.Errorf("%s: want %v", label, c.same)
		}
	}
	a := atv(3, asn1.TagUTF8String, "a") + atv(4, asn1.TagUTF8String, "b")
	b := atv(4, asn1.TagPrintableString, "B") + atv(3, asn1.TagPrintableString, "A")
	if !cert.SameName(name(a), name(b)) {
		t.Error("the parts of one relative name are a set")
	}
	if cert.SameName(name(a), name(atv(3, asn1.TagUTF8String, "a"), atv(4, asn1.TagUTF8String, "b"))) {
		t.Error("one relative name of two parts is not two names")
	}
}
