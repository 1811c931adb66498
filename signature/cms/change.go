package cms

import (
	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// AddUnsigned gives signed with one more unsigned attribute on the signature index, counted from 0
// in the order of Signers. Signatures stay good, for no signature covers what is unsigned. BER
// becomes DER in lengths; content, signed attributes and the other attributes keep their octets and
// order. Values are whole DER elements, at least one. A countersignature or an archive time-stamp
// is what its own function adds; here nothing is judged. What is archived in an older form than
// archive-time-stamp-v3, or in BER, is refused with kind Unsupported.
func AddUnsigned(signed []byte, index int, a Attribute) ([]byte, error) {
	sd, err := parseToAdd(signed)
	if err != nil {
		return nil, err
	}
	if err := sd.addUnsigned(index, a); err != nil {
		return nil, err
	}
	return sd.members.write()
}

func (sd *SignedData) addUnsigned(index int, a Attribute) error {
	s, err := sd.signer(index)
	if err != nil {
		return err
	}
	if len(a.Values) == 0 {
		return jitsuin.Errorf(jitsuin.Invalid, "attribute", "an attribute has at least one value")
	}
	for _, v := range a.Values {
		in, whole, tag := cryptobyte.String(v), cryptobyte.String(nil), cbasn1.Tag(0)
		if !in.ReadAnyASN1Element(&whole, &tag) || !in.Empty() {
			return jitsuin.Errorf(jitsuin.Invalid, "attribute", "a value of the attribute is not one DER element")
		}
	}
	if len(s.Unsigned) == maxAttributes {
		return jitsuin.Errorf(jitsuin.Invalid, "attribute", "the signature has %d unsigned attributes already", maxAttributes)
	}
	element, err := a.element()
	if err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "attribute", "the attribute cannot be written: %w", err)
	}
	m := &sd.members.signers[index]
	m.unsigned = insert(m.unsigned, element)
	return nil
}

// signer gives the signature index, counted from 0.
func (sd *SignedData) signer(index int) (*SignerInfo, error) {
	if index < 0 || index >= len(sd.Signers) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "signer", "there is no signature %d among %d", index, len(sd.Signers))
	}
	return sd.Signers[index], nil
}
