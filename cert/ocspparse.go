package cert

import (
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// OCSPResponse is a parsed basic response. ParseOCSPResponse has checked its form, but no signature: see Verify.
type OCSPResponse struct {
	RawTBS       []byte
	Algorithm    x509.SignatureAlgorithm
	Signature    []byte
	ProducedAt   time.Time
	Singles      []OCSPSingle
	Nonce        []byte
	Certificates []*x509.Certificate

	keyHash  []byte // responder ID, one of the two
	name     []byte
	unusable string
}

const maxOCSPCertificates = 8

// ParseOCSPResponse reads a DER OCSPResponse of at most 64 KiB. A response that is an error (tryLater, unauthorized …)
// gives an error of kind Unavailable with the code "ocsp-STATUS"; anything malformed is Invalid, "ocsp-form".
func ParseOCSPResponse(der []byte) (*OCSPResponse, error) {
	in := cryptobyte.String(der)
	var outer, wrapped, typed, oid, octets cryptobyte.String
	var code int
	if len(der) > maxOCSPResponse || !strictDER(der, maxDepth) || !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Enum(&code) {
		return nil, ocspError("not an OCSP response of at most %d octets", maxOCSPResponse)
	}
	if s := OCSPStatus(code); s != OCSPSuccessful {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "ocsp-"+s.String(), "the status service answers %s", s)
	}
	if !outer.ReadASN1(&wrapped, explicit(0)) || !outer.Empty() || !wrapped.ReadASN1(&typed, cbasn1.SEQUENCE) || !wrapped.Empty() ||
		!typed.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) || !typed.ReadASN1(&octets, cbasn1.OCTET_STRING) || !typed.Empty() {
		return nil, ocspError("the OCSP response is malformed")
	}
	if string(oid) != oidBasicDER {
		return nil, ocspError("the OCSP response is of a type that is not understood")
	}
	r := &OCSPResponse{}
	if err := r.parseBasic(octets); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *OCSPResponse) parseBasic(in cryptobyte.String) error {
	if !strictDER(in, maxDepth) {
		return ocspError("the basic OCSP response is not one DER value")
	}
	var basic, tbs, alg, certs, body cryptobyte.String
	var present bool
	if !in.ReadASN1(&basic, cbasn1.SEQUENCE) || !in.Empty() || !basic.ReadASN1Element(&tbs, cbasn1.SEQUENCE) ||
		!basic.ReadASN1Element(&alg, cbasn1.SEQUENCE) || !basic.ReadASN1BitStringAsBytes(&r.Signature) ||
		!basic.ReadOptionalASN1(&certs, &present, explicit(0)) || !basic.Empty() {
		return ocspError("the basic OCSP response is malformed")
	}
	r.RawTBS, r.Algorithm = tbs, signatureAlgorithm(alg)
	if present {
		if err := r.parseCertificates(certs); err != nil {
			return err
		}
	}
	tbs.ReadASN1(&body, cbasn1.SEQUENCE) // was read as an element above
	return r.parseData(body)
}

// firstVersion reads [0] version v1, which DER would leave out and some write.
func firstVersion(in *cryptobyte.String) bool {
	var wrapped cryptobyte.String
	var v int
	return in.ReadASN1(&wrapped, explicit(0)) && wrapped.ReadASN1Integer(&v) && wrapped.Empty() && v == 0
}

func (r *OCSPResponse) parseCertificates(certs cryptobyte.String) error {
	var list cryptobyte.String
	if !certs.ReadASN1(&list, cbasn1.SEQUENCE) || !certs.Empty() {
		return ocspError("the certificates of the OCSP response are malformed")
	}
	for !list.Empty() {
		var one cryptobyte.String
		if len(r.Certificates) == maxOCSPCertificates || !list.ReadASN1Element(&one, cbasn1.SEQUENCE) {
			return ocspError("the certificates of the OCSP response are malformed or too many")
		}
		c, err := Parse(one)
		if err != nil {
			return ocspError("a certificate of the OCSP response: %w", err)
		}
		r.Certificates = append(r.Certificates, c)
	}
	return nil
}

func (r *OCSPResponse) parseData(body cryptobyte.String) error {
	var id, list, exts cryptobyte.String
	var present bool
	if body.PeekASN1Tag(explicit(0)) && !firstVersion(&body) || !r.parseResponder(&body) || !readGeneralized(&body, &r.ProducedAt) || !body.ReadASN1(&list, cbasn1.SEQUENCE) ||
		!body.ReadOptionalASN1(&exts, &present, explicit(1)) || !body.Empty() {
		return ocspError("the data of the OCSP response are malformed")
	}
	if present {
		var critical, ok bool
		if r.Nonce, critical, ok = readNonceExtensions(exts); !ok {
			return ocspError("the extensions of the OCSP response are malformed")
		}
		if critical {
			r.unusable = "a critical extension is not understood"
		}
	}
	for !list.Empty() {
		if len(r.Singles) == maxOCSPSingles || !list.ReadASN1(&id, cbasn1.SEQUENCE) || !r.parseSingle(id) {
			return ocspError("an answer in the OCSP response is malformed")
		}
	}
	return nil
}

func (r *OCSPResponse) parseResponder(body *cryptobyte.String) bool {
	var id, hash cryptobyte.String
	if body.PeekASN1Tag(explicit(1)) {
		ok := body.ReadASN1(&id, explicit(1))
		r.name = id
		return ok && len(id) > 0
	}
	ok := body.ReadASN1(&id, explicit(2)) && id.ReadASN1(&hash, cbasn1.OCTET_STRING) && id.Empty() && len(hash) == 20
	r.keyHash = hash
	return ok
}

func readGeneralized(in *cryptobyte.String, to *time.Time) (ok bool) {
	if in.PeekASN1Tag(cbasn1.GeneralizedTime) {
		*to, ok = readTime(in)
	}
	return ok
}

func (r *OCSPResponse) parseSingle(in cryptobyte.String) bool {
	var s OCSPSingle
	var ok, present bool
	var next, exts cryptobyte.String
	if s.ID, ok = readCertID(&in); !ok || !s.readState(&in) || !readGeneralized(&in, &s.ThisUpdate) ||
		!in.ReadOptionalASN1(&next, &present, explicit(0)) {
		return false
	}
	if present && (!readGeneralized(&next, &s.NextUpdate) || !next.Empty()) {
		return false
	}
	if !in.ReadOptionalASN1(&exts, &present, explicit(1)) || !in.Empty() {
		return false
	}
	if present {
		_, critical, ok := readNonceExtensions(exts)
		if !ok {
			return false
		}
		if critical {
			r.unusable = "a critical extension of an answer is not understood"
		}
	}
	r.Singles = append(r.Singles, s)
	return true
}

// readState reads CertStatus.
func (s *OCSPSingle) readState(in *cryptobyte.String) bool {
	var body, reason cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&body, &tag) {
		return false
	}
	switch tag {
	case implicit(0):
		s.State = Good
		return body.Empty()
	case implicit(2):
		s.State = Unknown
		return body.Empty()
	case explicit(1):
		s.State, s.Reason = Revoked, jitsuin.ReasonUnspecified
	default:
		return false
	}
	var present bool
	if !readGeneralized(&body, &s.RevokedAt) || !body.ReadOptionalASN1(&reason, &present, explicit(0)) || !body.Empty() {
		return false
	}
	if present {
		var code int
		if !reason.ReadASN1Enum(&code) || !reason.Empty() || code < 0 || code == 7 || code > 10 {
			return false
		}
		if name, ok := jitsuin.ReasonOf(code); ok {
			s.Reason = name
		}
	}
	return true
}
