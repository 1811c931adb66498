package jws_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/jws"
)

var payload = []byte(`{"契約":"第1条 甲は乙に支払う。","amount":10000}`)

// people are an RSA key and keys on both curves, made once.
type people struct{ rsa, p256, p384 signtest.Identity }

var p256 *signtest.Identity // made once: an identity is used by every test

func signers(t testing.TB) people {
	t.Helper()
	p := signtest.New(t)
	if p256 == nil {
		i := signtest.NewIdentity(t, p.Root, 256, nil)
		p256 = &i
	}
	return people{p.RSA, *p256, p.P384}
}

// faults judges every signature of a message and gives what is wrong, "" for nothing, one word a
// signature; "malformed" where there is no message.
func faults(t testing.TB, raw, content []byte, more ...signtest.Identity) string {
	t.Helper()
	m, err := jws.Parse(raw)
	if err != nil {
		if jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Fatalf("an error of kind %v: %v", jitsuin.KindOf(err), err)
		}
		return "malformed"
	}
	var d *jws.Digests
	if content == nil {
		d, err = m.Digest(context.Background(), nil)
	} else {
		d, err = m.Digest(context.Background(), bytes.NewReader(content))
	}
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, s := range m.Signatures {
		var word cms.Fault
		r := m.Verify(s, d, certificates(more))
		for _, c := range r.Checks {
			if !c.OK && word == "" {
				word = c.Fault
			}
			if c.OK != (c.Fault == "") || c.What == "" || c.Expected == "" {
				t.Errorf("check %+v", c)
			}
		}
		if word == "" && !r.Intact() {
			word = "no certificate"
		}
		words = append(words, string(word))
	}
	return strings.Join(words, " ")
}

func TestRoundTrip(t *testing.T) {
	p := signers(t)
	for _, c := range []struct {
		alg string
		who signtest.Identity
	}{{"", p.rsa}, {"RS384", p.rsa}, {"RS512", p.rsa}, {"PS256", p.rsa}, {"PS384", p.rsa}, {"PS512", p.rsa}, {"", p.p256}, {"", p.p384}} {
		s := &jws.Signer{Certificate: c.who.Certificate, Key: c.who.Key, Alg: c.alg, Others: certificates([]signtest.Identity{signtest.New(t).Root})}
		compact, err := s.Compact(payload)
		if err != nil {
			t.Fatalf("%s: %v", c.alg, err)
		}
		if got := faults(t, compact, nil); got != "" {
			t.Errorf("%s compact: %s", c.alg, got)
		}
		theirs(t, string(compact), c.who, nil)
		for _, unencoded := range []bool{false, true} {
			detached, err := s.Detached(context.Background(), bytes.NewReader(payload), unencoded)
			if err != nil {
				t.Fatal(err)
			}
			if got := faults(t, detached, payload); got != "" {
				t.Errorf("%s detached, unencoded %v: %s", c.alg, unencoded, got)
			}
			if got := faults(t, detached, nil); got != "no-content" {
				t.Errorf("%s detached without its document: %q", c.alg, got)
			}
			if got := faults(t, detached, payload[1:]); got != "value" {
				t.Errorf("%s detached with another document: %q", c.alg, got)
			}
			theirs(t, string(detached), c.who, payload)
		}
	}
	several, err := jws.JSON(payload, &jws.Signer{Certificate: p.rsa.Certificate, Key: p.rsa.Key}, &jws.Signer{Certificate: p.p384.Certificate, Key: p.p384.Key})
	if err != nil {
		t.Fatal(err)
	}
	if got := faults(t, several, nil); got != " " {
		t.Errorf("two signatures: %q", got)
	}
}

// theirs has another library check what we made.
func theirs(t *testing.T, made string, who signtest.Identity, detached []byte) {
	t.Helper()
	var all []jose.SignatureAlgorithm
	for _, a := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"} {
		all = append(all, jose.SignatureAlgorithm(a))
	}
	if detached != nil {
		m, err := jose.ParseDetached(made, detached, all)
		if err == nil {
			err = m.DetachedVerify(detached, who.Key.Public())
		}
		if err != nil {
			t.Errorf("go-jose refuses our detached signature: %v", err)
		}
		return
	}
	m, err := jose.ParseSignedCompact(made, all)
	if err != nil {
		t.Errorf("go-jose refuses our signature: %v", err)
		return
	}
	if got, err := m.Verify(who.Key.Public()); err != nil || !bytes.Equal(got, payload) {
		t.Errorf("go-jose refuses our signature: %v", err)
	}
}

