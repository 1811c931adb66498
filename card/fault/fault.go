package fault

import (
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Name is what goes wrong.
type Name string

const (
	// None ends a fault.
	None Name = "none"
	// WrongPIN has the next PIN be wrong, whatever is typed: the chip gets bytes that cannot be a PIN, and
	// its counter drops. Once.
	WrongPIN Name = "wrong-pin"
	// SignPINBlocked and AuthPINBlocked use up all tries of a PIN at once. Ending the fault does not bring
	// them back: a counter of the municipality does. UseUp does it; a Shim that is set to one of them changes
	// nothing.
	SignPINBlocked Name = "sign-pin-blocked"
	AuthPINBlocked Name = "auth-pin-blocked"
	// Removed takes the card away while it signs next: the command reaches the chip, no answer comes, and
	// the chip has no power. Once; the card can be put back at once.
	Removed Name = "removed"
	// TamperedFile changes one bit of what is read of a certificate, of My Number and the four items in the
	// text application, and of the face in the visual application, the lowest of the last byte in each.
	TamperedFile Name = "tampered-file"
	// WrongDigest changes one bit of each digest in the authenticity EF (0003) of the text application.
	WrongDigest Name = "wrong-digest"
	// ExpiredCertificate gives, in place of a certificate, one that the same CA signed over the same key and
	// that is over. Setting.Certificates has it.
	ExpiredCertificate Name = "expired-certificate"
	// Slow lets each command take Setting.Delay longer, as over a weak field.
	Slow Name = "slow"
	// Clone is a copy of the card by somebody who has all its files and none of its private keys: it signs
	// with a key of its own.
	Clone Name = "clone"
)

// Names are all faults that can be set, in the order in which people should see them.
var Names = []Name{WrongPIN, SignPINBlocked, AuthPINBlocked, Removed, TamperedFile, WrongDigest, ExpiredCertificate, Slow, Clone}

// Lasts tells whether a fault stays until somebody ends it. The others end by happening.
func (n Name) Lasts() bool {
	return slices.Contains([]Name{TamperedFile, WrongDigest, ExpiredCertificate, Slow, Clone}, n)
}

// The delay of Slow. A telephone holds a card for about twenty seconds; a login or a signature with its
// certificate takes 15 to 20 commands.
const (
	UsualDelay = 300 * time.Millisecond
	MaxDelay   = 5 * time.Second
)

// Setting is a fault with what belongs to it. The zero value is no fault.
type Setting struct {
	Name Name `json:"name"`
	// Delay is how much longer each command takes (Slow); 0 is UsualDelay, MaxDelay the most.
	Delay time.Duration `json:"delay,omitempty"`
	// Certificates are what ExpiredCertificate gives, DER by kind; a kind that is not here is read as it is.
	Certificates map[jitsuin.CertKind][]byte `json:"certificates,omitempty"`
}

// Checked fills in what is not said and refuses what is no fault: Invalid "card-fault".
func (s Setting) Checked() (Setting, error) {
	switch {
	case s.Name == "" || s.Name == None:
		return Setting{Name: None}, nil
	case !slices.Contains(Names, s.Name):
		return s, bad("there is no fault %q", s.Name).WithHint("the faults are: %s, and none ends one", list())
	case s.Name != Slow && s.Delay != 0:
		return s, bad("only a slow card has a delay")
	case s.Delay < 0 || s.Delay > MaxDelay:
		return s, bad("the delay of each command is at most %v", MaxDelay)
	case (s.Name == ExpiredCertificate) != (len(s.Certificates) > 0):
		return s, bad("an expired certificate, and nothing else, comes with certificates")
	}
	for kind, der := range s.Certificates {
		if _, err := kindFile(kind); err != nil {
			return s, err
		}
		if len(der) < 5 || len(der) > maxCertificate || der[0] != 0x30 || der[1] != 0x82 {
			return s, bad("this is no certificate as a card carries it")
		}
	}
	if s.Name == Slow && s.Delay == 0 {
		s.Delay = UsualDelay
	}
	return s, nil
}

func bad(format string, args ...any) *jitsuin.Error {
	return jitsuin.Errorf(jitsuin.Invalid, "card-fault", format, args...).At("fault")
}

func list() string {
	all := make([]string, len(Names))
	for i, n := range Names {
		all[i] = string(n)
	}
	return strings.Join(all, ", ")
}
