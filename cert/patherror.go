package cert

import (
	"fmt"

	"github.com/jitsuin/jitsuin"
)

// PathCode is why a path was refused, a stable word for programs.
type PathCode string

const (
	NoIssuer       PathCode = "no-issuer"       // no trusted issuer; also the right name with another key
	BadSignature   PathCode = "bad-signature"   // the issuer's key is known and did not make this signature
	Expired        PathCode = "expired"         // after notAfter
	NotYetValid    PathCode = "not-yet-valid"   // before notBefore
	WrongKind      PathCode = "wrong-kind"      // a valid certificate of another kind than asked for
	BadUsage       PathCode = "bad-usage"       // key usage does not allow what is needed
	BadConstraints PathCode = "bad-constraints" // basic, name, policy or length constraints, unknown critical extensions
	RevokedCode    PathCode = "revoked"         // revoked or suspended at the instant asked about
	StatusUnknown  PathCode = "status-unknown"  // no usable status
	StatusStale    PathCode = "status-stale"    // the status is out of date
	BadAlgorithm   PathCode = "bad-algorithm"   // an algorithm or key length that is not accepted
	Malformed      PathCode = "malformed"       // not a certificate, or not one instant asked about
)

var pathKinds = map[PathCode]jitsuin.Kind{
	NoIssuer: jitsuin.Invalid, BadSignature: jitsuin.Invalid, Expired: jitsuin.Expired,
	NotYetValid: jitsuin.Expired, WrongKind: jitsuin.Invalid, BadUsage: jitsuin.Invalid,
	BadConstraints: jitsuin.Invalid, RevokedCode: jitsuin.Revoked, StatusUnknown: jitsuin.Unavailable,
	StatusStale: jitsuin.Unavailable, BadAlgorithm: jitsuin.Unsupported, Malformed: jitsuin.Invalid,
}

// PathError says why ValidatePath refused. Depth counts certificates from the leaf (0) to the one
// at fault. It unwraps to a *jitsuin.Error of the fitting kind with the code "path-CODE".
type PathError struct {
	Code    PathCode
	Message string
	Depth   int
	Err     error // the cause, where one is
}

// Error gives the message; it names no person.
func (e *PathError) Error() string { return e.Message }

// Unwrap gives the *jitsuin.Error of the kind that Code maps to, and the cause.
func (e *PathError) Unwrap() []error {
	made := &jitsuin.Error{Kind: pathKinds[e.Code], Code: "path-" + string(e.Code), Message: e.Message}
	if e.Err == nil {
		return []error{made}
	}
	return []error{made, e.Err}
}

func pathErrorf(code PathCode, depth int, format string, args ...any) *PathError {
	return &PathError{Code: code, Depth: depth, Message: fmt.Sprintf(format, args...)}
}
