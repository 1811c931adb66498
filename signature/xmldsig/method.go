package xmldsig

import (
	"crypto"
	"strconv"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// readMethod reads SignatureMethod with the parameters that its algorithm has (XMLDSig 1.1 §4.4.2).
func (d *Document) readMethod(s *Signature, n xmltree.ID) {
	t := d.Tree
	s.schemeURI, _ = t.Attribute(n, "", "Algorithm")
	known := false
	if s.scheme, known = schemes[s.schemeURI]; !known {
		s.scheme.fault = cms.FaultUnsupported
	}
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		switch {
		case s.scheme.family == familyHMAC && t.Is(c, Namespace, "HMACOutputLength"): // never computed
		case s.schemeURI == more2007+"rsa-pss" && t.Is(c, more2007, "RSAPSSParams"):
			if !d.readPSS(s, c) {
				s.malformed = "parameters of RSASSA-PSS that do not go together"
			}
		case s.scheme.family == familyEdCtx || s.scheme.family == familyEdPH || s.scheme.family == familyEd448 || s.scheme.family == familyEd448PH:
			_, local := t.Name(c)
			text, ok := d.base64(c)
			if string(local) != "ContextString" && string(local) != "EdDSAContextString" || !ok || len(text) > 255 || s.context != nil {
				s.malformed = "a parameter that the signature algorithm does not have"
			}
			s.context = text
		case s.scheme.fault == "":
			s.malformed = "a parameter that the signature algorithm does not have"
		}
	}
}

// readPSS reads RSAPSSParams (RFC 9231 §2.3.9): MGF1 with the hash of the message, trailer 1, and a salt
// of at least 20 octets.
func (d *Document) readPSS(s *Signature, n xmltree.ID) bool {
	t, mask := d.Tree, crypto.Hash(0)
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		text, _ := t.Content(c)
		uri, _ := t.Attribute(c, "", "Algorithm")
		switch {
		case t.Is(c, Namespace, "DigestMethod"):
			s.scheme.hash, s.scheme.fault = DigestOf(uri)
		case t.Is(c, more2007, "MaskGenerationFunction"):
			inner := t.FirstElement(c)
			innerURI, _ := t.Attribute(inner, "", "Algorithm")
			if uri != more2007+"MGF1" || inner != xmltree.None && !t.Is(inner, Namespace, "DigestMethod") {
				return false
			}
			mask = crypto.SHA256
			if inner != xmltree.None {
				mask, _ = DigestOf(innerURI)
			}
		case t.Is(c, more2007, "SaltLength"):
			salt, err := strconv.Atoi(string(text))
			if err != nil || salt < 20 || salt > maxRSA/8 {
				return false
			}
			s.salt = salt
		case t.Is(c, more2007, "TrailerField"):
			if string(text) != "1" {
				return false
			}
		default:
			return false
		}
	}
	return mask == 0 || mask == s.scheme.hash
}
