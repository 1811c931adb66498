package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The attributes of a token that say what an archive time-stamp covers (EN 319 122-1 §5.5.2, and
// its elder from TS 101 733), and the attribute of a form of archive older than both.
var (
	oidHashIndexV3 = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 5}
	oidHashIndexV1 = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 5}
	oidLongTerm    = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 2}
)

// hashIndex is ATSHashIndexV3: digests of everything in three sets that a token covers. In version
// 1 the digests of unsigned attributes are of whole attributes and not of type and value.
type hashIndex struct {
	version  int
	hash     crypto.Hash
	sets     [3][][]byte     // certificates, revocation information, unsigned attributes
	unsigned map[string]bool // the last of these
	encoding []byte
}

// indexOf finds and reads the index in the unsigned attributes of a token.
func indexOf(token *SignedData) (*hashIndex, error) {
	var found *hashIndex
	for _, a := range token.Signers[0].Unsigned {
		version := 0
		switch {
		case a.Type.Equal(oidHashIndexV3):
			version = 3
		case a.Type.Equal(oidHashIndexV1):
			version = 1
		default:
			continue
		}
		if found != nil || len(a.Values) != 1 {
			return nil, errors.New("more than one index of digests")
		}
		var ok bool
		if found, ok = readIndex(a.Values[0], version); !ok {
			return nil, errors.New("the index of digests is not readable")
		}
	}
	if found == nil {
		return nil, errors.New("the index of digests is missing")
	}
	return found, nil
}

// readIndex reads one index. An absent algorithm means SHA-256, as it did in version 1.
func readIndex(encoding []byte, version int) (*hashIndex, bool) {
	x := &hashIndex{version: version, hash: crypto.SHA256, encoding: encoding}
	in := cryptobyte.String(encoding)
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	rest := body
	var first, second cryptobyte.String
	if rest.ReadASN1(&first, cbasn1.SEQUENCE) && first.ReadASN1(&second, cbasn1.OBJECT_IDENTIFIER) {
		a, ok := readAlgorithm(&body)
		h, err := a.hashOf()
		if !ok || err != nil {
			return nil, false
		}
		x.hash = h
	}
	for i := range x.sets {
		var set, one cryptobyte.String
		if !body.ReadASN1(&set, cbasn1.SEQUENCE) {
			return nil, false
		}
		for !set.Empty() {
			if !set.ReadASN1(&one, cbasn1.OCTET_STRING) || len(one) != x.hash.Size() {
				return nil, false
			}
			x.sets[i] = append(x.sets[i], one)
		}
	}
	return x, body.Empty()
}

// archived gives the digest that an archive time-stamp on s must cover (EN 319 122-1 §5.5.3), after
// the index in it has been found to name nothing that is not there.
func (sd *SignedData) archived(s *SignerInfo, st *Stamp, token *SignedData, d *Digests) ([]byte, Fault, string) {
	if s.parent != nil {
		return nil, FaultFormat, "an archive time-stamp does not stand on a countersignature"
	}
	x, err := indexOf(token)
	switch {
	case err != nil:
		return nil, FaultFormat, err.Error()
	case x.hash != st.Hash:
		return nil, FaultFormat, "the index of digests is made with another hash than the token"
	case d.Sum(st.Hash) == nil:
		return nil, FaultNoContent, "the content is not at hand"
	}
	for i, there := range [3]map[string]bool{sd.sums(st.Hash, 0), sd.sums(st.Hash, 1), s.unsignedSums(st.Hash, x.version)} {
		covered := map[string]bool{}
		x.unsigned = covered // the last one stays
		for _, digest := range x.sets[i] {
			if !there[string(digest)] {
				return nil, FaultContent, "the index of digests names something that is not there"
			}
			covered[string(digest)] = true
		}
		st.Uncovered += len(there) - len(covered)
	}
	st.index = x
	return sd.archiveImprint(s, st.Hash, d.Sum(st.Hash), x.encoding), "", ""
}

// archiveImprint hashes what EN 319 122-1 §5.5.3 puts together.
func (sd *SignedData) archiveImprint(s *SignerInfo, h crypto.Hash, content, index []byte) []byte {
	running := h.New()
	for _, part := range [][]byte{oidElement(sd.ContentType), content, s.members.fixed, index} {
		running.Write(part) // never fails
	}
	return running.Sum(nil)
}

// sums gives the digests of the certificates (0) or of the revocation information (1). They are
// kept, for several time-stamps may ask.
func (sd *SignedData) sums(h crypto.Hash, set int) map[string]bool {
	if sd.hashed == nil {
		sd.hashed = map[crypto.Hash]*[2]map[string]bool{}
	}
	if sd.hashed[h] == nil {
		sd.hashed[h] = &[2]map[string]bool{sumsOf(h, sd.members.certificates), sumsOf(h, sd.members.lists)}
	}
	return sd.hashed[h][set]
}

func sumsOf(h crypto.Hash, elements [][]byte) map[string]bool {
	all := map[string]bool{}
	for _, e := range elements {
		all[string(sum(h, e))] = true
	}
	return all
}

// unsignedSums gives the digests of the unsigned attributes of s as an index of the version has
// them. They are kept too.
func (s *SignerInfo) unsignedSums(h crypto.Hash, version int) map[string]bool {
	as := indexed{h, version}
	if s.hashed == nil {
		s.hashed = map[indexed]map[string]bool{}
	}
	if s.hashed[as] == nil && version == 1 {
		s.hashed[as] = sumsOf(h, s.members.unsigned)
	} else if s.hashed[as] == nil {
		s.hashed[as] = sumsOf(h, s.unsignedValues())
	}
	return s.hashed[as]
}

// unsignedValues gives the type and the value of every unsigned attribute, each pair in one piece.
func (s *SignerInfo) unsignedValues() [][]byte {
	var all [][]byte
	for _, a := range s.Unsigned {
		for _, v := range a.Values {
			all = append(all, append(oidElement(a.Type), v...))
		}
	}
	return all
}

// newIndex makes the index over everything that is there now, in DER.
func (sd *SignedData) newIndex(s *SignerInfo, h crypto.Hash) ([]byte, error) {
	a, _ := HashAlgorithm(h)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addAlgorithm(b, a.OID, nil)
		for _, set := range [3][][]byte{sd.members.certificates, sd.members.lists, s.unsignedValues()} {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, element := range set {
					b.AddASN1OctetString(sum(h, element))
				}
			})
		}
	})
	return b.Bytes()
}

// hasOldArchive tells whether any signature is archived in a form that adding to the whole would
// break (EN 319 122-1 §5.5.3).
func (sd *SignedData) hasOldArchive() bool {
	old := false
	for _, s := range sd.Signers {
		s.tokens(func(kind StampKind, _, _, _ []byte) { old = old || kind == StampArchiveOld })
	}
	return old
}

// hasArchive tells whether any signature has an archive time-stamp of any form.
func (sd *SignedData) hasArchive() bool {
	return sd.hasOldArchive() || slices.ContainsFunc(sd.Signers, func(s *SignerInfo) bool {
		return slices.ContainsFunc(s.Unsigned, func(a Attribute) bool { return a.Type.Equal(oidArchiveStamp) })
	})
}

// oidElement writes an object identifier that was read or is a constant.
func oidElement(oid asn1.ObjectIdentifier) []byte {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(oid)
	return bytes.Clone(b.BytesOrPanic())
}
