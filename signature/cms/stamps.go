package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxStamps is how many time-stamp tokens one structure may hold in its attributes.
const MaxStamps = 64

// StampKind tells what a time-stamp token covers.
type StampKind string

// Kinds of time-stamps (EN 319 122-1 §5.2.8, §5.3, §5.5, annex A.1.5; RFC 5126 §6.3–6.4).
const (
	StampContent    StampKind = "content-time-stamp"    // signed: the content existed before it was signed
	StampSignature  StampKind = "signature-time-stamp"  // over the signature value
	StampArchive    StampKind = "archive-time-stamp-v3" // over the signature and everything that proves it
	StampArchiveOld StampKind = "archive-time-stamp"    // older forms: present, not judged
	StampReferences StampKind = "reference-time-stamp"  // over references to evidence: present, not judged
)

// Attributes that hold a time-stamp token.
var (
	oidContentStamp   = smime(20)
	oidSignatureStamp = smime(14)
	oidArchiveStamp   = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}
	stampKinds        = []struct {
		oid    asn1.ObjectIdentifier
		kind   StampKind
		signed bool
	}{
		{oidContentStamp, StampContent, true},
		{oidSignatureStamp, StampSignature, false},
		{oidArchiveStamp, StampArchive, false},
		{smime(27), StampArchiveOld, false},
		{smime(48), StampArchiveOld, false},
		{oidLongTerm, StampArchiveOld, false},
		{smime(25), StampReferences, false},
		{smime(26), StampReferences, false},
	}
)

// smime gives an attribute of RFC 2634 and its successors.
func smime(n int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, n}
}

// Stamp is one time-stamp token on a signature and what it has to cover. The token's own signature,
// its authority and its time are not judged here.
type Stamp struct {
	Kind   StampKind
	Token  []byte      // the TimeStampToken (RFC 3161 §2.4.2), a ContentInfo
	Hash   crypto.Hash // of its message imprint, 0 where it is not read
	Digest []byte      // what the imprint must be under Hash; nil where it is not known
	// Fault is "" where the imprint is Digest, FaultContent where it is of something else, and
	// otherwise why that is not known; Why says it for people.
	Fault Fault
	Why   string
	// Uncovered counts, for StampArchive, the certificates, the pieces of revocation information and
	// the unsigned attributes that the token does not cover, itself among them.
	Uncovered int
}

// Stamps gives the time-stamp tokens on one signature in the order in which they stand, those in
// signed attributes first. d is what Digest gave, nil for no content.
func (sd *SignedData) Stamps(s *SignerInfo, d *Digests) []Stamp {
	var all []Stamp
	s.tokens(func(kind StampKind, token []byte) {
		st := Stamp{Kind: kind, Token: token}
		st.Digest, st.Fault, st.Why = sd.imprint(s, &st, d)
		all = append(all, st)
	})
	return all
}

// tokens calls use with every time-stamp token on s. An attribute where it does not belong is none.
func (s *SignerInfo) tokens(use func(StampKind, []byte)) {
	for i, list := range [][]Attribute{s.Signed, s.Unsigned} {
		for _, a := range list {
			for _, known := range stampKinds {
				if !known.oid.Equal(a.Type) || known.signed != (i == 0) {
					continue
				}
				for _, v := range a.Values {
					use(known.kind, v)
				}
			}
		}
	}
}

// imprint finds what the token of st must cover, compares and notes its hash.
func (sd *SignedData) imprint(s *SignerInfo, st *Stamp, d *Digests) ([]byte, Fault, string) {
	if st.Kind == StampArchiveOld || st.Kind == StampReferences {
		return nil, FaultUnsupported, "time-stamps of this form are not judged"
	}
	token, h, imprint, err := openToken(st.Token)
	if err != nil {
		return nil, FaultFormat, err.Error()
	}
	st.Hash = h
	if s.parent != nil {
		d = digestsOf(s.parent.Value, h)
	}
	var want []byte
	switch st.Kind {
	case StampSignature:
		want = sum(h, s.Value)
	case StampContent:
		if want = d.Sum(h); want == nil {
			return nil, FaultNoContent, "the content is not at hand"
		}
	case StampArchive:
		var fault Fault
		var why string
		if want, fault, why = sd.archived(s, st, token, d); fault != "" {
			return nil, fault, why
		}
	}
	if !bytes.Equal(want, imprint) {
		return want, FaultContent, "the token covers something else"
	}
	return want, "", ""
}

// openToken reads a time-stamp token as far as its message imprint (RFC 3161 §2.4.2).
func openToken(b []byte) (token *SignedData, h crypto.Hash, imprint []byte, err error) {
	if token, err = parse(b, true); err != nil {
		return nil, 0, nil, err
	}
	in := cryptobyte.String(token.Content)
	var info, message, hashed cryptobyte.String
	if !token.ContentType.Equal(OIDTSTInfo) || !token.Embedded || len(token.Signers) != 1 ||
		!in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.INTEGER) ||
		!info.SkipASN1(cbasn1.OBJECT_IDENTIFIER) || !info.ReadASN1(&message, cbasn1.SEQUENCE) {
		return nil, 0, nil, malformed("not a time-stamp token with one signer")
	}
	a, ok := readAlgorithm(&message)
	if !ok || !message.ReadASN1(&hashed, cbasn1.OCTET_STRING) || !message.Empty() {
		return nil, 0, nil, malformed("the message imprint of a time-stamp token is not readable")
	}
	if h, err = a.hashOf(); err != nil {
		return nil, 0, nil, jitsuin.Errorf(jitsuin.Unsupported, "cms-imprint", "the hash %s of a message imprint: %w", a.OID, err)
	}
	return token, h, hashed, nil
}

// stampHashes gives the hashes of the content that time-stamps on any signature need.
func (sd *SignedData) stampHashes() []crypto.Hash {
	var all []crypto.Hash
	for _, s := range sd.Signers {
		s.tokens(func(kind StampKind, token []byte) {
			if kind != StampContent && kind != StampArchive {
				return
			}
			if _, h, _, err := openToken(token); err == nil {
				all = append(all, h)
			}
		})
	}
	return all
}
