package signature_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// wall is the wall clock of these tests; the civil clock stands elsewhere, at signtest.Now.
var wall = time.Date(2024, 5, 27, 9, 0, 0, 0, time.UTC)

func challenge() signature.Challenge {
	return signature.Challenge{Origin: "https://bank.example", ClientID: "bank-1", Purpose: "口座へのログイン & <確認>",
		Nonce: "3q2-7wAAAAAAAAAAAAAAAA", IssuedAt: wall, ExpiresAt: wall.Add(5 * time.Minute), Txn: "txn-1"}
}

func TestChallengeDigestIsTheSettledOne(t *testing.T) {
	canonical := `{"client_id":"bank-1","exp":1716800700,"iat":1716800400,"nonce":"3q2-7wAAAAAAAAAAAAAAAA",` +
		`"origin":"https://bank.example","purpose":"口座へのログイン & <確認>","txn":"txn-1"}`
	inner := sha256.Sum256([]byte(canonical))
	want := sha256.Sum256(append([]byte("JITSUIN-AUTH-v1\x00"), inner[:]...))
	got, err := challenge().Digest()
	if err != nil || got != want {
		t.Fatalf("%x, %v; want %x", got, err, want)
	}
}

func TestLoginWithAChallenge(t *testing.T) {
	j := signtest.NewJPKI(t)
	p384 := signtest.New(t).P384.Key
	next := signtest.Identity{Certificate: j.Issue(t, jitsuin.AuthCert, j.AuthCA, p384, 0), Key: p384}
	for name, who := range map[string]signtest.Identity{"RSA-2048": j.Auth, "P-384": next} {
		c := challenge()
		a, err := c.Sign(who.Certificate, who.Key)
		if err != nil {
			t.Fatal(err)
		}
		path, err := c.Verify(context.Background(), a, wall.Add(time.Minute), policy(j))
		if err != nil || path.Kind != jitsuin.AuthCert || path.Status.State != cert.Good {
			t.Fatalf("%s: %v %+v", name, err, path)
		}
		want := map[string]string{"RSA-2048": "SHA-256", "P-384": "SHA-384"}[name]
		if a.DigestAlg != want {
			t.Errorf("%s signs %s", name, a.DigestAlg)
		}
		a.DigestAlg = "SHA-1"
		if _, err := c.Verify(context.Background(), a, wall, policy(j)); jitsuin.CodeOf(err) != "challenge-signature" {
			t.Errorf("%s: another digest named: %v", name, err)
		}
	}
}

