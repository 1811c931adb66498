package jws

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin"
)

// Signer makes signatures with one key, a card's or any other crypto.Signer. The protected header
// has the certificate (x5c) and its thumbprint (x5t#S256).
type Signer struct {
	Certificate *x509.Certificate
	Others      []*x509.Certificate // authorities' certificates, put behind it into x5c; may be empty
	Key         crypto.Signer
	Alg         string // such as PS256; "" is RS256, ES256 or ES384, by the key
}

// header is the protected header in the order in which it is written.
type header struct {
	Alg        string   `json:"alg"`
	Thumbprint string   `json:"x5t#S256"`
	X5C        [][]byte `json:"x5c"`
	B64        *bool    `json:"b64,omitempty"`
	Crit       []string `json:"crit,omitempty"`
}

// Compact makes the compact form with the payload inside.
func (s *Signer) Compact(payload []byte) ([]byte, error) {
	m, one, err := s.sign(context.Background(), bytes.NewReader(payload), false)
	if err != nil {
		return nil, err
	}
	return join(m, []byte(encoding.EncodeToString(payload)), one), nil
}

// Detached makes the compact form without the payload, which is streamed. unencoded signs the payload
// as it stands (RFC 7797); without it whoever checks must encode it first, as every reader of the
// format does.
func (s *Signer) Detached(ctx context.Context, content io.Reader, unencoded bool) ([]byte, error) {
	m, one, err := s.sign(ctx, content, unencoded)
	if err != nil {
		return nil, err
	}
	return join(m, nil, one), nil
}

func join(protected string, payload, value []byte) []byte {
	return bytes.Join([][]byte{[]byte(protected), payload, []byte(encoding.EncodeToString(value))}, []byte("."))
}

// serialization is the general JSON form.
type serialization struct {
	Payload    string    `json:"payload"`
	Signatures []written `json:"signatures"`
}

type written struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// JSON makes the general JSON form with the payload inside, signed by everyone in turn.
func JSON(payload []byte, all ...*Signer) ([]byte, error) {
	out := serialization{Payload: encoding.EncodeToString(payload)}
	if len(all) == 0 || len(all) > MaxSignatures {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "signers", "a message has 1 to %d signatures, not %d", MaxSignatures, len(all))
	}
	for _, s := range all {
		protected, value, err := s.sign(context.Background(), bytes.NewReader(payload), false)
		if err != nil {
			return nil, err
		}
		out.Signatures = append(out.Signatures, written{protected, encoding.EncodeToString(value)})
	}
	return json.Marshal(out)
}

// sign makes one signature and checks it: a key that is not the certificate's makes none.
func (s *Signer) sign(ctx context.Context, content io.Reader, unencoded bool) (protected string, value []byte, err error) {
	name, alg, err := s.algorithm()
	if err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(s.Certificate.Raw)
	h := header{Alg: name, Thumbprint: encoding.EncodeToString(sum[:]), X5C: [][]byte{s.Certificate.Raw}}
	for _, c := range s.Others {
		h.X5C = append(h.X5C, c.Raw)
	}
	if unencoded {
		h.B64, h.Crit = new(bool), []string{"b64"}
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return "", nil, err
	}
	protected = encoding.EncodeToString(raw)
	digest := alg.hash.New()
	io.WriteString(digest, protected+".")
	var to io.WriteCloser = plain{digest}
	if !unencoded {
		to = base64.NewEncoder(encoding, digest)
	}
	if _, err := io.Copy(to, reader{ctx, content}); err != nil {
		return "", nil, err
	}
	if err := to.Close(); err != nil {
		return "", nil, err
	}
	if value, err = s.Key.Sign(rand.Reader, digest.Sum(nil), alg.options()); err != nil {
		return "", nil, err
	}
	if alg.family == familyECDSA {
		value = fixed(value, alg.curve)
	}
	if err := alg.check(s.Certificate.PublicKey, digest.Sum(nil), value); err != nil {
		return "", nil, jitsuin.Errorf(jitsuin.Invalid, "key-mismatch", "the key is not the one of the certificate: %w", err)
	}
	return protected, value, nil
}

// plain is a writer that needs no closing.
type plain struct{ io.Writer }

// Close implements io.Closer.
func (plain) Close() error { return nil }

// algorithm gives the algorithm of the key, or the one that was asked for where the key can make it.
func (s *Signer) algorithm() (string, algorithm, error) {
	if s.Key == nil || s.Certificate == nil {
		return "", algorithm{}, jitsuin.Errorf(jitsuin.Invalid, "signer", "a signer has a key and a certificate")
	}
	name, family := "", ""
	var curve elliptic.Curve
	switch key := s.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return "", algorithm{}, jitsuin.Errorf(jitsuin.Invalid, "weak-key", "an RSA key has %d to %d bits, not %d", minRSA, maxRSA, bits)
		}
		name, family = "RS256", familyRSA
	case *ecdsa.PublicKey:
		name, family, curve = map[elliptic.Curve]string{elliptic.P256(): "ES256", elliptic.P384(): "ES384"}[key.Curve], familyECDSA, key.Curve
	}
	if s.Alg != "" {
		name = s.Alg
	}
	a, ok := algorithms[name]
	if !ok || (a.family == familyECDSA) != (family == familyECDSA) || a.curve != curve {
		return "", algorithm{}, jitsuin.Errorf(jitsuin.Unsupported, "algorithm", "a key %s makes no signature %q", keyName(s.Certificate.PublicKey), name)
	}
	return name, a, nil
}

func (a algorithm) options() crypto.SignerOpts {
	if a.family == familyPSS {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: a.hash}
	}
	return a.hash
}

// fixed turns the DER of a crypto.Signer into R ‖ S; what is no such DER comes back as it is, and is
// then found not to fit.
func fixed(der []byte, curve elliptic.Curve) []byte {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	size := (curve.Params().BitSize + 7) / 8
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Integer(r) || !body.ReadASN1Integer(s) ||
		r.Sign() < 0 || s.Sign() < 0 || r.BitLen() > size*8 || s.BitLen() > size*8 {
		return der
	}
	value := make([]byte, 2*size)
	r.FillBytes(value[:size])
	s.FillBytes(value[size:])
	return value
}
