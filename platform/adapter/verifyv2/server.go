package verifyv2

import (
	"context"
	"crypto"
	"crypto/x509"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/platform/adapter"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// Path is where the API begins; clients are given it as base URL.
const Path = "/adapters/verify-v2/"

// Server translates the API. Problem answers an error in Connect's form, with what a caller may see.
type Server struct {
	Desk    adapter.Desk
	Problem func(w http.ResponseWriter, r *http.Request, err error)
}

// Routes gives the handlers by path. Methods of the API that are not among them are answered with "unimplemented".
func (s *Server) Routes() map[string]http.Handler {
	const pkg = Path + "pocketsign.verify.v2."
	return map[string]http.Handler{
		pkg + "VerificationService/Verify":                s.unary(s.verify),
		pkg + "VerificationService/GetVerification":       s.unary(s.getVerification),
		pkg + "UserService/GetUser":                       s.unary(s.found("userId")),
		pkg + "UserService/CheckUserStatus":               s.unary(s.stands("userId")),
		pkg + "CertificateService/GetCertificate":         s.unary(s.found("certificateId")),
		pkg + "CertificateService/CheckCertificateStatus": s.unary(s.stands("certificateId")),
		Path + "{service}/{method}": s.unary(func(context.Context, message) (any, error) {
			return nil, jitsuin.Errorf(jitsuin.Unsupported, "method", "this method of the API is not provided here").
				WithHint("records end on the day that the law names and are not deleted on request; for lists, and for the latest items, use the platform's own API at /openapi.json")
		}),
	}
}

var hashes = map[string]crypto.Hash{"HASH_ALGORITHM_SHA256": crypto.SHA256, "HASH_ALGORITHM_SHA384": crypto.SHA384, "HASH_ALGORITHM_SHA512": crypto.SHA512}

func hashName(h crypto.Hash) string {
	for name, known := range hashes {
		if known == h {
			return name
		}
	}
	return "HASH_ALGORITHM_UNSPECIFIED"
}

// checkMethods are what a caller may wish; how the platform asks is settled for the tenant, and the answer tells it.
var checkMethods = map[string]bool{"CHECK_METHOD_UNSPECIFIED": true, "CHECK_METHOD_CRL": true, "CHECK_METHOD_OCSP": true}

// signed reads what Verify is given.
func signed(in message) (s adapter.Signed, kind jitsuin.CertKind, err error) {
	der, err := in.octets("certificate")
	if err == nil {
		s.Value, err = in.octets("signature")
	}
	if err == nil {
		s.Digest, err = in.octets("digest")
	}
	var hash, way string
	if err == nil {
		hash, err = in.word("hashAlgorithm", "HASH_ALGORITHM_UNSPECIFIED")
	}
	if err == nil {
		way, err = in.word("checkMethod", "CHECK_METHOD_UNSPECIFIED")
	}
	if err != nil {
		return s, "", err
	}
	s.Hash = hashes[hash]
	switch {
	case s.Hash == 0:
		return s, "", wrong("hashAlgorithm", "HASH_ALGORITHM_SHA256, HASH_ALGORITHM_SHA384 or HASH_ALGORITHM_SHA512")
	case len(s.Digest) != s.Hash.Size():
		return s, "", jitsuin.Errorf(jitsuin.Invalid, "digest-length", "the digest has %d bytes and not the %d of its algorithm", len(s.Digest), s.Hash.Size()).At("digest")
	case len(s.Value) == 0:
		return s, "", wrong("signature", "there")
	case !checkMethods[way]:
		return s, "", wrong("checkMethod", "CHECK_METHOD_CRL or CHECK_METHOD_OCSP")
	}
	if s.Certificate, err = cert.Parse(der); err != nil {
		return s, "", jitsuin.Errorf(jitsuin.Invalid, "certificate-form", "the certificate is no X.509 certificate in DER").At("certificate")
	}
	kind, ok := cert.KindOf(s.Certificate)
	if !ok {
		return s, "", jitsuin.Errorf(jitsuin.Invalid, "certificate-kind", "the certificate is none of the public personal authentication system").At("certificate")
	}
	return s, kind, nil
}

func (s *Server) verify(ctx context.Context, in message) (any, error) {
	given, kind, err := signed(in)
	if err != nil {
		return nil, err
	}
	identify, err := in.flag("identifyUser")
	if err != nil {
		return nil, err
	}
	scope, check := api.ScopeVerify, s.Desk.Document
	if kind == jitsuin.AuthCert {
		scope, check = api.ScopeLegacyNonce, s.Desk.Nonce
	}
	if err := adapter.Need(ctx, scope); err != nil {
		return nil, err
	}
	who := adapter.Unnamed
	if identify {
		who = adapter.Anybody
	}
	o, err := check(adapter.Once(ctx), given, who)
	if err != nil {
		return nil, err
	}
	result, err := resultOf(o.Report)
	if err != nil {
		return nil, err
	}
	o.Value = given.Value
	out := verified{Verification: verificationOf(o, result), Certificate: certificateOf(o.Certificate), Status: statusOf(o, purposeVerify)}
	if result == resultOK {
		out.Content, err = contentOf(given.Certificate, kind)
	}
	if o.User != nil {
		out.User, out.IsNewUser = userOf(o), o.User.New
	}
	return out, err
}

const resultOK = "RESULT_OK"

// resultOf says the report in the API's words. What cannot be decided is an error, as it is there.
func resultOf(r signature.Report) (string, error) {
	switch r.SubIndication {
	case signature.SigCryptoFailure, signature.HashFailure:
		return "RESULT_SIGNATURE_MISMATCH", nil
	case signature.Revoked:
		return "RESULT_CERTIFICATE_REVOKED", nil
	case signature.Expired:
		return "RESULT_CERTIFICATE_EXPIRED", nil
	case signature.TryLater:
		return "", jitsuin.Errorf(jitsuin.Unavailable, "status-unknown", "the status of the certificate cannot be had now").WithHint("try again later; nothing was accepted")
	}
	if r.Verdict == signature.Passed {
		return resultOK, nil
	}
	why := "the certificate is not one that is accepted here"
	if len(r.Reasons) > 0 {
		why = r.Reasons[0].EN
	}
	return "", jitsuin.Errorf(jitsuin.Invalid, "chain", "%s", why).At("certificate")
}

func (s *Server) id(in message, name string) (jitsuin.ID, error) {
	text, err := in.text(name)
	if err != nil {
		return "", err
	}
	id, err := jitsuin.ParseID(text)
	if err != nil {
		return "", jitsuin.Errorf(jitsuin.NotFound, "subject-unknown", "there is no such %s of yours", name)
	}
	return id, nil
}

func (s *Server) getVerification(ctx context.Context, in message) (any, error) {
	id, err := s.id(in, "verificationId")
	if err != nil {
		return nil, err
	}
	o, err := s.Desk.Check(ctx, id)
	if err != nil {
		return nil, err
	}
	result, err := resultOf(o.Report)
	if err != nil {
		result = "RESULT_UNSPECIFIED" // it was told then; the check itself decided nothing
	}
	out := verified{Verification: verificationOf(o, result), Certificate: certificateOf(o.Certificate), Status: statusOf(o, purposeVerify)}
	if o.User != nil {
		out.User = userOf(o)
	}
	return out, nil
}

// subject reads the id of a user or a certificate; the other is "".
func (s *Server) subject(ctx context.Context, in message, member string) (user, certificate jitsuin.ID, err error) {
	if err := adapter.Need(ctx, api.ScopeVerify); err != nil {
		return "", "", err
	}
	id, err := s.id(in, member)
	if member == "userId" {
		return id, "", err
	}
	return "", id, err
}

// found serves GetUser and GetCertificate.
func (s *Server) found(member string) method {
	return func(ctx context.Context, in message) (any, error) {
		user, certificate, err := s.subject(ctx, in, member)
		if err != nil {
			return nil, err
		}
		o, err := s.Desk.Find(ctx, user, certificate)
		if err != nil {
			return nil, err
		}
		return standing{User: userOf(o), Certificate: certificateOf(o.Certificate)}, nil
	}
}

// stands serves CheckUserStatus and CheckCertificateStatus.
func (s *Server) stands(member string) method {
	return func(ctx context.Context, in message) (any, error) {
		user, certificate, err := s.subject(ctx, in, member)
		if err != nil {
			return nil, err
		}
		at, err := s.Desk.Standing(adapter.Once(ctx), user, certificate)
		if err != nil {
			return nil, err
		}
		o, err := s.Desk.Check(ctx, at.Verification)
		if err != nil {
			return nil, err
		}
		return standing{Certificate: certificateOf(o.Certificate), User: userOf(o), State: word("STATE_", at.Status), Status: livenessOf(at)}, nil
	}
}

// contentOf tells what a certificate says, which the caller has just sent: once, in this answer.
func contentOf(c *x509.Certificate, kind jitsuin.CertKind) (*content, error) {
	out := &content{Subject: c.Subject.String(), Validity: validity{stamp(c.NotBefore), stamp(c.NotAfter)}}
	if len(c.CRLDistributionPoints) > 0 {
		out.CRL = c.CRLDistributionPoints[0]
	}
	if kind == jitsuin.AuthCert {
		out.Auth = &struct{}{}
		return out, nil
	}
	items, err := cert.ItemsOf(c)
	if err != nil {
		return nil, err
	}
	out.Sign = &signContent{Name: items.Name, NameMask: items.NameSubstitutes, Gender: items.SexText(), Birth: items.BirthText(),
		Address: items.Address, AddressMask: items.AddressSubstitutes}
	return out, nil
}