// TestEveryMemberOfAChallengeCounts changes one member at a time, within what is sound.
func TestEveryMemberOfAChallengeCounts(t *testing.T) {
	j := signtest.NewJPKI(t)
	a, err := challenge().Sign(j.Auth.Certificate, j.Auth.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*signature.Challenge){
		"origin":    func(c *signature.Challenge) { c.Origin = "https://bank.example.evil.example" },
		"client_id": func(c *signature.Challenge) { c.ClientID = "bank-2" },
		"purpose":   func(c *signature.Challenge) { c.Purpose += " " },
		"nonce":     func(c *signature.Challenge) { c.Nonce = "4q2-7wAAAAAAAAAAAAAAAA" },
		"iat":       func(c *signature.Challenge) { c.IssuedAt = c.IssuedAt.Add(time.Second) },
		"exp":       func(c *signature.Challenge) { c.ExpiresAt = c.ExpiresAt.Add(time.Second) },
		"txn":       func(c *signature.Challenge) { c.Txn = "txn-2" },
	} {
		c := challenge()
		change(&c)
		if _, err := c.Verify(context.Background(), a, wall.Add(time.Minute), policy(j)); jitsuin.CodeOf(err) != "challenge-signature" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChallengeRefusals(t *testing.T) {
	j := signtest.NewJPKI(t)
	a, err := challenge().Sign(j.Auth.Certificate, j.Auth.Key)
	if err != nil {
		t.Fatal(err)
	}
	flipped := a
	flipped.Signature = bytes.Clone(a.Signature)
	flipped.Signature[9] ^= 1
	bySign := a
	bySign.Certificate = j.Sign.Certificate // the same key under the other kind of certificate
	none, other := a, a
	none.Certificate = nil
	foreign := *a.Certificate
	foreign.PublicKey = ed25519.PublicKey(make([]byte, ed25519.PublicKeySize))
	other.Certificate = &foreign
	revoked := policy(j)
	revoked.Revocation = signtest.Status{Answer: cert.Status{State: cert.Revoked, Source: "ocsp", RevokedAt: signtest.Now.Add(-time.Hour)}}
	unasked, untrusted := policy(j), policy(j)
	unasked.Revocation, untrusted.Anchors = nil, []*x509.Certificate{j.SignCA.Certificate}
	for name, c := range map[string]struct {
		answer signature.Answer
		now    time.Time
		policy signature.Policy
		kind   jitsuin.Kind
		say    string // verdict, sub-indication and code of the reason
	}{
		"expired this second": {a, wall.Add(5 * time.Minute), policy(j), jitsuin.Expired, "INDETERMINATE CERTIFICATE_CHAIN_GENERAL_FAILURE chain-malformed"},
		"long expired":        {a, wall.AddDate(1, 0, 0), policy(j), jitsuin.Expired, "INDETERMINATE CERTIFICATE_CHAIN_GENERAL_FAILURE chain-malformed"},
		"from the future":     {a, wall.Add(-2 * time.Minute), policy(j), jitsuin.Expired, "INDETERMINATE CERTIFICATE_CHAIN_GENERAL_FAILURE chain-malformed"},
		"a bit flipped":       {flipped, wall, policy(j), jitsuin.Unauthenticated, "TOTAL-FAILED SIG_CRYPTO_FAILURE challenge-signature"},
		"signature kind":      {bySign, wall, policy(j), jitsuin.Invalid, "TOTAL-FAILED CHAIN_CONSTRAINTS_FAILURE wrong-kind"},
		"no certificate":      {none, wall, policy(j), jitsuin.Unauthenticated, "TOTAL-FAILED SIG_CRYPTO_FAILURE challenge-signature"},
		"a key nobody uses":   {other, wall, policy(j), jitsuin.Unsupported, "UNSUPPORTED CRYPTO_CONSTRAINTS_FAILURE unsupported-algorithm"},
		"revoked":             {a, wall, revoked, jitsuin.Revoked, "TOTAL-FAILED REVOKED revoked"},
		"status not asked":    {a, wall, unasked, jitsuin.Unavailable, "INDETERMINATE TRY_LATER status-not-checked"},
		"other anchors":       {a, wall, untrusted, jitsuin.Invalid, "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND no-issuer"},
	} {
		_, err := challenge().Verify(context.Background(), c.answer, c.now, c.policy)
		if err == nil || jitsuin.KindOf(err) != c.kind {
			t.Errorf("%s: %v (%s)", name, err, jitsuin.KindOf(err))
		}
		if verdict, sub, reason := signature.ChallengeVerdict(err); fmt.Sprint(verdict, " ", sub, " ", reason.Code) != c.say || reason.JA == "" || reason.EN == "" {
			t.Errorf("%s: %s %s %+v", name, verdict, sub, reason)
		}
	}
	if verdict, sub, reason := signature.ChallengeVerdict(nil); verdict != signature.Passed || sub != "" || reason.Code != "passed-login" {
		t.Errorf("a login that passed: %s %s %+v", verdict, sub, reason)
	}
	if verdict, _, _ := signature.ChallengeVerdict(errors.New("any other")); verdict != signature.Indeterminate {
		t.Errorf("an unknown error: %s", verdict)
	}
	if _, err := challenge().Sign(j.Sign.Certificate, j.Sign.Key); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("a signature certificate answers a login: %v", err)
	}
}

func TestUnsoundChallenges(t *testing.T) {
	for field, change := range map[string]func(*signature.Challenge){
		"origin":    func(c *signature.Challenge) { c.Origin = "bank.example" },
		"client_id": func(c *signature.Challenge) { c.ClientID = "" },
		"purpose":   func(c *signature.Challenge) { c.Purpose = "\xff" },
		"nonce":     func(c *signature.Challenge) { c.Nonce = "short" },
		"iat":       func(c *signature.Challenge) { c.IssuedAt = time.Time{} },
		"exp":       func(c *signature.Challenge) { c.ExpiresAt = c.IssuedAt.Add(signature.MaxChallengeLife + time.Second) },
		"txn":       func(c *signature.Challenge) { c.Txn = strings.Repeat("x", 2000) },
	} {
		c := challenge()
		change(&c)
		if _, err := c.Digest(); jitsuin.CodeOf(err) != "challenge-form" || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestChallengeAndDocumentNeverMeet: what a key signed at a login is worth nothing under a
// document, and the reverse, even where the attacker builds the file around the bare value.
func TestChallengeAndDocumentNeverMeet(t *testing.T) {
	j := signtest.NewJPKI(t)
	// A resident whose signature key is tricked into signing a login message.
	message, err := challenge().Message()
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(message)
	value, err := j.Sign.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	r := report(t, directCMS(t, j.Sign.Certificate, value), message, policy(j))
	fits := false
	for _, c := range r.Signatures[0].Checks {
		fits = fits || c.What == "signature-value" && c.OK
	}
	if !fits {
		t.Fatal("the value should fit the message, or this tests nothing")
	}
	if r.Verdict != signature.Failed || r.SubIndication != signature.SigConstraints || r.Integrity != signature.Broken {
		t.Errorf("a login message passes as a document: %s/%s", r.Verdict, r.SubIndication)
	}
	// The reverse: the value of a document's signature as the answer to a challenge.
	der := detached(t, signtest.Identity{Certificate: j.Auth.Certificate, Key: j.Auth.Key})
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	a := signature.Answer{Certificate: j.Auth.Certificate, Signature: sd.Signers[0].Value, DigestAlg: "SHA-256"}
	if _, err := challenge().Verify(context.Background(), a, wall, policy(j)); jitsuin.CodeOf(err) != "challenge-signature" {
		t.Errorf("a document's signature answers a login: %v", err)
	}
	// And the whole CMS in its place.
	a.Signature = der
	if _, err := challenge().Verify(context.Background(), a, wall, policy(j)); jitsuin.CodeOf(err) != "challenge-signature" {
		t.Errorf("a CMS answers a login: %v", err)
	}
}

// directCMS wraps a bare RSA value over SHA-256 as a detached signature without attributes.
func directCMS(t testing.TB, c *x509.Certificate, value []byte) []byte {
	t.Helper()
	type issuerSerial struct {
		Issuer asn1.RawValue
		Serial asn1.RawValue
	}
	serial, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		t.Fatal(err)
	}
	raw := func(hexadecimal string) asn1.RawValue {
		b, err := hex.DecodeString(hexadecimal)
		if err != nil {
			t.Fatal(err)
		}
		return asn1.RawValue{FullBytes: b}
	}
	const sha256Hex, rsaHex = "300b0609608648016503040201", "300d06092a864886f70d01010b0500"
	type signerInfo struct {
		Version   int
		ID        issuerSerial
		Digest    asn1.RawValue
		Algorithm asn1.RawValue
		Value     []byte
	}
	type signedData struct {
		Version      int
		Digests      asn1.RawValue
		Content      asn1.RawValue
		Certificates asn1.RawValue
		Signers      []signerInfo `asn1:"set"`
	}
	der, err := asn1.Marshal(struct {
		Type asn1.ObjectIdentifier
		Data signedData `asn1:"explicit,tag:0"`
	}{
		asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2},
		signedData{1, raw("310d" + sha256Hex), raw("300b06092a864886f70d010701"),
			asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: c.Raw},
			[]signerInfo{{1, issuerSerial{asn1.RawValue{FullBytes: c.RawIssuer}, asn1.RawValue{FullBytes: serial}}, raw(sha256Hex), raw(rsaHex), value}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return der
}
