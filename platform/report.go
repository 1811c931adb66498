package platform

import (
	"bytes"
	"crypto"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// publicReport is the report as it may leave the verifier and lie in its log: without serial
// numbers, without the four items, and without the certificate's subject, which names the
// municipality and is the same for every tenant.
func publicReport(r *signature.Report) *signature.Report {
	open := r.Public()
	for i := range open.Signatures {
		s := &open.Signatures[i]
		s.Items = nil
		s.Chain.Path = withoutLeaf(s.Chain.Path)
		if s.Signer != nil {
			s.Signer.Subject, s.SignedBy = "", "" // Public made this a copy
		}
	}
	if open.Chain != nil {
		chain := *open.Chain
		chain.Path = withoutLeaf(chain.Path)
		open.Chain = &chain
	}
	return open
}

func withoutLeaf(path []string) []string {
	if len(path) == 0 {
		return []string{}
	}
	return append([]string{}, path[1:]...)
}

// inputOf gives what is judged: the document, its digest in the document's place, or neither where
// the signature embeds it.
func inputOf(in api.VerificationRequest) (signature.Input, error) {
	input := signature.Input{Signature: in.Signature}
	if in.Document != nil {
		input.Content = bytes.NewReader(in.Document)
	}
	if in.DocumentDigest == nil {
		return input, nil
	}
	input.Digest, input.DigestHash = in.DocumentDigest, digestHashes[len(in.DocumentDigest)]
	if input.DigestHash == 0 {
		return input, jitsuin.Errorf(jitsuin.Invalid, "digest-length", "a digest of %d bytes is none of SHA-256, SHA-384 or SHA-512", len(in.DocumentDigest)).At("digest")
	}
	if sd, err := cms.Parse(in.Signature); err == nil && sd.Embedded {
		return input, jitsuin.Errorf(jitsuin.Invalid, "digest-embedded", "the signature embeds its document; a digest is for detached signatures").At("digest")
	}
	return input, nil
}

// digestHashes tells the hash by the digest's length in bytes.
var digestHashes = map[int]crypto.Hash{32: crypto.SHA256, 48: crypto.SHA384, 64: crypto.SHA512}
