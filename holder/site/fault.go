package site

import (
	"bytes"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/api"
)

// fault is how a tester has an answer go wrong. In the sandbox only.
type fault string

const (
	faultNone      fault = ""
	faultAltered   fault = "altered"    // the document is changed after it was signed
	faultWrongKind fault = "wrong-kind" // signed with the authentication key
	faultTwice     fault = "twice"      // the answer is sent twice
	faultLate      fault = "late"       // the answer is sent after the request has expired
)

// test is what a tester asked for.
type test struct {
	fault fault
	pin   []byte // of the authentication key, for faultWrongKind
}

// faults lists what can go wrong with the answer of a flow.
func (f *flow) faults() []fault {
	if f.claims.Act == api.ActSign && !f.claims.Documents[0].Bare {
		return []fault{faultAltered, faultWrongKind, faultTwice, faultLate}
	}
	return []fault{faultTwice, faultLate}
}

// checkFault refuses faults outside the sandbox, and those that the request cannot have.
func (s *Site) checkFault(f *flow, wanted fault) error {
	if wanted == faultNone {
		return nil
	}
	if s.cfg.Sandbox {
		for _, known := range f.faults() {
			if known == wanted {
				return nil
			}
		}
	}
	return jitsuin.Errorf(jitsuin.Invalid, "fault-unknown", "no answer of this request goes wrong like that").At("fault")
}

// alter changes a document so that it still opens: a comment after its end.
func alter(pdf []byte) []byte { return append(bytes.Clone(pdf), "% altered after signing\n"...) }

// untilLate is how long an answer is still held back.
func (f *flow) untilLate(now time.Time) time.Duration {
	if f.fault != faultLate {
		return 0
	}
	return max(0, time.Unix(f.claims.ExpiresAt+1, 0).Sub(now)).Round(time.Second)
}
