package console

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
)

// spoken is one command to a chip and its response, in hex and in words.
type spoken struct {
	N                   int
	Took                time.Duration
	Command, Response   string
	Say, Answer, Status string
	OK, Masked          bool
}

// commands are the instructions of the chip by CLA and INS or INS alone: consolemap.apdu.NAME.
var commands = map[byte]string{0xA4: "select", 0xB0: "read", 0x20: "verify", 0x24: "change-pin", 0x2C: "reset-pin", 0x84: "challenge",
	0x82: "authenticate", 0x46: "generate", 0xD6: "update", 0x2A: "sign", 0xC0: "get-response"}

// statusWords are answers of the chip: consolemap.sw.NAME.
var statusWords = map[card.SW]string{card.SWOK: "ok", card.SWNotVerified: "not-verified", card.SWBlocked: "blocked", card.SWSecurityStatus: "security",
	card.SWFileNotFound: "not-found", card.SWReferencedNotFound: "no-key", card.SWWrongOffset: "end", card.SWWrongLength: "length",
	card.SWWrongData: "data", card.SWUnknownINS: "unknown", card.SWUnknownCLA: "unknown", card.SWConditions: "conditions"}

// files are the files of the chip: consolemap.file.NAME.
var files = map[uint16]string{card.FileSignCert: "sign-cert", card.FileSignCA: "sign-ca", card.FileTokenInfo: "token", card.FilePresence: "presence",
	card.FileAuthCert: "auth-cert", card.FileAuthCA: "auth-ca", card.FileAuthKey: "auth-key", card.FileAuthPIN: "auth-pin",
	card.FileSignKey: "sign-key", card.FileSignPIN: "sign-pin"}

// dialogue puts the commands of a card's use into words.
func dialogue(l web.Lang, c *trace.Card) []spoken {
	if c == nil {
		return nil
	}
	var all []spoken
	for i, a := range c.Commands {
		command, _ := hex.DecodeString(a.Command)
		response, _ := hex.DecodeString(a.Response)
		s := spoken{N: i + 1, Took: time.Duration(a.Took) * time.Microsecond, Command: spaced(a.Command), Masked: a.Masked, Say: sayCommand(l, command, a.Masked)}
		data, sw, ok := card.SplitResponse(response)
		if ok {
			s.Status, s.Answer, s.OK = sw.String(), saySW(l, sw), sw == card.SWOK
		}
		s.Response = spaced(hex.EncodeToString(data))
		all = append(all, s)
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

// sayCommand tells what a command asks for, and of which file.
func sayCommand(l web.Lang, raw []byte, masked bool) string {
	if len(raw) < 4 {
		return web.Text(l, "consolemap.apdu.other", "ins", hex.EncodeToString(raw))
	}
	name, ok := commands[raw[1]]
	if name == "verify" && !masked {
		name = "tries"
	}
	if !ok {
		return web.Text(l, "consolemap.apdu.other", "ins", fmt.Sprintf("%02X", raw[1]))
	}
	text := web.Text(l, "consolemap.apdu."+name)
	if of := fileOf(raw); of != "" {
		text = web.Text(l, "consolemap.apdu.of", "what", text, "file", web.Text(l, "consolemap.file."+of))
	}
	return text
}

// fileOf names the file that a command selects, or refers to by its short identifier.
func fileOf(raw []byte) string {
	c, err := card.ParseCommand(raw)
	switch {
	case err == nil && c.INS == 0xA4 && c.P1 == 0x04:
		return "application"
	case err == nil && c.INS == 0xA4 && len(c.Data) == 2:
		return files[binary.BigEndian.Uint16(c.Data)]
	case raw[1] == 0x20 || raw[1] == 0x24 || raw[1] == 0x2C || raw[1] == 0x46:
		if raw[3]&0x80 != 0 && raw[3]&0x1F != 0 {
			return files[uint16(raw[3]&0x1F)]
		}
	case (raw[1] == 0xB0 || raw[1] == 0xD6) && raw[2]&0x80 != 0:
		return files[uint16(raw[2]&0x1F)]
	}
	return ""
}

func saySW(l web.Lang, sw card.SW) string {
	if left, ok := sw.Tries(); ok {
		return web.Text(l, "consolemap.sw.tries", "n", left)
	}
	if name, ok := statusWords[sw]; ok {
		return web.Text(l, "consolemap.sw."+name)
	}
	return web.Text(l, "consolemap.sw.other")
}
