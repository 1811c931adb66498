package cms

import (
	"bytes"
	"context"
	"io"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Add gives signed with one more signature over the same content, beside those that are there, and the
// signer's certificates. content is nil where it is embedded, and must be the embedded content
// where both are there; whether a detached content is what the others signed is checked too. The
// order of DER may put the new signature before the others. ContentType of s is not used.
func (s *Signer) Add(ctx context.Context, signed []byte, content io.Reader, at time.Time) ([]byte, error) {
	su, err := s.check(at)
	if err != nil {
		return nil, err
	}
	sd, err := parseToAdd(signed)
	if err != nil {
		return nil, err
	}
	if len(sd.Signers) == MaxSigners {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "signer", "there are %d signatures already", MaxSigners)
	}
	d, err := sd.digestWith(ctx, content, append(sd.needed(), su.hash))
	if err != nil {
		return nil, err
	}
	if d.Sum(su.hash) == nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "content", "a signature needs the content")
	}
	for _, other := range sd.Signers {
		for _, c := range sd.Verify(other, d, nil).Checks {
			if c.Fault == FaultContent {
				return nil, jitsuin.Errorf(jitsuin.Conflict, "content", "the content is not what the other signatures cover")
			}
		}
	}
	fixed, err := s.value(su, sd.ContentType, d.Sum(su.hash), at)
	if err != nil {
		return nil, err
	}
	sd.members.signers = insertSigner(sd.members.signers, signerMembers{fixed: fixed})
	s.join(sd, su)
	return sd.members.write()
}

// Countersign gives signed with a countersignature on the signature index, counted from 0 (RFC 5652
// §11.4): a signature over that signature's value, which is not judged, and the signer's certificates.
func (s *Signer) Countersign(ctx context.Context, signed []byte, index int, at time.Time) ([]byte, error) {
	su, err := s.check(at)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	sd, err := parseToAdd(signed)
	if err != nil {
		return nil, err
	}
	parent, err := sd.signer(index)
	if err != nil {
		return nil, err
	}
	if sd.counters == MaxSigners {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "signer", "there are %d countersignatures already", MaxSigners)
	}
	fixed, err := s.value(su, nil, sum(su.hash, parent.Value), at)
	if err != nil {
		return nil, err
	}
	counter := signerMembers{fixed: fixed}
	if err := sd.addUnsigned(index, Attribute{Type: oidCountersignature, Values: [][]byte{counter.element()}}); err != nil {
		return nil, err
	}
	s.join(sd, su)
	return sd.members.write()
}

// join adds the certificates of s and its hash to the whole.
func (s *Signer) join(sd *SignedData, su suite) {
	for _, c := range s.certificates() {
		sd.members.certificates = insertOnce(sd.members.certificates, c)
	}
	if !sd.lists(su.digest()) {
		sd.members.digests = insert(sd.members.digests, su.digest().element())
	}
}

// insertSigner is insert for SignerInfo.
func insertSigner(set []signerMembers, one signerMembers) []signerMembers {
	at := slices.IndexFunc(set, func(other signerMembers) bool { return bytes.Compare(one.element(), other.element()) < 0 })
	if at < 0 {
		at = len(set)
	}
	return slices.Insert(slices.Clone(set), at, one)
}
