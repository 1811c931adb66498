package platform

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
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
			s.Signer.Subject = "" // Public made this a copy
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

// digestMatches is why a signature over a digest alone passed.
var digestMatches = signature.Reason{Code: "passed-digest",
	JA: "署名は有効です。文書のダイジェスト値は署名されたものと一致し、証明書は確認時点で有効です。",
	EN: "The signature is valid: the digest given is the one that was signed, and the certificate is in force at the time of checking."}

// digestDiffers is why it did not.
var digestDiffers = signature.Reason{Code: "content-changed",
	JA: "文書のダイジェスト値が署名されたものと異なります。署名後に変更されたか、別の文書です。",
	EN: "The digest is not that of the document which was signed: it was changed afterwards, or it is another document."}

// verifyDigest judges a detached signature where only the document's digest is at hand. It asks for
// signed attributes: without them the signature covers the content itself, which is not here, and a
// digest that somebody chose could be passed off as a document.
func verifyDigest(ctx context.Context, der, digest []byte, policy signature.Policy) (*signature.Report, error) {
	sd, err := cms.Parse(der)
	if err == nil {
		if err := checkDigestForm(sd, digest); err != nil {
			return nil, err
		}
	}
	r, err := signature.Verify(ctx, signature.Input{Signature: der}, policy)
	if err != nil || sd == nil || len(r.Signatures) != len(sd.Signers) {
		return r, err
	}
	passed := len(r.Signatures) > 0
	for i, s := range sd.Signers {
		takeDigest(&r.Signatures[i], bytes.Equal(messageDigest(s), digest), digest)
		passed = passed && r.Signatures[i].Indication == signature.Passed
	}
	if len(r.Signatures) == 1 {
		s := r.Signatures[0]
		r.Verdict, r.SubIndication, r.Integrity, r.Reasons = s.Indication, s.SubIndication, s.Integrity, s.Reasons
	} else if !passed {
		r.Verdict = signature.Failed
	}
	return r, nil
}

// checkDigestForm refuses requests for which a digest says nothing.
func checkDigestForm(sd *cms.SignedData, digest []byte) error {
	if sd.Embedded {
		return jitsuin.Errorf(jitsuin.Invalid, "digest-embedded", "the signature embeds its document; a digest is for detached signatures").At("digest")
	}
	for _, s := range sd.Signers {
		h, err := digestHash(s)
		switch {
		case !s.HasSigned:
			return jitsuin.Errorf(jitsuin.Unsupported, "digest-direct", "a signature without signed attributes is checked with the document itself").At("digest")
		case err == nil && h.Size() != len(digest):
			return jitsuin.Errorf(jitsuin.Invalid, "digest-length", "this signature has a %s digest of %d bytes", cms.HashName(h), h.Size()).At("digest")
		}
	}
	return nil
}

// takeDigest concludes one signature whose only want was the document.
func takeDigest(s *signature.Signature, same bool, digest []byte) {
	if !same {
		s.Indication, s.SubIndication, s.Integrity = signature.Failed, signature.HashFailure, signature.Broken
		s.Reasons = []signature.Reason{digestDiffers}
		return
	}
	wantsDocumentOnly := s.Indication == signature.Indeterminate && s.SubIndication == signature.SignedDataNotFound && len(s.Reasons) == 1
	sound := s.Chain.OK && s.Revocation.Status == cert.Good && s.Certificate != nil
	for _, c := range s.Checks {
		sound = sound && (c.OK || c.What == "content")
	}
	if !wantsDocumentOnly || !sound {
		dropWant(s)
		return
	}
	s.Indication, s.SubIndication, s.Integrity = signature.Passed, "", signature.Intact
	s.Reasons = []signature.Reason{digestMatches}
	s.Covers = &signature.Covered{Content: "detached", Whole: true, DigestAlg: s.Algorithms.Digest, Digest: hex.EncodeToString(digest)}
	for i := range s.Checks {
		if s.Checks[i].What == "content" {
			s.Checks[i] = signature.Check{What: "content-digest", Expected: hex.EncodeToString(digest), Got: hex.EncodeToString(digest), OK: true}
		}
	}
}

// dropWant takes the missing document out of the reasons of a signature that has other wants too.
func dropWant(s *signature.Signature) {
	s.Reasons = slices.DeleteFunc(s.Reasons, func(r signature.Reason) bool { return r.Code == "no-content" })
	if s.SubIndication != signature.SignedDataNotFound || len(s.Reasons) == 0 {
		return
	}
	switch s.Reasons[0].Code {
	case "status-unknown", "status-stale", "status-not-checked":
		s.SubIndication = signature.TryLater
	case "no-issuer":
		s.SubIndication = signature.NoCertificateChain
	case "no-certificate", "other-certificate":
		s.SubIndication = signature.NoSigningCertificate
	case "weak-algorithm", "forbidden-algorithm", "chain-algorithm":
		s.SubIndication = signature.CryptoConstraints
	default:
		s.SubIndication = signature.ChainGeneral
	}
}

// digestHash gives the hash of a signer's message digest.
func digestHash(s *cms.SignerInfo) (crypto.Hash, error) {
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if s.DigestAlgorithm.OID.String() == digestOIDs[h] {
			return h, nil
		}
	}
	return 0, jitsuin.Errorf(jitsuin.Unsupported, "digest-algorithm", "the digest algorithm is not supported")
}

// digestOIDs are the algorithms of NIST that a message digest may have.
var digestOIDs = map[crypto.Hash]string{crypto.SHA256: "2.16.840.1.101.3.4.2.1", crypto.SHA384: "2.16.840.1.101.3.4.2.2", crypto.SHA512: "2.16.840.1.101.3.4.2.3"}

const oidMessageDigest = "1.2.840.113549.1.9.4"

// messageDigest gives the digest that a signer's attributes name, nil where there is not exactly one.
func messageDigest(s *cms.SignerInfo) (digest []byte) {
	for _, a := range s.Signed {
		if a.Type.String() != oidMessageDigest {
			continue
		}
		if digest != nil || len(a.Values) != 1 {
			return nil
		}
		value := cryptobyte.String(a.Values[0])
		if !value.ReadASN1Bytes(&digest, cbasn1.OCTET_STRING) || !value.Empty() {
			return nil
		}
	}
	return digest
}
