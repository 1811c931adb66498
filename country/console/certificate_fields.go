package console

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin/cert"
)

// rawFields lists what stands in a certificate outside its extensions, in the order of RFC 5280 §4.1.
func rawFields(c *x509.Certificate) []RawField {
	utc := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
	key := []string{c.PublicKeyAlgorithm.String() + " (" + keyText(c.PublicKey) + ")"}
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		key = append(key, "e = "+fmt.Sprint(k.E), "n = "+grouped(hex.EncodeToString(k.N.Bytes()), 32, " "))
	case *ecdsa.PublicKey:
		if point, err := k.Bytes(); err == nil {
			key = append(key, grouped(hex.EncodeToString(point), 32, " "))
		}
	}
	return []RawField{
		{"version", "console.cert.field.version", []string{fmt.Sprintf("v%d (%d)", c.Version, c.Version-1)}},
		{"serialNumber", "console.cert.field.serial", []string{grouped(hex.EncodeToString(c.SerialNumber.Bytes()), 4, " ")}},
		{"signature", "console.cert.field.algorithm", []string{c.SignatureAlgorithm.String()}},
		{"issuer", "console.cert.field.issuer", []string{nameText(c.RawIssuer)}},
		{"validity", "console.cert.field.validity", []string{utc(c.NotBefore), utc(c.NotAfter)}},
		{"subject", "console.cert.field.subject", []string{nameText(c.RawSubject)}},
		{"subjectPublicKeyInfo", "console.cert.field.key", key},
		{"signatureValue", "console.cert.field.signature", []string{grouped(hex.EncodeToString(c.Signature), 32, " ")}},
	}
}

var attributes = map[string]string{"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.10": "O", "2.5.4.11": "OU"}

// nameText writes a DER Name in its own order: C=JP, O=…, OU=….
func nameText(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return hex.EncodeToString(der)
	}
	var parts []string
	for _, set := range name {
		for _, a := range set {
			label := a.Type.String()
			if short, ok := attributes[label]; ok {
				label = short
			}
			parts = append(parts, fmt.Sprintf("%s=%v", label, a.Value))
		}
	}
	return strings.Join(parts, ", ")
}

// issuerText gives the organisation that issued a certificate, in Japanese where issuerAltName says it.
func issuerText(c *x509.Certificate) string {
	for _, e := range c.Extensions {
		if e.Id.String() != "2.5.29.18" {
			continue
		}
		if names := directoryNames(e.Value); len(names) > 0 {
			return lastUnit(names[0])
		}
	}
	return lastUnit(c.RawIssuer)
}

// lastUnit gives the last organizational unit of a name: the agency.
func lastUnit(der []byte) string {
	var name pkix.Name
	var seq pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &seq); err != nil {
		return ""
	}
	name.FillFromRDNSequence(&seq)
	if n := len(name.OrganizationalUnit); n > 0 {
		return name.OrganizationalUnit[n-1]
	}
	return strings.Join(name.Organization, " ")
}

// directoryNames gives the DER names of GeneralNames.
func directoryNames(der []byte) [][]byte {
	in := cryptobyte.String(der)
	var names cryptobyte.String
	if !in.ReadASN1(&names, cbasn1.SEQUENCE) {
		return nil
	}
	return directoryNamesIn(names)
}

func directoryNamesIn(names cryptobyte.String) (all [][]byte) {
	for !names.Empty() {
		var one cryptobyte.String
		var tag cbasn1.Tag
		if !names.ReadAnyASN1(&one, &tag) {
			return all
		}
		if tag == cbasn1.Tag(4).ContextSpecific().Constructed() {
			all = append(all, one)
		}
	}
	return all
}

// extensionNames are the extensions that the profiles use: as standards name them, and what they mean.
var extensionNames = map[string][2]string{
	"2.5.29.14":            {"subjectKeyIdentifier", "console.cert.ext.ski"},
	"2.5.29.15":            {"keyUsage", "console.cert.ext.usage"},
	"2.5.29.17":            {"subjectAltName", "console.cert.ext.san"},
	"2.5.29.18":            {"issuerAltName", "console.cert.ext.ian"},
	"2.5.29.19":            {"basicConstraints", "console.cert.ext.basic"},
	"2.5.29.31":            {"cRLDistributionPoints", "console.cert.ext.crl"},
	"2.5.29.32":            {"certificatePolicies", "console.cert.ext.policy"},
	"2.5.29.35":            {"authorityKeyIdentifier", "console.cert.ext.aki"},
	"2.5.29.37":            {"extKeyUsage", "console.cert.ext.eku"},
	"1.3.6.1.5.5.7.1.1":    {"authorityInfoAccess", "console.cert.ext.aia"},
	"1.3.6.1.5.5.7.48.1.5": {"id-pkix-ocsp-nocheck", "console.cert.ext.nocheck"},
}

