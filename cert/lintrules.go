package cert

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func lintSelfSigned(c *x509.Certificate) string {
	if !bytes.Equal(c.RawSubject, c.RawIssuer) {
		return "issuer and subject of a CA certificate are the same"
	}
	err := Algorithms{}.Verify(c.PublicKey, c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	return when(err != nil, "a CA certificate is signed with its own key")
}

// usageRule demands exactly these bits in a critical extension.
func usageRule(want x509.KeyUsage) func(*x509.Certificate) string {
	return func(c *x509.Certificate) string {
		return when(c.KeyUsage != want || !isCritical(c, oidKeyUsage), "the key usage must be critical and have the profile's bits and no others")
	}
}

func isCritical(c *x509.Certificate, id []int) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(id) && e.Critical })
}

func lintBasicConstraints(c *x509.Certificate) string {
	return when(!c.BasicConstraintsValid || !c.IsCA || c.MaxPathLen >= 0 && (c.MaxPathLen > 0 || c.MaxPathLenZero) || !isCritical(c, oidBasic),
		"basicConstraints must be critical, say CA and limit no path")
}

func lintOwnPoint(c *x509.Certificate) string {
	points := fullNames(c)
	return when(len(points) != 1 || points[0].tag != explicit(4) || !bytes.Equal(points[0].value, c.RawSubject),
		"the distribution point of a CA certificate is the CA's own name")
}

// fullNames gives the names of the distribution points that say nothing else.
func fullNames(c *x509.Certificate) (names []generalName) {
	for _, p := range pointsOf(c) {
		if len(p.issuers) == 0 && !p.hasReasons {
			names = append(names, p.names...)
		}
	}
	return names
}

// orderRule demands exactly these extensions in this order.
func orderRule(want ...string) func(*x509.Certificate) string {
	return func(c *x509.Certificate) string {
		var have []string
		for _, e := range c.Extensions {
			have = append(have, e.Id.String())
		}
		return when(!slices.Equal(have, want), "the extensions must be those of the profile in its order")
	}
}

// lintPoint demands a directoryName C, O, OU, OU=CRL Distribution Points, OU, CN.
func lintPoint(c *x509.Certificate) string {
	points := fullNames(c)
	if len(points) != 1 || points[0].tag != explicit(4) {
		return "there must be one distribution point with a directoryName"
	}
	rdns, ok := readName(points[0].value)
	fits := ok && len(rdns) == 6 && rdns[3].value == "CRL Distribution Points" && rdns[5].attr.Equal(attrCommon)
	return when(!fits, "the distribution point must be the municipality's")
}

func lintPolicy(c *x509.Certificate) string {
	return when(len(c.PolicyIdentifiers) != 1 || !isCritical(c, oidPolicies), "there must be one certificate policy, and critical")
}

func kindRule(want jitsuin.CertKind) func(*x509.Certificate) string {
	return func(c *x509.Certificate) string {
		kind, ok := KindOf(c)
		return when(!ok || kind != want, "policy and key usage are not those of the kind")
	}
}

// subjectRule demands these attribute types in this order.
func subjectRule(want ...string) func(*x509.Certificate) string {
	return func(c *x509.Certificate) string {
		rdns, ok := readName(c.RawSubject)
		if !ok || len(rdns) != len(want) {
			return "the subject does not have the profile's attributes"
		}
		for i, r := range rdns {
			if r.attr.String() != want[i] {
				return "the subject does not have the profile's attributes in their order"
			}
		}
		items, err := ItemsOf(c)
		return when(err == nil && rdns[len(rdns)-1].value == items.Name, "the common name must be an identifier, not the person's name")
	}
}

func lintItems(c *x509.Certificate) string {
	if isCritical(c, oidSAN) {
		return "the subjectAltName must not be critical"
	}
	if _, err := ItemsOf(c); err != nil {
		return err.Error()
	}
	return ""
}

func lintItemsOrder(c *x509.Certificate) string {
	items, err := ItemsOf(c)
	if err != nil {
		return "the four items cannot be read"
	}
	value, _ := extensionValue(c, oidSAN)
	return when(!bytes.Equal(value, encodeItems(items)), "the six attributes must stand in the card's order and form, with no other name")
}

func lintResponder(c *x509.Certificate) string {
	_, noCheck := extensionValue(c, oidNoCheck)
	return when(!noCheck || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning || len(c.UnknownExtKeyUsage) > 0 ||
		c.KeyUsage != x509.KeyUsageDigitalSignature, "a responder may sign OCSP responses and nothing else, and is not itself checked")
}

// lintNameStrings demands a PrintableString country and UTF8String elsewhere.
func lintNameStrings(c *x509.Certificate) string {
	for _, der := range [][]byte{c.RawIssuer, c.RawSubject} {
		rdns, ok := readName(der)
		if !ok || !bytes.Equal(encodeName(rdns), der) {
			return "names have a PrintableString country and UTF8String elsewhere, one attribute a step"
		}
		if len(rdns) == 0 || !rdns[0].attr.Equal(attrCountry) || rdns[0].value != "JP" {
			return "names begin with C=JP"
		}
	}
	return ""
}

// readName reads a Name of single-valued steps, the values as they are.
func readName(der []byte) (rdns []rdn, ok bool) {
	in := cryptobyte.String(der)
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	for !list.Empty() {
		var set, atv, value cryptobyte.String
		var tag cbasn1.Tag
		var r rdn
		if !list.ReadASN1(&set, cbasn1.SET) || !set.ReadASN1(&atv, cbasn1.SEQUENCE) || !set.Empty() ||
			!atv.ReadASN1ObjectIdentifier(&r.attr) || !atv.ReadAnyASN1(&value, &tag) || !atv.Empty() {
			return nil, false
		}
		r.value = string(value)
		rdns = append(rdns, r)
	}
	return rdns, true
}
