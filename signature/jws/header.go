package jws

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Signature is one signature of a message with its headers.
type Signature struct {
	Alg          string              // "" where the protected header names none
	Certificates []*x509.Certificate // x5c, the signer's first
	Unprotected  []string            // names in the header that nothing protects, sorted
	Value        []byte

	protected string // as it stands
	unencoded bool   // b64 is false
	sums      map[string][]byte
	jwk       json.RawMessage
	claimed   *time.Time
	faults    []cms.Check
}

// MaxCertificates is how many certificates of an x5c are read.
const MaxCertificates = 10

// understood are the extensions that "crit" may name. sigT is the claimed signing time of ETSI TS
// 119 182-1 §5.2.1.
var understood = []string{"b64", "sigT"}

// registered are names of RFC 7515 §4.1 and RFC 7518, which "crit" never names (RFC 7515 §4.1.11).
var registered = []string{"alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c"}

// newSignature reads the headers of one signature. protected is base64url and may be "".
func newSignature(protected string, unprotected map[string]json.RawMessage, value []byte) (*Signature, error) {
	s := &Signature{protected: protected, sums: map[string][]byte{}, Unprotected: slices.Sorted(maps.Keys(unprotected))}
	var err error
	if s.Value, err = decode("a signature value", value); err != nil {
		return nil, err
	}
	header := map[string]json.RawMessage{}
	if protected != "" {
		if len(protected) > encoding.EncodedLen(maxHeader) {
			return nil, malformed("a protected header has at most %d bytes", maxHeader)
		}
		raw, err := decode("a protected header", []byte(protected))
		if err != nil {
			return nil, err
		}
		if header, err = object("a protected header", raw); err != nil {
			return nil, err
		}
	}
	all := maps.Clone(header)
	for name, v := range unprotected {
		if _, twice := all[name]; twice { // RFC 7515 §7.2.1
			return nil, malformed("%q stands in both headers", name)
		}
		all[name] = v
	}
	if len(all) == 0 {
		return nil, malformed("a signature has no header")
	}
	if s.Alg, _, err = text("a protected header", header, "alg"); err != nil {
		return nil, err
	}
	s.critical(header, unprotected)
	s.b64(header, unprotected)
	if err := s.claim(header); err != nil {
		return nil, err
	}
	return s, s.certificates(all)
}

// bad notes a rule of the headers that is broken.
func (s *Signature) bad(what, expected, got string, f cms.Fault) {
	s.faults = append(s.faults, cms.Check{What: what, Expected: expected, Got: got, Fault: f})
}

// critical applies RFC 7515 §4.1.11.
func (s *Signature) critical(header, unprotected map[string]json.RawMessage) {
	const what = "critical-extensions"
	if _, ok := unprotected["crit"]; ok {
		s.bad(what, "in the protected header", "outside it", cms.FaultFormat)
	}
	raw, ok := header["crit"]
	if !ok {
		return
	}
	var names []string
	if json.Unmarshal(raw, &names) != nil || len(names) == 0 {
		s.bad(what, "a list of names", "something else", cms.FaultFormat)
		return
	}
	for i, name := range names {
		switch _, there := header[name]; {
		case slices.Contains(names[:i], name), slices.Contains(registered, name), !there:
			s.bad(what, "names of extensions that are there, each once", name, cms.FaultFormat)
		case !slices.Contains(understood, name):
			s.bad(what, "extensions that are understood", name, cms.FaultUnsupported)
		}
	}
}

// b64 applies RFC 7797 §3 and §6; without "crit" a reader of another make would take other bytes for signed.
func (s *Signature) b64(header, unprotected map[string]json.RawMessage) {
	const what = "payload-encoding"
	if _, ok := unprotected["b64"]; ok {
		s.bad(what, "b64 in the protected header", "outside it", cms.FaultFormat)
	}
	raw, ok := header["b64"]
	if !ok {
		return
	}
	var encoded *bool
	if json.Unmarshal(raw, &encoded) != nil || encoded == nil {
		s.bad(what, "true or false", "something else", cms.FaultFormat)
		return
	}
	s.unencoded = !*encoded
	var names []string
	if s.unencoded && (json.Unmarshal(header["crit"], &names) != nil || !slices.Contains(names, "b64")) {
		s.bad(what, "b64 named as critical", "not named", cms.FaultFormat)
	}
}

// claim reads when the signer says that it was signed.
func (s *Signature) claim(header map[string]json.RawMessage) error {
	at, present, err := text("a protected header", header, "sigT")
	if err != nil || !present {
		return err
	}
	t, err := time.Parse("2006-01-02T15:04:05Z", at)
	if err != nil {
		s.bad("signing-time-form", "date and time in UTC (RFC 3339)", "something else", cms.FaultFormat)
		return nil
	}
	s.claimed = &t
	return nil
}

// certificates reads what the headers say of the signer's certificate.
func (s *Signature) certificates(all map[string]json.RawMessage) error {
	for _, name := range []string{"x5t", "x5t#S256"} {
		sum, present, err := text("a header", all, name)
		if err != nil {
			return err
		}
		if present {
			if s.sums[name], err = decode("a thumbprint", []byte(sum)); err != nil {
				return err
			}
		}
	}
	s.jwk = all["jwk"]
	raw, ok := all["x5c"]
	if !ok {
		return nil
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || len(list) > MaxCertificates {
		return malformed("x5c is a list of 1 to %d certificates", MaxCertificates)
	}
	for _, one := range list {
		der, err := base64.StdEncoding.Strict().DecodeString(one) // RFC 7515 §4.1.6: not base64url
		if err != nil || strings.ContainsAny(one, "\r\n") {
			return malformed("x5c has something that is not base64")
		}
		c, err := cert.Parse(der)
		if err != nil {
			return malformed("x5c has something that is no certificate")
		}
		s.Certificates = append(s.Certificates, c)
	}
	return nil
}

// Claimed gives the time at which the signer says that the signature was made (sigT), nil for none.
func (s *Signature) Claimed() *time.Time { return s.claimed }
