package explain

import (
	"bytes"

	"github.com/jitsuin/jitsuin/card"
)

// Exchange is one command to a card and its response as they may be shown: of a command that carries
// a secret the first four bytes, of a response that carries one the status word. Masked then is true.
type Exchange struct {
	Command, Response []byte
	Masked            bool
}

// Redactor takes secrets out of a conversation. It listens from the moment when nothing is selected
// on the card, and is told of resets. Not for concurrent use. The zero value is good.
type Redactor struct {
	place
	hidden bool // the last response was masked, and so is what is left of it
}

// Reset tells that the card forgot what was selected.
func (r *Redactor) Reset() { r.place, r.hidden = place{}, false }

// carriesPIN tells whether the data of an instruction is a PIN, a password or what replaces one: VERIFY
// (20, 21), CHANGE REFERENCE DATA (24, 25), RESET RETRY COUNTER (2C, 2D), CHANGE KEY (32), SET SESSION KEY (AE), or
// may be one among other things: STORE DATA (E2) for an application of the free area.
func carriesPIN(ins byte) bool {
	return bytes.IndexByte([]byte{0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D, 0x32, 0xAE, 0xE2}, ins) >= 0
}

// Show gives what may be shown of an exchange. The result aliases its arguments.
func (r *Redactor) Show(command, response []byte) Exchange {
	e := Exchange{Command: command, Response: response}
	data, sw, answered := card.SplitResponse(response)
	if len(command) < 4 {
		return e
	}
	c := header(command)
	f, about := r.means(c)
	// A record or file of an application that we do not know is left as it is: masking all would show nothing.
	secret := about && f.secret
	rest := c.INS == 0xC0 && r.hidden // GET RESPONSE
	if len(command) > 5 && (carriesPIN(c.INS) || secret && c.INS != 0xA4 || hasMyNumber(command)) {
		e.Command, e.Masked = command[:4], true
	}
	r.hidden = false
	if answered && (len(data) > 0 && (secret || rest || hasMyNumber(data)) || secret && sw&0xFF00 == 0x6100) {
		e.Response, e.Masked, r.hidden = response[len(data):], true, true
	}
	r.follow(c, sw)
	return e
}

// hasMyNumber finds the object that a card keeps My Number in: FF 10 0C and twelve digits.
func hasMyNumber(b []byte) bool {
	for {
		i := bytes.Index(b, []byte{0xFF, 0x10, 0x0C})
		if i < 0 {
			return false
		}
		b = b[i+3:]
		if len(b) >= 12 && len(bytes.Trim(b[:12], "0123456789")) == 0 {
			return true
		}
	}
}
