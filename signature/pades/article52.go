package pades

import (
	"bytes"
	"crypto"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// mayEmbed keeps status of residents' certificates out of documents, unless the caller says that it may be passed on: the
// Public Personal Authentication Act (公的個人認証法), art. 52, lets a verifier use and supply it within the need of the
// check alone. Denied "pdf-article-52".
func (s *source) mayEmbed(all []Evidence) error {
	issuers := s.residentIssuers()
	for _, e := range all {
		if !e.ResidentStatus && e.speaksOf(issuers) {
			return jitsuin.Errorf(jitsuin.Denied, "pdf-article-52",
				"the evidence has status of a resident's certificate, which may not be passed on (Public Personal Authentication Act, art. 52)").
				WithHint("time-stamp the signature, and keep the verifier's own report beside the document")
		}
	}
	return nil
}

// residentIssuers gives the names of the authorities that issued residents' certificates (JPKI) in the document's signatures.
func (s *source) residentIssuers() (names [][]byte) {
	for _, one := range s.holding {
		sd, err := cms.Parse(one.Contents)
		if err != nil {
			continue // it was found to hold; a time-stamp token is of this form too
		}
		for _, c := range sd.Certificates {
			if _, ok := cert.KindOf(c); ok {
				names = append(names, c.RawIssuer)
			}
		}
	}
	return names
}

// speaksOf tells whether a list or a response is about certificates of one of the issuers.
func (e Evidence) speaksOf(issuers [][]byte) bool {
	for _, raw := range e.CRLs {
		list, err := cert.ParseCRL(raw)
		if err == nil && slices.ContainsFunc(issuers, func(n []byte) bool { return bytes.Equal(n, list.RawIssuer) }) {
			return true
		}
	}
	for _, raw := range e.OCSPs {
		response, err := cert.ParseOCSPResponse(raw)
		if err != nil {
			continue // checkEvidence has refused it
		}
		for _, single := range response.Singles {
			for _, name := range issuers {
				if h := single.ID.Hash; !h.Available() || bytes.Equal(sumOf(h, name), single.ID.NameHash) {
					return true
				}
			}
		}
	}
	return false
}

func sumOf(h crypto.Hash, b []byte) []byte {
	sum := h.New()
	sum.Write(b)
	return sum.Sum(nil)
}
