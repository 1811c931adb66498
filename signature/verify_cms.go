package signature

import (
	"context"
	"crypto"
	"encoding/hex"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// readCMS reads CMS and CAdES.
func readCMS(ctx context.Context, in Input) ([]finding, error) {
	sd, err := cms.Parse(in.Signature)
	if err != nil {
		return nil, unreadable{err}
	}
	digests, err := in.digests(ctx, sd)
	if err != nil {
		return nil, err
	}
	var all []finding
	for _, s := range sd.All() {
		all = append(all, cmsFinding(sd, s, digests, in))
	}
	return all, nil
}

// digests reads the content, or takes its digest as given.
func (in Input) digests(ctx context.Context, sd *cms.SignedData) (*cms.Digests, error) {
	switch {
	case in.Digest == nil:
		return sd.Digest(ctx, in.Content)
	case in.Content != nil:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "digest", "give the content or its digest, not both")
	}
	d, err := sd.DigestGiven(ctx, in.DigestHash, in.Digest)
	if err == nil {
		d.Vouched = in.Vouched
	}
	return d, err
}

// cmsFinding says what can be said of one signature or countersignature.
func cmsFinding(sd *cms.SignedData, s *cms.SignerInfo, digests *cms.Digests, in Input) finding {
	f := finding{format: FormatCMS, coverage: Whole, modification: Unmodified}
	f.result = sd.Verify(s, digests, in.Certificates)
	separate(f.result, s, digests)
	f.covers = cmsCovers(sd, f.result, digests)
	if parent := s.Countersigns(); parent != nil {
		f.name, f.coverage, f.covers = "countersignature", Part, countersigned(f.result, parent)
	}
	if s.CAdES() {
		f.format = FormatCAdES
	}
	if at, present, ok := s.SigningTime(); present && ok {
		f.claimed = &at
	}
	e := sd.Evidence(s)
	f.embedded, f.crls, f.ocsps = slices.Concat(sd.Certificates, e.Certificates), e.CRLs, e.OCSPs
	f.addCMSStamps(sd.Stamps(s, digests))
	f.level = cadesLevel(&f)
	for _, a := range s.Unsigned {
		if !cms.Judged(a.Type) {
			f.unsigned = append(f.unsigned, a.Type.String())
		}
	}
	return f
}

// cmsStampKinds are the time-stamps that are judged.
var cmsStampKinds = map[cms.StampKind]StampKind{cms.StampContent: ContentStamp, cms.StampSignature: SignatureStamp, cms.StampArchive: ArchiveStamp}

// addCMSStamps hands time-stamps on. What each has to cover is fixed by the hash that its imprint names.
func (f *finding) addCMSStamps(all []cms.Stamp) {
	for _, st := range all {
		kind, judged := cmsStampKinds[st.Kind]
		if !judged {
			f.warnings = append(f.warnings, "stamp-old")
			continue
		}
		one := stamped{kind: kind, token: st.Token, more: f.embedded, sealed: st.Sealed, digest: func(h crypto.Hash) []byte {
			if h != st.Hash {
				return nil
			}
			return st.Digest
		}}
		if st.Fault != "" {
			one.fault = string(st.Fault) + ": " + st.Why
		}
		f.stamps = append(f.stamps, one)
	}
}

// cadesLevel tells the baseline level (EN 319 122-1 §6) that the parts of a signature make up. A
// time-stamp that covers something else is no part.
func cadesLevel(f *finding) string {
	fits := func(kind StampKind) bool {
		return slices.ContainsFunc(f.stamps, func(s stamped) bool { return s.kind == kind && s.fault == "" })
	}
	switch {
	case f.format != FormatCAdES || f.claimed == nil:
		return ""
	case !fits(SignatureStamp):
		return "B-B"
	case len(f.crls)+len(f.ocsps) == 0:
		return "B-T"
	case !fits(ArchiveStamp):
		return "B-LT"
	}
	return "B-LTA"
}

// countersigned says what a countersignature covers: the value of another signature.
func countersigned(r *cms.Result, parent *cms.SignerInfo) *Covered {
	c := &Covered{Content: "signature", Bytes: int64(len(parent.Value)), DigestAlg: cms.HashName(r.Digest)}
	if r.Digest != 0 {
		h := r.Digest.New()
		h.Write(parent.Value)
		c.Digest = hex.EncodeToString(h.Sum(nil))
	}
	return c
}

// cmsCovers says which bytes are signed, nil where they are not at hand.
func cmsCovers(sd *cms.SignedData, result *cms.Result, d *cms.Digests) *Covered {
	if d == nil {
		return nil
	}
	c := &Covered{Content: "detached", Whole: true, Bytes: max(d.Size, 0), ContentType: sd.ContentType.String()}
	switch {
	case sd.Embedded:
		c.Content = "embedded"
	case d.Size < 0:
		c.Content = "digest"
	}
	if sum := d.Sum(result.Digest); sum != nil {
		c.DigestAlg, c.Digest = cms.HashName(result.Digest), hex.EncodeToString(sum)
	}
	return c
}

// separate keeps the login challenge and documents apart: a direct signature over a challenge's
// message is no signature over a document (see Challenge).
func separate(r *cms.Result, s *cms.SignerInfo, d *cms.Digests) {
	if !s.HasSigned && d != nil && isChallengeMessage(d.Head) {
		r.Checks = append(r.Checks, cms.Check{What: "domain", Expected: "a document", Got: "a login challenge", Fault: cms.FaultAmbiguous})
	}
}
