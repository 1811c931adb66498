package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"slices"

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
	stampKinds        = []stampPlace{
		{oidContentStamp, StampContent, true, oidElement(oidContentStamp)},
		{oidSignatureStamp, StampSignature, false, oidElement(oidSignatureStamp)},
		{oidArchiveStamp, StampArchive, false, oidElement(oidArchiveStamp)},
		{smime(27), StampArchiveOld, false, oidElement(smime(27))},
		{smime(48), StampArchiveOld, false, oidElement(smime(48))},
		{oidLongTerm, StampArchiveOld, false, oidElement(oidLongTerm)},
		{smime(25), StampReferences, false, oidElement(smime(25))},
		{smime(26), StampReferences, false, oidElement(smime(26))},
	}
)

// stampPlace is an attribute in which time-stamps of one kind stand, and its type in DER.
type stampPlace struct {
	oid    asn1.ObjectIdentifier
	kind   StampKind
	signed bool
	der    []byte
}

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
	// Sealed tells that every archive time-stamp behind this one in the list covers it, those aside
	// that have a fault.
	Sealed bool
	// Uncovered counts, for StampArchive, the certificates, the pieces of revocation information and
	// the unsigned attributes that the token does not cover, itself among them.
	Uncovered int

	attribute []byte             // the whole unsigned attribute that holds the token
	typed     []byte             // its type and the token
	ofTyped   map[indexed]string // digests of typed
	ofWhole   map[indexed]string // digests of attribute, shared by all tokens in it
	index     *hashIndex         // of StampArchive, nil where it is not sound
	above     int                // how many archive time-stamps it covers
}

// Stamps gives the time-stamp tokens on one signature in the order in which they can have been made:
// over the content, over the signature, over references, then archives, the covered before the
// covering. d is what Digest gave, nil for no content.
func (sd *SignedData) Stamps(s *SignerInfo, d *Digests) []Stamp {
	var all []Stamp
	var shared map[indexed]string
	s.tokens(func(kind StampKind, attribute, oid, token []byte) {
		if n := len(all); n == 0 || attribute == nil || all[n-1].attribute == nil || &all[n-1].attribute[0] != &attribute[0] {
			shared = map[indexed]string{}
		}
		st := Stamp{Kind: kind, Token: token, attribute: attribute, typed: slices.Concat(oid, token),
			ofTyped: map[indexed]string{}, ofWhole: shared}
		st.Digest, st.Fault, st.Why = sd.imprint(s, &st, d)
		all = append(all, st)
	})
	seal(all)
	return all
}

// tokens calls use with every time-stamp token on s. An attribute where it does not belong is none.
// attribute is the whole of an unsigned one, nil of a signed one, and oid its type.
func (s *SignerInfo) tokens(use func(kind StampKind, attribute, oid, token []byte)) {
	for i, list := range [][]Attribute{s.Signed, s.Unsigned} {
		for n, a := range list {
			at := slices.IndexFunc(stampKinds, func(k stampPlace) bool { return k.oid.Equal(a.Type) && k.signed == (i == 0) })
			if at < 0 {
				continue
			}
			var whole []byte
			if i == 1 {
				whole = s.members.unsigned[n]
			}
			for _, v := range a.Values {
				use(stampKinds[at].kind, whole, stampKinds[at].der, v)
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
		s.tokens(func(kind StampKind, _, _, token []byte) {
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
