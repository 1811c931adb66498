package signature

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// challengeDomain begins every message that an authentication key signs here. No DER structure
// begins with it, so no such message is also a document's signed attributes.
const challengeDomain = "JITSUIN-AUTH-v1\x00"

// Bounds of a challenge.
const (
	MaxChallengeLife = 10 * time.Minute // from IssuedAt to ExpiresAt
	MinNonce         = 22               // characters: 128 bits in base64url
	maxChallengeText = 1024             // bytes of one member
	clockSkew        = time.Minute      // that IssuedAt may lie ahead
)

// Challenge is what a resident's authentication key (利用者証明用電子証明書の鍵) signs at a login: where,
// for whom, what for, and once. Times have whole seconds and are wall-clock times.
type Challenge struct {
	Origin    string    // of the page that asks, "https://bank.example"
	ClientID  string    // of the relying party
	Purpose   string    // what the person agrees to
	Nonce     string    // random, at least 22 characters
	IssuedAt  time.Time // iat
	ExpiresAt time.Time // exp
	Txn       string    // of the transaction that this belongs to
}

// challengeJSON is the form that is hashed, in RFC 8785.
type challengeJSON struct {
	Origin   string `json:"origin"`
	ClientID string `json:"client_id"`
	Purpose  string `json:"purpose"`
	Nonce    string `json:"nonce"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	Txn      string `json:"txn"`
}

// Answer is what the holder returns: the certificate, the signature value, and the digest that was
// signed, "SHA-256" for RSA and P-256 keys, "SHA-384" for P-384 keys.
type Answer struct {
	Certificate *x509.Certificate
	Signature   []byte
	DigestAlg   string
}

// Check tells whether every member is there and sound. The error is of kind Invalid and names the member.
func (c Challenge) Check() error {
	for _, m := range []struct{ name, value string }{
		{"origin", c.Origin}, {"client_id", c.ClientID}, {"purpose", c.Purpose}, {"nonce", c.Nonce}, {"txn", c.Txn},
	} {
		if m.value == "" || len(m.value) > maxChallengeText || !utf8.ValidString(m.value) {
			return challengeError(m.name, "%s must be text of 1 to %d bytes", m.name, maxChallengeText)
		}
	}
	switch {
	case !strings.HasPrefix(c.Origin, "https://") && !strings.HasPrefix(c.Origin, "http://"):
		return challengeError("origin", "the origin must be an http or https origin")
	case len(c.Nonce) < MinNonce:
		return challengeError("nonce", "the nonce needs at least %d characters", MinNonce)
	case c.IssuedAt.Unix() <= 0 || c.IssuedAt.Nanosecond() != 0:
		return challengeError("iat", "iat must be a time in whole seconds")
	case c.ExpiresAt.Nanosecond() != 0 || !c.ExpiresAt.After(c.IssuedAt) || c.ExpiresAt.Sub(c.IssuedAt) > MaxChallengeLife:
		return challengeError("exp", "exp must lie after iat by whole seconds, at most %s", MaxChallengeLife)
	}
	return nil
}

func challengeError(field, format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "challenge-form", format, args...).At(field)
}

// Message gives the bytes that are signed: "JITSUIN-AUTH-v1", a zero byte and the SHA-256 of the challenge
// as canonical JSON (RFC 8785). The error is that of Check.
func (c Challenge) Message() ([]byte, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(challengeJSON{c.Origin, c.ClientID, c.Purpose, c.Nonce, c.IssuedAt.Unix(), c.ExpiresAt.Unix(), c.Txn})
	if err != nil {
		return nil, fmt.Errorf("write the challenge: %w", err)
	}
	canonical, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("write the challenge: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return append([]byte(challengeDomain), sum[:]...), nil
}

// Digest is the SHA-256 of Message, what a card with an RSA key signs as a DigestInfo.
func (c Challenge) Digest() ([32]byte, error) {
	m, err := c.Message()
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(m), nil
}

// isChallengeMessage tells whether content begins like a Message.
func isChallengeMessage(head []byte) bool { return bytes.HasPrefix(head, []byte(challengeDomain)) }

// Sign answers the challenge with an authentication certificate and its key, such as a card's. Any
// other certificate is refused with kind Denied before the key is used.
func (c Challenge) Sign(certificate *x509.Certificate, key crypto.Signer) (Answer, error) {
	if kind, _ := cert.KindOf(certificate); kind != jitsuin.AuthCert {
		return Answer{}, jitsuin.Errorf(jitsuin.Denied, "wrong-kind", "a login is answered with a certificate for user authentication")
	}
	digest, h, err := c.digestFor(certificate.PublicKey)
	if err != nil {
		return Answer{}, err
	}
	value, err := key.Sign(rand.Reader, digest, h)
	if err != nil {
		return Answer{}, fmt.Errorf("sign the challenge: %w", err)
	}
	return Answer{Certificate: certificate, Signature: value, DigestAlg: cms.HashName(h)}, nil
}

// digestFor hashes the message as the suite of a key asks.
func (c Challenge) digestFor(key crypto.PublicKey) ([]byte, crypto.Hash, error) {
	h, err := cms.SuiteHash(key)
	if err != nil {
		return nil, 0, err
	}
	m, err := c.Message()
	if err != nil {
		return nil, 0, err
	}
	running := h.New()
	running.Write(m)
	return running.Sum(nil), h, nil
}

// Verify tells whether a answers c, the challenge that the verifier itself issued and kept: every
// member is covered by the signature, so an answer to anything else fails. now is wall-clock time for the
// challenge; p judges the certificate at its own civil instant, its Kind is always the authentication
// certificate. Whether the nonce was used before is for the caller to know. The path comes back for
// what the caller does next.
//
// Errors are *jitsuin.Error: Expired "challenge-expired" or "challenge-early", Unauthenticated
// "challenge-signature", the kinds of cert.PathError for the certificate, and Unavailable
// "status-not-checked" where p has no Revocation.
func (c Challenge) Verify(ctx context.Context, a Answer, now time.Time, p Policy) (*cert.Path, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	switch {
	case now.Before(c.IssuedAt.Add(-clockSkew)):
		return nil, jitsuin.Errorf(jitsuin.Expired, "challenge-early", "the challenge is not valid yet")
	case !now.Before(c.ExpiresAt):
		return nil, jitsuin.Errorf(jitsuin.Expired, "challenge-expired", "the challenge has expired")
	case a.Certificate == nil:
		return nil, jitsuin.Errorf(jitsuin.Unauthenticated, "challenge-signature", "the answer has no certificate")
	}
	if err := c.checkValue(a); err != nil {
		return nil, err
	}
	return a.path(ctx, p)
}

// path judges the certificate of an answer whose signature value fits.
func (a Answer) path(ctx context.Context, p Policy) (*cert.Path, error) {
	path, err := cert.ValidatePath(ctx, a.Certificate, cert.PathOptions{
		Anchors: p.Anchors, At: p.At, Kind: jitsuin.AuthCert, Revocation: p.Revocation})
	switch {
	case err != nil:
		return path, fmt.Errorf("the certificate of the answer: %w", err)
	case path.Status.State != cert.Good:
		return path, jitsuin.Errorf(jitsuin.Unavailable, "status-not-checked", "the status of the certificate was not checked")
	}
	return path, nil
}

// VerifyPresented judges the authentication certificate of a peer that has proved in a TLS handshake (RFC 5246 §7.4.8) that it holds the
// key: path, kind and status, with the errors of Challenge.Verify. It checks no signature, and the caller answers for it that the handshake
// was a full one and with whom it was meant to be.
func VerifyPresented(ctx context.Context, leaf *x509.Certificate, p Policy) (*cert.Path, error) {
	return Answer{Certificate: leaf}.path(ctx, p)
}

// VerifyRawNonce is the legacy exception to challenges: it tells whether a signs a digest with h that the relying party
// made of a nonce of its own. Such an answer is bound to no origin, client or purpose, so whoever can have one
// made can use it elsewhere; nothing here makes one, and only adapters to the protocols of others take it.
// Errors, and the path, are those of Challenge.Verify; a's DigestAlg is not looked at.
func VerifyRawNonce(ctx context.Context, a Answer, h crypto.Hash, digest []byte, p Policy) (*cert.Path, error) {
	if a.Certificate == nil {
		return nil, jitsuin.Errorf(jitsuin.Unauthenticated, "challenge-signature", "the answer has no certificate")
	}
	if err := checkDigest(a, h, digest); err != nil {
		return nil, err
	}
	return a.path(ctx, p)
}

// ChallengeVerdict says in the words of a report what came of Challenge.Verify: err is its error. For
// the certificate these are the conclusions and reasons that a document's report gives. Only nil passes; a challenge that was unsound or out of time
// says nothing of the certificate, and is INDETERMINATE like every other error.
func ChallengeVerdict(err error) (Verdict, SubIndication, Reason) {
	c := conclusion{Indeterminate, ChainGeneral, "chain-malformed"}
	var path *cert.PathError
	switch code := jitsuin.CodeOf(err); {
	case err == nil:
		c = conclusion{Passed, noSubIndication, "passed-login"}
	case errors.As(err, &path):
		c = pathConclusion(path)
	case code == "challenge-signature":
		c = conclusion{Failed, SigCryptoFailure, code}
	case code == "status-not-checked":
		c = conclusion{Indeterminate, TryLater, code}
	case code == "signing-key":
		c = faults[cms.FaultUnsupported]
	}
	return c.verdict, c.sub, reasonOf(c.reason)
}

// checkValue verifies the signature value over the message.
func (c Challenge) checkValue(a Answer) error {
	digest, h, err := c.digestFor(a.Certificate.PublicKey)
	if err != nil {
		return err
	}
	if a.DigestAlg != cms.HashName(h) {
		return jitsuin.Errorf(jitsuin.Unauthenticated, "challenge-signature", "this key signs with %s", cms.HashName(h))
	}
	return checkDigest(a, h, digest)
}

// checkDigest verifies the signature value over a digest.
func checkDigest(a Answer, h crypto.Hash, digest []byte) error {
	err := errors.New("the value does not fit")
	switch key := a.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		err = rsa.VerifyPKCS1v15(key, h, digest, a.Signature)
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, digest, a.Signature) {
			err = nil
		}
	}
	if err != nil {
		return jitsuin.Errorf(jitsuin.Unauthenticated, "challenge-signature", "the signature does not answer this challenge: %w", err)
	}
	return nil
}
