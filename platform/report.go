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

// formats are what a tenant may call a format.
var formats = map[string]signature.Format{"": "", "auto": "", "cms": signature.FormatCMS, "pdf": signature.FormatPDF,
	"xml": signature.FormatXMLDSig, "timestamp": signature.FormatTST, "jws": signature.FormatJWS}

// signedFile gives the file that holds the signature, and what to read it as. A document sent alone is
// that file.
func signedFile(in api.VerificationRequest) ([]byte, signature.Format) {
	raw := in.Signature
	if raw == nil {
		raw = in.Document
	}
	f := formats[in.Format]
	if f == "" {
		f = signature.FormatOf(raw)
	}
	return raw, f
}

// inputOf gives what is judged: the document, its digest in the document's place, or neither where
// the signature embeds it.
func inputOf(in api.VerificationRequest) (signature.Input, error) {
	raw, format := signedFile(in)
	input := signature.Input{Signature: raw, Format: format}
	if in.Document != nil && in.Signature != nil {
		input.Content = bytes.NewReader(in.Document)
	}
	if len(in.Files) > 0 {
		input.Files = map[string][]byte{}
	}
	for _, f := range in.Files {
		input.Files[f.Name] = f.Content
	}
	if in.DocumentDigest == nil {
		return input, nil
	}
	input.Digest, input.DigestHash = in.DocumentDigest, digestHashes[len(in.DocumentDigest)]
	switch {
	case input.DigestHash == 0:
		return input, jitsuin.Errorf(jitsuin.Invalid, "digest-length", "a digest of %d bytes is none of SHA-256, SHA-384 or SHA-512", len(in.DocumentDigest)).At("digest")
	case format != signature.FormatCMS && format != signature.FormatTST:
		return input, jitsuin.Errorf(jitsuin.Invalid, "digest-format", "a digest in the document's place is for CMS and for time-stamps").At("digest")
	}
	if sd, err := cms.Parse(raw); err == nil && sd.Embedded && format == signature.FormatCMS {
		return input, jitsuin.Errorf(jitsuin.Invalid, "digest-embedded", "the signature embeds its document; a digest is for detached signatures").At("digest")
	}
	return input, nil
}

func filesSize(files []api.File) int {
	n := 0
	for _, f := range files {
		n += len(f.Content)
	}
	return n
}

// repeated tells whether two files have one name.
func repeated(files []api.File) bool {
	names := map[string]bool{}
	for _, f := range files {
		if names[f.Name] {
			return true
		}
		names[f.Name] = true
	}
	return false
}

// digestHashes tells the hash by the digest's length in bytes.
var digestHashes = map[int]crypto.Hash{32: crypto.SHA256, 48: crypto.SHA384, 64: crypto.SHA512}
