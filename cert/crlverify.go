package cert

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Times says how instants are judged when an answer about status is read.
type Times struct {
	At     time.Time     // the instant asked about; no answer holds for one after Now
	Now    time.Time     // when the answer is read; zero means At. Nothing made after Now is believed
	Skew   time.Duration // how far clocks may differ
	MaxAge time.Duration // if positive, the answer must not be older than this at At, whatever it promises
}

// now is when the answer is read.
func (t Times) now() time.Time {
	if t.Now.IsZero() {
		return t.At
	}
	return t.Now
}

// check judges thisUpdate and nextUpdate. Stale is for an answer whose time is over, else why says what is wrong.
// A source without nextUpdate is usable only under a MaxAge.
func (t Times) check(thisUpdate, nextUpdate time.Time) (stale bool, why string) {
	now := t.now()
	switch {
	case thisUpdate.After(now.Add(t.Skew)):
		return false, "it was made later than now"
	case !nextUpdate.IsZero() && nextUpdate.Before(thisUpdate):
		return false, "it ends before it begins"
	case !nextUpdate.IsZero() && t.At.After(nextUpdate.Add(t.Skew)):
		return true, "it ended at " + stamp(nextUpdate)
	case t.MaxAge > 0 && t.At.Sub(thisUpdate) > t.MaxAge:
		return true, "it was made too long ago, at " + stamp(thisUpdate)
	case nextUpdate.IsZero() && t.MaxAge <= 0:
		return true, "it does not say how long it holds"
	case t.At.After(now.Add(t.Skew)):
		return false, "nobody knows yet what will be at the instant asked about"
	}
	return false, ""
}

// Verify checks that ca made the list: its name, its key identifier where the list has one, cRLSign,
// and the signature with its key. Whether ca is to be trusted at all is path validation's matter. The error is of kind Invalid with the code "crl-signature".
func (c *CRL) Verify(ca *x509.Certificate, a Algorithms) error { return c.verify(ca, a, false) }

// verify with others lets somebody who is no CA sign, if the key usage says cRLSign: the issuer of an indirect list.
func (c *CRL) verify(ca *x509.Certificate, a Algorithms, others bool) error {
	switch {
	case ca == nil || !SameName(c.RawIssuer, ca.RawSubject):
		return crlSignature("the list is another issuer's")
	case ca.BasicConstraintsValid && !ca.IsCA && !(others && ca.KeyUsage&x509.KeyUsageCRLSign != 0):
		return crlSignature("its issuer is not a certification authority")
	case ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCRLSign == 0:
		return crlSignature("the key usage of its issuer has no cRLSign")
	case len(c.AuthorityKeyID) > 0 && len(ca.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyID, ca.SubjectKeyId):
		return crlSignature("the list was made with another key of an issuer of this name")
	}
	if err := a.Verify(ca.PublicKey, c.Algorithm, c.RawTBS, c.Signature); err != nil {
		return crlSignature("its signature does not verify: %w", err)
	}
	return nil
}

func crlSignature(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "crl-signature", format, args...)
}

// Status answers for cert from a list that Verify has accepted for its issuer's name (RFC 5280 §6.3.3). Lists
// that are out of date, out of scope (another municipality's partition, other kinds of certificates, some
// reasons only), indirect, or with critical extensions that are not understood answer Unknown; so does a
// list made after the certificate expired that does not name it, since lists forget.
// Which points to take a partition from is read in the certificate; points adds names of GeneralName
// URIs from which the caller knows that the certificate's list comes.
func (c *CRL) Status(cert *x509.Certificate, t Times, points ...string) Status {
	st := Status{State: Unknown, Source: SourceCRL, ThisUpdate: c.ThisUpdate, NextUpdate: c.NextUpdate}
	if stale, why := t.check(c.ThisUpdate, c.NextUpdate); why != "" {
		st.Stale, st.Why = stale, "the revocation list is not usable: "+why
		return st
	}
	if err := c.covers(cert, points); err != nil {
		st.Why = err.Error()
		return st
	}
	e, found := c.Lookup(cert.SerialNumber)
	switch {
	case found:
		st.State, st.RevokedAt, st.Reason = Revoked, e.RevokedAt, e.Reason
		return JudgeAt(st, t.At)
	case c.ThisUpdate.After(cert.NotAfter):
		st.Why = "the revocation list was made after the certificate expired and may have dropped it"
	default:
		st.State = Good
	}
	return st
}

// covers tells whether the list's scope includes cert.
func (c *CRL) covers(cert *x509.Certificate, points []string) error {
	switch {
	case !SameName(c.RawIssuer, cert.RawIssuer):
		return errors.New("the revocation list is another issuer's")
	case c.unusable != "":
		return errors.New("the revocation list is not usable: " + c.unusable)
	case c.base != nil:
		return errors.New("the revocation list is a delta, which answers for nothing alone")
	case c.scope == nil:
		return nil
	}
	s := c.scope
	if s.indirect || s.hasReasons || s.relative != nil {
		return errors.New("the revocation list is indirect or partial in a way that is not accepted")
	}
	if why := s.excludes(cert.IsCA); why != "" {
		return errors.New(why)
	}
	if s.names == nil {
		return nil
	}
	own := pointsOf(cert)
	for _, have := range s.names {
		for _, p := range own {
			if len(p.issuers) == 0 && !p.hasReasons && slices.ContainsFunc(p.names, have.equal) {
				return nil
			}
		}
		for _, uri := range points {
			if have.tag == nameURI && string(have.value) == uri {
				return nil
			}
		}
	}
	return errors.New("the revocation list is another distribution point's")
}

// pointsOf gives the certificate's distribution points; none where they are malformed.
func pointsOf(cert *x509.Certificate) []distributionPoint {
	value, ok := extensionValue(cert, oidCRLDP)
	if !ok {
		return nil
	}
	list, _ := parsePoints(value)
	return list
}
