package cert

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
)

// State is the answer to "is this certificate dead?".
type State string

const (
	Good       State = "good"        // the authority answered, and it is not revoked
	Revoked    State = "revoked"     // revoked, or suspended (certificateHold)
	Unknown    State = "unknown"     // nobody entitled gave a usable answer: never to be read as good
	NotChecked State = "not_checked" // nobody was asked
)

// Where a Status comes from.
const (
	SourceOCSP = "ocsp"
	SourceCRL  = "crl"
	SourceNone = "none"
)

// Status is one answer about one certificate. RevokedAt and Reason are set when the source named a
// revocation, even one later than the instant asked about (then State is Good). Why says in a
// sentence what is wrong when State is Unknown. Stale marks an Unknown that is so only because the
// newest answer at hand is out of date. Overdue marks an answer from a source that had ended before the
// instant asked about, given only because the verifier's operator chose to go on with it for a while: whoever
// passes it on must say so.
type Status struct {
	State      State
	Source     string
	ThisUpdate time.Time
	NextUpdate time.Time // zero if the source promises none
	RevokedAt  time.Time
	Reason     jitsuin.RevocationReason
	Why        string
	Stale      bool
	Overdue    bool
}

// Revocation answers for the status of cert, issued by issuer, at the instant at.
// A source that cannot answer returns Unknown with Why and a nil error; an error means that the
// question itself was bad or ctx ended. An implementation must verify what it answers from.
type Revocation interface {
	Status(ctx context.Context, cert, issuer *x509.Certificate, at time.Time) (Status, error)
}

// PathRevocation is a Revocation that is told the whole path, leaf first and anchor last, and answers for chain[i]:
// whoever else signs revocation lists must be under the same anchor (RFC 5280 §6.3.3 f).
type PathRevocation interface {
	Revocation
	StatusInPath(ctx context.Context, chain []*x509.Certificate, i int, at time.Time) (Status, error)
}

// unknown makes an Unknown status.
func unknown(source, why string) Status { return Status{State: Unknown, Source: source, Why: why} }
