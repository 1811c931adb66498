package console

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
)

// spoken is one command to a chip and its response, in hex and in words.
type spoken struct {
	N                           int
	Took                        time.Duration
	Command, Response           string
	Say, Detail, Answer, Status string
	OK, Masked                  bool
}

// dialogue puts the commands of a card's use into words.
func dialogue(l web.Lang, c *trace.Card) []spoken {
	if c == nil {
		return nil
	}
	var all []spoken
	var d explain.Dialogue
	for i, a := range c.Commands {
		command, _ := hex.DecodeString(a.Command)
		response, _ := hex.DecodeString(a.Response)
		w := d.Say(explain.Exchange{Command: command, Response: response, Masked: a.Masked})
		data, _, _ := card.SplitResponse(response)
		all = append(all, spoken{N: i + 1, Took: time.Duration(a.Took) * time.Microsecond, Command: spaced(a.Command), Response: spaced(hex.EncodeToString(data)),
			Say: w.Command.In(string(l)), Detail: w.Detail.In(string(l)), Answer: w.Answer.In(string(l)), Status: w.Status, OK: w.OK, Masked: a.Masked})
	}
	return all
}

func spaced(digits string) string { return strings.ToUpper(grouped4(digits)) }

func grouped4(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s[i:min(i+4, len(s))])
	}
	return b.String()
}
