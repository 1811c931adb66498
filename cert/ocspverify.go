package cert

import (
	"bytes"
	"crypto/x509"
	"slices"

	"github.com/jitsuin/jitsuin"
)

// OCSPCheck says how a response is judged.
type OCSPCheck struct {
	Times
	Nonce           []byte // of the request; nil if it had none
	NonceRequired   bool   // refuse a response that does not echo it; a wrong echo is always refused
	NoCheckRequired bool   // refuse a delegated responder without id-pkix-ocsp-nocheck
	Algorithms      Algorithms
	// Responder, if not nil, is asked for the status of a delegated responder without id-pkix-ocsp-nocheck; one that is
	// revoked answers for nobody. One whose status is unknown does, since an authority may leave that open.
	Responder func(*x509.Certificate) Status
}

func ocspUntrusted(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "ocsp-signature", "the OCSP response is not usable: "+format, args...)
}

// Verify checks who made the response (RFC 6960 §3.2, §4.2.2.2): the issuer's own key, or a responder whose
// certificate that same key signed, that has the extended key usage OCSPSigning, and is valid at ProducedAt and
// not expired at o.At, nor at o.Now where a nonce was sent (or an old key could answer for today);
// that the responder named is the one that signed; and that every answer is about a certificate of issuer, by
// the hashes of its name and key. It says nothing about times. The error is of kind Invalid, "ocsp-signature".
func (r *OCSPResponse) Verify(issuer *x509.Certificate, o OCSPCheck) error {
	signer, err := r.signer(issuer, o)
	if err != nil {
		return err
	}
	if err := o.Algorithms.Verify(signer.PublicKey, r.Algorithm, r.RawTBS, r.Signature); err != nil {
		return ocspUntrusted("its signature does not verify: %w", err)
	}
	switch {
	case r.unusable != "":
		return ocspUntrusted("%s", r.unusable)
	case len(r.Singles) == 0:
		return ocspUntrusted("it answers nothing")
	}
	for _, s := range r.Singles {
		if !s.ID.ByIssuer(issuer) {
			return ocspUntrusted("it is about a certificate of another issuer")
		}
	}
	switch {
	case r.Nonce == nil && o.Nonce != nil && o.NonceRequired:
		return ocspUntrusted("it does not echo the nonce")
	case r.Nonce != nil && o.Nonce != nil && !bytes.Equal(r.Nonce, o.Nonce):
		return ocspUntrusted("it echoes another nonce")
	}
	return nil
}

// signer finds the certificate that the responder ID names and that may answer for issuer.
func (r *OCSPResponse) signer(issuer *x509.Certificate, o OCSPCheck) (*x509.Certificate, error) {
	if issuer == nil {
		return nil, ocspUntrusted("the issuer is not known")
	}
	if r.names(issuer) {
		return issuer, nil
	}
	for _, c := range r.Certificates {
		if !r.names(c) {
			continue
		}
		if bytes.Equal(c.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo) && SameName(c.RawSubject, issuer.RawSubject) {
			return issuer, nil
		}
		if err := r.delegated(c, issuer, o); err != nil {
			return nil, err
		}
		return c, nil
	}
	return nil, ocspUntrusted("no certificate of the responder that it names is at hand")
}

func (r *OCSPResponse) names(c *x509.Certificate) bool {
	if r.name != nil {
		return SameName(r.name, c.RawSubject)
	}
	key, ok := responderKey(c)
	return ok && bytes.Equal(key, r.keyHash)
}

// delegated checks the certificate of a responder.
func (r *OCSPResponse) delegated(c, issuer *x509.Certificate, o OCSPCheck) error {
	_, noCheck := extensionValue(c, oidNoCheck)
	d, problem := readDetails(c, false)
	switch {
	case problem != "":
		return ocspUntrusted("its responder's certificate is malformed: %s", problem)
	case !SameName(c.RawIssuer, issuer.RawSubject):
		return ocspUntrusted("its responder's certificate is from another issuer")
	case !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return ocspUntrusted("its responder is not entitled to sign: no OCSPSigning")
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return ocspUntrusted("the key usage of its responder has no digitalSignature")
	case c.IsCA:
		return ocspUntrusted("its responder's certificate is a CA's")
	case d.unprocessed():
		return ocspUntrusted("its responder's certificate has a critical extension that is not understood")
	case r.ProducedAt.Before(c.NotBefore) || r.ProducedAt.After(c.NotAfter) || o.At.After(c.NotAfter),
		o.Nonce != nil && o.now().After(c.NotAfter):
		return ocspUntrusted("its responder's certificate was not valid when it was made, or is not any more")
	case o.NoCheckRequired && !noCheck:
		return ocspUntrusted("its responder's own status would have to be checked")
	}
	if err := o.Algorithms.Verify(issuer.PublicKey, c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
		return ocspUntrusted("its responder's certificate was not made by the issuer's key: %w", err)
	}
	if !noCheck && o.Responder != nil {
		if st := JudgeAt(o.Responder(c), o.At); st.State == Revoked {
			return ocspUntrusted("its responder's certificate is revoked")
		}
	}
	return nil
}

// Status verifies the response and reads the answer for cert. Everything that is not a verified,
// timely answer about this very certificate is Unknown with Why; so is Good said after the certificate
// expired, because records of revocation are kept to the certificate's last day only.
func (r *OCSPResponse) Status(cert, issuer *x509.Certificate, o OCSPCheck) Status {
	st := Status{State: Unknown, Source: SourceOCSP}
	if err := r.Verify(issuer, o); err != nil {
		st.Why = err.Error()
		return st
	}
	if r.ProducedAt.After(o.now().Add(o.Skew)) {
		st.Why = "the OCSP response is not usable: it was made later than now"
		return st
	}
	if r.ProducedAt.Before(cert.NotBefore) {
		st.Why = "the OCSP response is not usable: it was made before the certificate was in force"
		return st
	}
	found := false
	for _, s := range r.Singles {
		if s.ID.Serial.Cmp(cert.SerialNumber) != 0 {
			continue
		}
		if one := s.status(cert, o); !found || worse(one, st) {
			st, found = one, true
		}
	}
	if !found {
		st.Why = "the OCSP response is not about this certificate"
	}
	return st
}

// worse orders answers about one certificate in one response: revoked before unknown before good.
func worse(a, b Status) bool {
	weight := map[State]int{Revoked: 2, Unknown: 1}
	return weight[a.State] > weight[b.State]
}

// status reads one answer of a response that was verified.
func (s OCSPSingle) status(cert *x509.Certificate, o OCSPCheck) Status {
	st := Status{State: Unknown, Source: SourceOCSP, ThisUpdate: s.ThisUpdate, NextUpdate: s.NextUpdate}
	if stale, why := o.check(s.ThisUpdate, s.NextUpdate); why != "" {
		st.Stale, st.Why = stale, "the OCSP response is not usable: "+why
		return st
	}
	st.State, st.RevokedAt, st.Reason = s.State, s.RevokedAt, s.Reason
	if st.State == Unknown {
		st.Why = "the status service does not know the certificate"
		return st
	}
	if st.State == Good && s.ThisUpdate.After(cert.NotAfter) {
		st.State, st.Why = Unknown, "the status service was asked after the certificate expired and may have forgotten it"
		return st
	}
	return JudgeAt(st, o.At)
}
