package signature

import (
	"bytes"
	"crypto"
	"slices"

	"github.com/jitsuin/jitsuin/signature/tsp"
	"github.com/jitsuin/jitsuin/signature/xades"
)

// xadesStamps are the kinds of time-stamps that are judged.
var xadesStamps = map[xades.Kind]StampKind{xades.Content: ContentStamp, xades.Signature: SignatureStamp, xades.Archive: ArchiveStamp}

// addXAdES adds what the properties of an XML signature say. It is XAdES where the signature covers
// properties that name the signer's certificate.
func (f *finding) addXAdES(p *xades.Properties) {
	f.result.Checks = append(f.result.Checks, p.Checks...)
	if p.Certificate {
		f.format = FormatXAdES
	}
	f.claimed, f.unsigned = p.SigningTime, p.Unread
	if p.HintDiffers {
		f.warnings = append(f.warnings, "hint-differs")
	}
	f.embedded = slices.Concat(f.embedded, p.Certificates)
	f.crls, f.ocsps = p.CRLs, p.OCSPs
	for i := range p.Stamps {
		st := &p.Stamps[i]
		kind, judged := xadesStamps[st.Kind]
		if !judged {
			f.warnings = append(f.warnings, "stamp-old")
			continue
		}
		f.stamps = append(f.stamps, stamped{kind: kind, token: st.Token, digest: xadesDigest(st), sealed: st.Sealed, fault: st.Fault, more: f.embedded})
	}
	f.level = f.xadesLevel()
}

// xadesDigest gives what a token must be over. The rule for archive time-stamps was written in two ways; a
// token that fits either is what it should be.
func xadesDigest(st *xades.Stamp) func(crypto.Hash) []byte {
	return func(h crypto.Hash) []byte {
		first := st.Digest(h)
		if t, err := tsp.Parse(st.Token); err == nil && !bytes.Equal(first, t.Info.Imprint.Sum) {
			if other := st.Earlier(h); bytes.Equal(other, t.Info.Imprint.Sum) {
				return other
			}
		}
		return first
	}
}

// xadesLevel tells the baseline level (EN 319 132-1 §6) that the parts of a signature make up, whether they are good
// or not.
func (f *finding) xadesLevel() string {
	has := func(kind StampKind) bool {
		return slices.ContainsFunc(f.stamps, func(s stamped) bool { return s.kind == kind && s.fault == "" })
	}
	switch {
	case f.format != FormatXAdES || f.claimed == nil:
		return ""
	case !has(SignatureStamp):
		return "B-B"
	case len(f.crls)+len(f.ocsps) == 0:
		return "B-T"
	case !has(ArchiveStamp):
		return "B-LT"
	}
	return "B-LTA"
}