// extensionsOf decodes every extension in its order.
func extensionsOf(c *x509.Certificate) []Extension {
	all := make([]Extension, 0, len(c.Extensions))
	for _, e := range c.Extensions {
		x := Extension{OID: e.Id.String(), Critical: e.Critical, Hex: grouped(hex.EncodeToString(e.Value), 2, " "), Meaning: "console.cert.ext.other"}
		if known, ok := extensionNames[x.OID]; ok {
			x.Name, x.Meaning = known[0], known[1]
		}
		x.Lines = extensionLines(c, x.OID, e.Value)
		all = append(all, x)
	}
	return all
}

func extensionLines(c *x509.Certificate, oid string, value []byte) []string {
	switch oid {
	case "2.5.29.14":
		return []string{hex.EncodeToString(c.SubjectKeyId)}
	case "2.5.29.35":
		return []string{"keyIdentifier " + hex.EncodeToString(c.AuthorityKeyId)}
	case "2.5.29.15":
		return usages(c.KeyUsage)
	case "2.5.29.17":
		return itemLines(c, value)
	case "2.5.29.18":
		return namesOf(directoryNames(value))
	case "2.5.29.19":
		return []string{fmt.Sprintf("cA %v", c.IsCA)}
	case "2.5.29.31":
		return namesOf(distributionPoints(value))
	case "2.5.29.32":
		var all []string
		for _, p := range c.Policies {
			all = append(all, p.String())
		}
		return all
	case "2.5.29.37":
		var all []string
		for _, u := range c.ExtKeyUsage {
			all = append(all, map[x509.ExtKeyUsage]string{x509.ExtKeyUsageOCSPSigning: "OCSPSigning", x509.ExtKeyUsageClientAuth: "clientAuth"}[u])
		}
		return all
	case "1.3.6.1.5.5.7.1.1":
		return c.OCSPServer
	case "1.3.6.1.5.5.7.48.1.5":
		return []string{"NULL"}
	}
	return nil
}

func namesOf(ders [][]byte) []string {
	all := make([]string, 0, len(ders))
	for _, der := range ders {
		all = append(all, nameText(der))
	}
	return all
}

func usages(u x509.KeyUsage) (all []string) {
	for _, k := range []struct {
		bit  x509.KeyUsage
		name string
	}{{x509.KeyUsageDigitalSignature, "digitalSignature"}, {x509.KeyUsageContentCommitment, "nonRepudiation"}, {x509.KeyUsageCertSign, "keyCertSign"}, {x509.KeyUsageCRLSign, "cRLSign"}} {
		if u&k.bit != 0 {
			all = append(all, k.name)
		}
	}
	return all
}

// itemLines writes the subjectAltName: the four items of a signature certificate as they stand there, or
// the Japanese name of a CA.
func itemLines(c *x509.Certificate, value []byte) []string {
	i, err := cert.ItemsOf(c)
	if err != nil {
		return namesOf(directoryNames(value))
	}
	const arc = "1.2.392.200149.8.5.5."
	return []string{arc + "1 氏名 " + i.Name, arc + "2 代替文字 " + i.NameSubstitutes, arc + "3 性別 " + string(i.Sex),
		arc + "4 生年月日 " + i.BirthDate.String(), arc + "5 住所 " + i.Address, arc + "6 代替文字 " + i.AddressSubstitutes}
}

// distributionPoints gives the directory names inside cRLDistributionPoints.
func distributionPoints(der []byte) (all [][]byte) {
	in := cryptobyte.String(der)
	var points cryptobyte.String
	if !in.ReadASN1(&points, cbasn1.SEQUENCE) {
		return nil
	}
	inner := cbasn1.Tag(0).ContextSpecific().Constructed()
	for !points.Empty() {
		var point, name, full cryptobyte.String
		if !points.ReadASN1(&point, cbasn1.SEQUENCE) || !point.ReadASN1(&name, inner) || !name.ReadASN1(&full, inner) {
			return all
		}
		all = append(all, directoryNamesIn(full)...)
	}
	return all
}
