package cert

import "encoding/asn1"

// PolicyInputs are what the asker brings to path validation (RFC 5280 §6.1.1 c to f). The zero value asks
// for nothing: every policy will do, and none need be there.
type PolicyInputs struct {
	Initial         []asn1.ObjectIdentifier // user-initial-policy-set; nil, or with anyPolicy among them, means any
	RequireExplicit bool                    // the path must be valid for one of Initial
	InhibitMapping  bool                    // no policy may stand for another
	InhibitAny      bool                    // anyPolicy counts for nothing
}
