package cert

import (
	"crypto/x509"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// FuzzExtension reads values of extensions, and holds name constraints and names against each other.
func FuzzExtension(f *testing.F) {
	for e, value := range map[extensionSet]string{
		extAKI: "\x30\x0f\x80\x02\x01\x02\xa1\x06\xa4\x04\x30\x00\x30\x00\x82\x01\x01", extSKI: "\x04\x02\x01\x02", extKeyUsage: "\x03\x02\x01\x06",
		extPolicies: "\x30\x06\x30\x04\x06\x02\x2a\x03", extMappings: "\x30\x0a\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x04", extBasic: "\x30\x06\x01\x01\xff\x02\x01\x00",
		extNameConstraints: "\x30\x18\xa0\x0a\x30\x08\x82\x06test.x\xa1\x0a\x30\x08\x86\x06.a.b.c", extPolicyConstraints: "\x30\x06\x80\x01\x00\x81\x01\x01",
		extEKU: "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08", extCRLDP: "\x30\x0f\x30\x0d\xa0\x0b\xa0\x09\x86\x07urn:a:b", extInhibitAny: "\x02\x01\x00",
		extSAN: "\x30\x0e\x82\x06a.test\x87\x04\x0a\x01\x01\x01", extAIA: "\x30\x0d\x30\x0b\x06\x02\x2a\x03\x86\x05urn:a", extNoCheck: "\x05\x00",
	} {
		f.Add(uint32(e), []byte(value), []byte("\x30\x0c\x82\x06b.test\x81\x02a@"))
	}
	f.Fuzz(func(t *testing.T, e uint32, value, names []byte) {
		read := func(e extensionSet, value []byte) (*details, bool) {
			d := &details{cert: &x509.Certificate{RawSubject: []byte("\x30\x00")}, strict: true, emptySubject: true, pathLen: -1, explicit: -1, mapping: -1, inhibit: -1}
			return d, strictDER(value, maxDepth) && d.readKnown(e, cryptobyte.String(value))
		}
		ca, ok := read(extensionSet(e), value)
		if !ok {
			return
		}
		leaf, ok := read(extSAN, names)
		if !ok {
			return
		}
		ca.present |= extensionSet(e)
		leaf.present |= extSAN
		checkNames([]*details{leaf, ca})
		checkPolicies([]*details{leaf, ca, ca}, PolicyInputs{RequireExplicit: true})
	})
}
