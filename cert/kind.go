package cert

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"github.com/jitsuin/jitsuin"
)

// Certificate policies. The arc is 1.2.392.200149.8.5.1.
var (
	policySign           = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 20} // class 20, digital signature
	policyAuth           = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 3, 30} // class 30, authentication
	policySignMobile     = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 40} // on phones; reported second-hand
	policySignTest       = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 20} // the test environment's
	policyAuthTest       = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 30} // this project's choice for the sandbox
	policySignMobileTest = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 21} // likewise
	policyAuthMobileTest = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 31} // likewise
)

// Key usages of the two kinds (RFC 5280 §4.2.1.3), exactly these bits.
const (
	usageSign = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	usageAuth = x509.KeyUsageDigitalSignature
	usageCA   = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
)

// KindOf tells whether c is a signature or an authentication certificate of the JPKI profiles: by its
// policy OID and its exact key usage, never by a name. ok is false for every other certificate,
// also for a CA's and for one whose policy and key usage do not go together.
func KindOf(c *x509.Certificate) (kind jitsuin.CertKind, ok bool) {
	if c == nil || c.IsCA {
		return "", false
	}
	kind, ok = policyKind(c)
	if !ok || c.KeyUsage != usageOf(kind) {
		return "", false
	}
	return kind, true
}

// usageOf gives the key usage that a kind must have.
func usageOf(kind jitsuin.CertKind) x509.KeyUsage {
	if kind == jitsuin.SignCert {
		return usageSign
	}
	return usageAuth
}

// policyKind looks at the policies alone; a certificate with policies of both kinds has none.
func policyKind(c *x509.Certificate) (kind jitsuin.CertKind, ok bool) {
	for _, p := range c.PolicyIdentifiers {
		k := jitsuin.AuthCert
		switch {
		case p.Equal(policySign), p.Equal(policySignTest), p.Equal(policySignMobile), p.Equal(policySignMobileTest):
			k = jitsuin.SignCert
		case p.Equal(policyAuth), p.Equal(policyAuthTest), p.Equal(policyAuthMobileTest):
		default:
			continue
		}
		if ok && k != kind {
			return "", false
		}
		kind, ok = k, true
	}
	return kind, ok
}

// OnPhone tells whether c, a certificate of one of the two kinds, is for a telephone (移動端末設備用電子証明書): by its policy.
func OnPhone(c *x509.Certificate) bool {
	if _, ok := KindOf(c); !ok {
		return false
	}
	return slices.ContainsFunc(c.PolicyIdentifiers, func(p asn1.ObjectIdentifier) bool {
		return p.Equal(policySignMobile) || p.Equal(policySignMobileTest) || p.Equal(policyAuthMobileTest)
	})
}
