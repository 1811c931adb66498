package host

// Verdict is how a PIN or password that was tried on a chip came out.
type Verdict string

const (
	PINRight   Verdict = "right"
	PINWrong   Verdict = "wrong"   // and tries are left
	PINBlocked Verdict = "blocked" // wrong, and that was the last try
	PINRefused Verdict = "refused" // not compared: it was blocked before, or the command was no good
)

// verdictOf reads a VERIFY (ISO 7816-4 §11.5.6) and its answer. ok is false for any other command and
// for the VERIFY without data, which only asks how many tries are left.
func verdictOf(command, response []byte) (v Verdict, ok bool) {
	if len(command) <= 5 || command[1] != 0x20 || len(response) < 2 {
		return "", false
	}
	sw := response[len(response)-2:]
	switch {
	case sw[0] == 0x90 && sw[1] == 0x00:
		return PINRight, true
	case sw[0] == 0x63 && sw[1] == 0xC0:
		return PINBlocked, true
	case sw[0] == 0x63:
		return PINWrong, true
	}
	return PINRefused, true
}
