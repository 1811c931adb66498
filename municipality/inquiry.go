package municipality

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// letter is an inquiry letter (照会書) on its way. Whoever brings its code back (回答書) gets post at
// the registered address. Only the code's digest is kept.
type letter struct {
	Digest  string       `json:"digest"`
	ReplyBy jitsuin.Date `json:"reply_by"`
	Wrong   int          `json:"wrong,omitempty"`
}

// replyTries is how often the code of one letter may be wrong. Our choice; with 60 random bits it
// is there to notice, more than to stop, a guesser.
const replyTries = 5

// newReplyCode draws 60 bits in 12 letters and digits, in three groups.
func newReplyCode() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	s := base32.StdEncoding.EncodeToString(b[:])[:12]
	return s[:4] + "-" + s[4:8] + "-" + s[8:]
}

// digestReply ignores case, spaces and hyphens, which people change.
func digestReply(id jitsuin.ID, code string) string {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(code))
	sum := sha256.Sum256([]byte(string(id) + "\x00" + plain))
	return hex.EncodeToString(sum[:])
}

// inquire makes the letter; a later letter replaces an earlier one.
func (c *caseFile) inquire(r *record, code string, replyBy jitsuin.Date) (api.Letter, error) {
	if err := c.in(api.Received, api.InquirySent); err != nil {
		return api.Letter{}, err
	}
	if r == nil || r.State != jitsuin.Present {
		return api.Letter{}, jitsuin.Errorf(jitsuin.Conflict, "not-resident", "the applicant is not on the register any more")
	}
	c.State, c.Letter = api.InquirySent, &letter{Digest: digestReply(c.ID, code), ReplyBy: replyBy}
	return api.Letter{Address: r.Items.Address, Name: r.Items.Name, ReplyCode: code, ReplyBy: replyBy}, nil
}

// checkReply compares the code that was brought back. A wrong one counts; the last try and a late
// reply close the case.
func (c *caseFile) checkReply(code string, today jitsuin.Date) *jitsuin.Error {
	if c.Letter == nil {
		return jitsuin.Errorf(jitsuin.Conflict, "inquiry-missing", "no inquiry letter was sent in this case").At("reply_code")
	}
	if today.After(c.Letter.ReplyBy) {
		c.refuse("inquiry-expired", fmt.Sprintf("the reply had to come by %s", c.Letter.ReplyBy), "reply_code")
		return nil
	}
	if subtle.ConstantTimeCompare([]byte(digestReply(c.ID, code)), []byte(c.Letter.Digest)) == 1 {
		return nil
	}
	c.Letter.Wrong++
	if left := replyTries - c.Letter.Wrong; left > 0 {
		return jitsuin.Errorf(jitsuin.Invalid, "reply-code-wrong", "the reply code is wrong, %d tries are left", left).At("reply_code")
	}
	c.refuse("reply-code-locked", "the reply code was wrong too often", "reply_code")
	return nil
}
