package cms

import (
	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
)

// readCountersigners reads the countersignatures on s and those on them; level counts from 1.
func (sd *SignedData) readCountersigners(s *SignerInfo, level int) error {
	for _, a := range s.Unsigned {
		if !a.Type.Equal(oidCountersignature) {
			continue
		}
		for _, value := range a.Values {
			if sd.counters++; sd.counters > MaxSigners || level > MaxNesting {
				return jitsuin.Errorf(jitsuin.Unsupported, "cms-countersignatures",
					"more than %d countersignatures or %d levels of them", MaxSigners, MaxNesting)
			}
			in := cryptobyte.String(value)
			c, err := readSigner(&in)
			if err != nil {
				return err
			}
			c.parent = s
			s.Countersigners = append(s.Countersigners, c)
			if err := sd.readCountersigners(c, level+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// Countersigns gives the signature that s countersigns, nil where s covers the content.
func (s *SignerInfo) Countersigns() *SignerInfo { return s.parent }

// All gives every signature: Signers, each followed by the countersignatures on it and on those.
func (sd *SignedData) All() []*SignerInfo {
	var all []*SignerInfo
	for _, s := range sd.Signers {
		all = s.appendTo(all)
	}
	return all
}

func (s *SignerInfo) appendTo(all []*SignerInfo) []*SignerInfo {
	all = append(all, s)
	for _, c := range s.Countersigners {
		all = c.appendTo(all)
	}
	return all
}
