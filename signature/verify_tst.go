package signature

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// readTST reads a time-stamp token, or a response with one inside (RFC 3161). What it stamps is the
// content, or its digest with the algorithm of the token's imprint.
func readTST(ctx context.Context, in Input) ([]finding, error) {
	token, err := tokenOf(in.Signature)
	if err != nil {
		return nil, unreadable{err}
	}
	var sum []byte
	switch {
	case in.Digest != nil && in.Content != nil:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "digest", "give the content or its digest, not both")
	case in.Content != nil:
		if sum, err = token.Sum(ctx, in.Content); err != nil {
			return nil, err
		}
	case in.Digest != nil && in.DigestHash == token.Info.Imprint.Hash:
		sum = in.Digest
	}
	f := stampFinding(token, sum, in)
	if c := f.covers; c != nil && in.Digest != nil {
		c.Content = "digest"
	}
	return []finding{f}, nil
}

// tokenOf takes the token out of a file: one itself, or a response.
func tokenOf(b []byte) (*tsp.Token, error) {
	r, err := tsp.ParseResponse(b)
	if err != nil {
		return tsp.Parse(b)
	}
	if err := r.Err(); err != nil { // a refusal is well made, and no time-stamp
		return nil, jitsuin.Errorf(jitsuin.Invalid, "tsp-refused", "%w", err)
	}
	return tsp.Parse(r.Token)
}

// stampFinding is what is said of a time-stamp that is a signature of its own: a token in a file, a
// document time-stamp of a PDF. sum is the digest of what it must cover, nil where that is not at hand.
func stampFinding(token *tsp.Token, sum []byte, in Input) finding {
	at := token.Info.Time
	f := finding{format: FormatTST, token: token, embedded: token.CMS.Certificates, coverage: Whole, modification: Unmodified, claimed: &at}
	f.result = token.Verify(sum, in.Certificates)
	if signers := token.CMS.Signers; len(signers) == 1 {
		for _, a := range signers[0].Unsigned {
			f.unsigned = append(f.unsigned, a.Type.String())
		}
	}
	if sum != nil {
		f.covers = &Covered{Content: "detached", Whole: true, ContentType: tsp.OIDTSTInfo.String(),
			DigestAlg: cms.HashName(token.Info.Imprint.Hash), Digest: hex.EncodeToString(sum)}
	}
	return f
}

// trustTime judges a signature that is a time-stamp itself: by the anchors for time, as an authority's.
func (v *judgement) trustTime(ctx context.Context, one *Signature, f *finding) ([]conclusion, error) {
	if v.policy.AnchorsNone {
		one.Chain.Reason = "not-asked: trust was left out on request"
		return []conclusion{{Indeterminate, NoCertificateChain, "anchors-none"}}, nil
	}
	j, err := v.authority(ctx, f.token, f.result.Certificate, slices.Concat(f.embedded, v.in.Certificates), v.policy.revocation(f), v.policy.At)
	if err != nil {
		return nil, err
	}
	if j.path != nil {
		j.path.Status = j.status
	}
	one.takePath(j.path, j.err)
	if j.why != "" {
		if one.Chain.Reason == "" && j.ends.reason != "revoked" {
			one.Chain.OK, one.Chain.Reason = false, j.why
		}
		return []conclusion{j.ends}, nil
	}
	if j.status.State != cert.Good {
		one.Checks = one.Checks[:len(one.Checks)-1] // the status is told and decides nothing here
		one.warn("stamp-status")
	}
	return nil, nil
}
