package cms

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"io"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Timestamper gets a time-stamp token (RFC 3161 §2.4.2) over a digest that was made with h.
type Timestamper func(ctx context.Context, h crypto.Hash, digest []byte) (token []byte, err error)

// AddTimestamp gives signed with a signature-time-stamp on the signature index, counted from 0: CAdES
// B-T (EN 319 122-1 §5.3). What comes back from stamp must cover what it was asked to; who gave it is
// not judged.
func AddTimestamp(ctx context.Context, signed []byte, index int, stamp Timestamper) ([]byte, error) {
	sd, err := parseToAdd(signed)
	if err != nil {
		return nil, err
	}
	s, err := sd.signer(index)
	if err != nil {
		return nil, err
	}
	h := s.stampHash()
	token, err := stamp.get(ctx, h, sum(h, s.Value))
	if err != nil {
		return nil, err
	}
	if err := sd.addUnsigned(index, Attribute{Type: oidSignatureStamp, Values: [][]byte{token}}); err != nil {
		return nil, err
	}
	return sd.members.write()
}

// AddEvidence gives signed with certificates, CRLs and OCSP responses added to SignedData: CAdES B-LT
// where they are what proves the signer's certificate and that of the time-stamp (EN 319 122-1 §5.4).
// crls are CertificateList and ocsps OCSPResponse, in DER; neither is judged. The caller answers for
// whether status may be passed on: that of JPKI certificates may not (公的個人認証法 art. 52).
func AddEvidence(signed []byte, certificates []*x509.Certificate, crls, ocsps [][]byte) ([]byte, error) {
	sd, err := parseToAdd(signed)
	if err != nil {
		return nil, err
	}
	m := &sd.members
	for _, c := range certificates {
		m.certificates = insertOnce(m.certificates, c.Raw)
	}
	for _, crl := range crls {
		if !isSequence(crl) {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "evidence", "a CRL is not one DER sequence")
		}
		m.lists = insertOnce(m.lists, crl)
	}
	for _, ocsp := range ocsps {
		if !isSequence(ocsp) {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "evidence", "an OCSP response is not one DER sequence")
		}
		m.lists = insertOnce(m.lists, otherRevocation(ocsp))
		m.version = 5 // RFC 5652 §5.1
	}
	if len(m.certificates) > MaxCertificates || len(m.lists) > maxLists {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "evidence", "more than %d certificates or %d pieces of revocation information", MaxCertificates, maxLists)
	}
	return m.write()
}

// otherRevocation writes an OCSP response as RevocationInfoChoice (RFC 5940 §2.1).
func otherRevocation(ocsp []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidOCSPResponse)
		b.AddBytes(ocsp)
	})
	return b.BytesOrPanic() // nothing is written but lengths and a constant
}

func isSequence(b []byte) bool {
	in := cryptobyte.String(b)
	var body cryptobyte.String
	return in.ReadASN1(&body, cbasn1.SEQUENCE) && in.Empty()
}

// ArchiveImprint gives what an archive-time-stamp-v3 on the signature index would cover now: the
// digest with h to be stamped, and the index (ATSHashIndexV3) that has to stand in the token's
// unsigned attributes (EN 319 122-1 §5.5). content is nil where it is embedded.
func ArchiveImprint(ctx context.Context, signed []byte, index int, h crypto.Hash, content io.Reader) (digest, hashIndex []byte, err error) {
	sd, err := parseToAdd(signed)
	if err != nil {
		return nil, nil, err
	}
	return sd.archiveImprintNow(ctx, index, h, content)
}

func (sd *SignedData) archiveImprintNow(ctx context.Context, index int, h crypto.Hash, content io.Reader) (digest, hashIndex []byte, err error) {
	s, err := sd.signer(index)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := HashAlgorithm(h); !ok {
		return nil, nil, jitsuin.Errorf(jitsuin.Unsupported, "digest", "archives are not made with this hash")
	}
	d, err := sd.digestWith(ctx, content, []crypto.Hash{h, s.stampHash()})
	switch {
	case err != nil:
		return nil, nil, err
	case d == nil:
		return nil, nil, jitsuin.Errorf(jitsuin.Invalid, "content", "an archive time-stamp needs the signed content")
	case d.Differs:
		return nil, nil, jitsuin.Errorf(jitsuin.Conflict, "content", "the content given is not the embedded content")
	}
	if hashIndex, err = sd.newIndex(s, h); err != nil {
		return nil, nil, err
	}
	return sd.archiveImprint(s, h, d.Sum(h), hashIndex), hashIndex, nil
}

// AddArchiveTimestamp gives signed with an archive-time-stamp-v3 on the signature index: CAdES B-LTA
// where the evidence was added before (EN 319 122-1 §5.5). It covers everything that is there, the
// other signatures but for their values excepted. content is nil where it is embedded.
func AddArchiveTimestamp(ctx context.Context, signed []byte, index int, content io.Reader, stamp Timestamper) ([]byte, error) {
	sd, err := parseToAdd(signed)
	if err != nil {
		return nil, err
	}
	s, err := sd.signer(index)
	if err != nil {
		return nil, err
	}
	h := s.stampHash()
	digest, hashIndex, err := sd.archiveImprintNow(ctx, index, h, content)
	if err != nil {
		return nil, err
	}
	token, err := stamp.get(ctx, h, digest)
	if err == nil {
		token, err = AddUnsigned(token, 0, Attribute{Type: oidHashIndexV3, Values: [][]byte{hashIndex}})
	}
	if err != nil {
		return nil, err
	}
	if err := sd.addUnsigned(index, Attribute{Type: oidArchiveStamp, Values: [][]byte{token}}); err != nil {
		return nil, err
	}
	a, _ := HashAlgorithm(h)
	if !sd.lists(a) {
		sd.members.digests = insert(sd.members.digests, a.element())
	}
	return sd.members.write()
}

// stampHash is what time-stamps on s are made with: the signer's own hash unless it is weak.
func (s *SignerInfo) stampHash() crypto.Hash {
	if h, err := s.DigestAlgorithm.hashOf(); err == nil && !weakHash(h) {
		return h
	}
	return crypto.SHA256
}

// get asks for a token and sees that it is one over the digest.
func (stamp Timestamper) get(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
	token, err := stamp(ctx, h, digest)
	if err != nil {
		return nil, err
	}
	_, used, imprint, err := openToken(token)
	switch {
	case err != nil:
		return nil, jitsuin.Errorf(jitsuin.Conflict, "timestamp", "what came back is no time-stamp token: %w", err)
	case used != h || !bytes.Equal(imprint, digest):
		return nil, jitsuin.Errorf(jitsuin.Conflict, "timestamp", "the time-stamp token that came back covers something else")
	}
	return token, nil
}

// parseToAdd reads what is to be added to and refuses what adding would break: octets that a time-stamp
// covers must stay as they are (EN 319 122-1 §5.5.3).
func parseToAdd(signed []byte) (*SignedData, error) {
	sd, err := Parse(signed)
	switch {
	case err != nil:
		return nil, err
	case sd.hasOldArchive():
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "cms-archive", "a signature is archived in an older form, to which nothing can be added here")
	case !sd.DER && sd.hasArchive():
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "cms-archive", "an archived signature in BER would have to be written anew")
	}
	return sd, nil
}
