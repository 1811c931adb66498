package signature

import (
	"context"
	"encoding/hex"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/jws"
)

// readJWS reads JSON Web Signatures.
func readJWS(ctx context.Context, in Input) ([]finding, error) {
	if in.Digest != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "digest", "a JWS is checked with the document itself, not with its digest")
	}
	m, err := jws.Parse(in.Signature)
	if err != nil {
		return nil, unreadable{err}
	}
	d, err := m.Digest(ctx, in.Content)
	if err != nil {
		return nil, err
	}
	var all []finding
	for _, s := range m.Signatures {
		f := finding{format: FormatJWS, coverage: Whole, modification: Unmodified, embedded: s.Certificates, claimed: s.Claimed(), unsigned: s.Unprotected}
		f.result = m.Verify(s, d, in.Certificates)
		f.covers = jwsCovers(m, f.result, d)
		all = append(all, f)
	}
	return all, nil
}

// jwsCovers says which bytes are signed, nil where they are not at hand.
func jwsCovers(m *jws.Message, result *cms.Result, d *jws.Digests) *Covered {
	if d == nil {
		return nil
	}
	c := &Covered{Content: "embedded", Whole: true, Bytes: d.Size}
	if m.Detached {
		c.Content = "detached"
	}
	if sum := d.Sum(result.Digest); sum != nil {
		c.DigestAlg, c.Digest = cms.HashName(result.Digest), hex.EncodeToString(sum)
	}
	return c
}