// What another library makes is read in all its forms.
func TestOthersSignatures(t *testing.T) {
	p := signers(t)
	for alg, who := range map[jose.SignatureAlgorithm]signtest.Identity{jose.RS256: p.rsa, jose.PS384: p.rsa, jose.ES256: p.p256, jose.ES384: p.p384} {
		chain := []string{base64.StdEncoding.EncodeToString(who.Certificate.Raw)}
		maker, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: who.Key}, (&jose.SignerOptions{}).WithHeader("x5c", chain).WithType("JOSE"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := maker.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := m.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		away, err := m.DetachedCompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		for form, got := range map[string]string{"compact": faults(t, []byte(compact), nil), "JSON": faults(t, []byte(m.FullSerialize()), nil), "detached": faults(t, []byte(away), payload)} {
			if got != "" {
				t.Errorf("%s %s: %s", alg, form, got)
			}
		}
	}
}

// A key inside the message is never believed: it is somebody's, and nobody says whose.
func TestABareKeyIsNobodys(t *testing.T) {
	p := signers(t)
	jwk, err := (&jose.JSONWebKey{Key: p.rsa.Key.Public()}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	raw := forge(t, p.rsa, `{"alg":"RS256","jwk":`+string(jwk)+`}`, payload)
	if got := faults(t, []byte(raw), nil, p.rsa); got != "signer" {
		t.Errorf("a key that vouches for itself: %q", got)
	}
}

func TestWhatIsNoSigner(t *testing.T) {
	p := signers(t)
	short := signtest.NewIdentity(t, signtest.New(t).Root, 1024, nil)
	for name, s := range map[string]*jws.Signer{
		"nobody":                   {},
		"another's key":            {Certificate: p.rsa.Certificate, Key: signtest.New(t).Other.Key},
		"another's key, ECDSA":     {Certificate: p.p256.Certificate, Key: p.p384.Key},
		"a short key":              {Certificate: short.Certificate, Key: short.Key},
		"an algorithm of HMAC":     {Certificate: p.rsa.Certificate, Key: p.rsa.Key, Alg: "HS256"},
		"an algorithm of no key":   {Certificate: p.rsa.Certificate, Key: p.rsa.Key, Alg: "none"},
		"RSA with ECDSA's":         {Certificate: p.rsa.Certificate, Key: p.rsa.Key, Alg: "ES256"},
		"P-384 with P-256's":       {Certificate: p.p384.Certificate, Key: p.p384.Key, Alg: "ES256"},
		"a curve that is not made": {Certificate: p.p256.Certificate, Key: p.p256.Key, Alg: "ES512"},
	} {
		if raw, err := s.Compact(payload); err == nil || raw != nil {
			t.Errorf("%s signs: %s", name, raw)
		}
	}
	if _, err := jws.JSON(payload); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("nobody signs: %v", err)
	}
}

func TestDetach(t *testing.T) {
	p := signers(t)
	s := &jws.Signer{Certificate: p.rsa.Certificate, Key: p.rsa.Key}
	compact, err := s.Compact(payload)
	if err != nil {
		t.Fatal(err)
	}
	general, err := jws.JSON(payload, s, &jws.Signer{Certificate: p.p256.Certificate, Key: p.p256.Key})
	if err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{compact, general} {
		kept, err := jws.Detach(whole)
		if err != nil || strings.TrimSpace(faults(t, kept, payload)) != "" || !strings.Contains(faults(t, kept, nil), "no-content") {
			t.Errorf("kept apart: %s, %v", kept, err)
		}
		if again, err := jws.Detach(kept); err != nil || !bytes.Equal(again, kept) {
			t.Errorf("detached twice: %s, %v", again, err)
		}
	}
	if _, err := jws.Detach([]byte("x")); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Error(err)
	}
}
