package signature

import (
	"context"
	"encoding/hex"

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
	for _, s := range sd.Signers {
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
	return sd.DigestGiven(ctx, in.DigestHash, in.Digest)
}

func cmsFinding(sd *cms.SignedData, s *cms.SignerInfo, digests *cms.Digests, in Input) finding {
	f := finding{format: FormatCMS, embedded: sd.Certificates, coverage: Whole, modification: Unmodified}
	f.result = sd.Verify(s, digests, in.Certificates)
	separate(f.result, s, digests)
	if s.CAdES() {
		f.format = FormatCAdES
	}
	if at, present, ok := s.SigningTime(); present && ok {
		f.claimed = &at
		if s.CAdES() {
			f.level = "B-B"
		}
	}
	for _, a := range s.Unsigned {
		f.unsigned = append(f.unsigned, a.Type.String())
	}
	f.covers = cmsCovers(sd, f.result, digests)
	return f
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
