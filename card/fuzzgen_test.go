package card_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/binary"
	"slices"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
)

// dice gives a number below n. A generator that is given the same numbers makes the same commands.
type dice func(n int) int

// fromBytes makes decisions from the input of a fuzzer; ended is true when it is used up.
func fromBytes(input []byte, ended *bool) dice {
	return func(n int) int {
		v := 0
		for size := n - 1; size > 0; size >>= 8 {
			if len(input) == 0 {
				*ended = true
				return 0
			}
			v, input = v<<8|int(input[0]), input[1:]
		}
		return v % max(n, 1)
	}
}

// generator makes command APDUs that mean something, and near copies that do not.
type generator struct {
	dice
	m         *model
	terminals map[card.Role]reader.Terminal
	aids      []string
	files     map[string][]uint16
	last      []byte // answer to the last command
	queue     []func() []byte
	sent      [][]byte // some of the latest commands
}

func (g *generator) one(ids []uint16) uint16 { return ids[g.dice(len(ids))] }

func (g *generator) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.dice(256))
	}
	return b
}

// next gives the next command.
func (g *generator) next() []byte {
	if len(g.queue) > 0 {
		apdu := g.queue[0]()
		g.queue = g.queue[1:]
		return apdu
	}
	apdu := g.meaningful()
	switch g.dice(100) {
	case 0, 1, 2, 3:
		apdu = g.spoiled(apdu)
	case 4:
		apdu = g.bytes(g.dice(40))
	case 5:
		if len(g.sent) > 0 {
			apdu = g.sent[g.dice(len(g.sent))]
		}
	}
	if len(g.sent) < 64 {
		g.sent = append(g.sent, apdu)
	} else {
		g.sent[g.dice(64)] = apdu
	}
	return apdu
}

// spoiled changes a byte, cuts something off or adds something.
func (g *generator) spoiled(apdu []byte) []byte {
	apdu = append([]byte{}, apdu...)
	switch g.dice(4) {
	case 0:
		return apdu[:g.dice(len(apdu)+1)]
	case 1:
		return append(apdu, g.bytes(1+g.dice(4))...)
	}
	if len(apdu) > 0 {
		apdu[g.dice(min(len(apdu), 8))] ^= byte(1 << g.dice(8))
	}
	return apdu
}

// meaningful gives a command of the kinds that the chip knows, and of its neighbours.
func (g *generator) meaningful() []byte {
	if g.dice(3) == 0 {
		return g.goOn()
	}
	switch n := g.dice(400); {
	case n < 16:
		return g.selectApplication()
	case n < 90:
		return g.selectFile()
	case n < 220:
		return g.read()
	case n < 228:
		return card.Command{INS: 0xB2, P1: byte(g.dice(4)), P2: []byte{0x04, 0x0C, 0x14, 0x05, 0x00}[g.dice(5)], Le: g.le()}.Bytes()
	case n < 300:
		return g.verify()
	case n < 316:
		return g.change()
	case n < 330:
		return g.sign()
	case n < 336:
		return card.Command{INS: 0x84, Le: g.le()}.Bytes()
	case n < 342:
		return g.authenticate()
	case n < 374:
		return g.write()
	case n < 388:
		tags := []uint16{card.ObjectIssuer, card.ObjectCard, card.ObjectRecognition, card.ObjectATR, card.ObjectCVC, 0xDF30, uint16(g.dice(65536))}
		tag := tags[g.dice(len(tags))]
		return card.Command{INS: 0xCA, P1: byte(tag >> 8), P2: byte(tag), Le: g.le(), Extended: g.dice(4) == 0}.Bytes()
	case n < 396:
		return g.foreign()
	}
	return g.reset()
}

// goOn goes on from what was reached, so that what lies deep is come to: with a terminal it writes, with a PIN
// it reads and signs, else it verifies one, and where none has tries left it has a terminal fill them.
func (g *generator) goOn() []byte {
	var open []uint16
	for at, p := range g.m.pins {
		if at.aid == g.m.aid && p.tries > 0 && p.value != nil {
			open = append(open, at.id)
		}
	}
	slices.Sort(open)
	switch {
	case g.m.aid == card.AIDIssuer:
		return card.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(g.aids[g.dice(len(g.aids))])}.Bytes()
	case g.m.terminal != "" && g.dice(3) > 0:
		return g.write()
	case len(g.m.verified) > 0 && g.dice(12) == 0:
		return g.change()
	case len(g.m.verified) > 0 && g.dice(40) == 0:
		return g.sign()
	case len(g.m.verified) > 0 && g.dice(6) > 0:
		return g.read()
	case len(open) > 0 && g.dice(30) > 0:
		id := g.one(open)
		return card.Command{INS: 0x20, P2: 0x80 | byte(id), Data: g.m.pins[filePlace{g.m.aid, id}].value}.Bytes()
	}
	return g.authenticate()
}

// reset is no command: an empty APDU stands for it, see stream.
func (g *generator) reset() []byte { return nil }

func (g *generator) selectApplication() []byte {
	aid := g.aids[g.dice(len(g.aids))]
	switch g.dice(10) {
	case 0:
		aid = aid[:1+g.dice(len(aid))]
	case 1:
		aid += string(g.bytes(1 + g.dice(7)))
	case 2:
		return card.Command{INS: 0xA4, P1: byte(g.dice(5)), P2: byte(g.dice(16)), Data: []byte(aid), Le: g.le()}.Bytes()
	}
	return card.Command{INS: 0xA4, P1: 4, P2: []byte{0x0C, 0x0C, 0x00}[g.dice(3)], Data: []byte(aid)}.Bytes()
}

// file gives a file of the selected application, mostly.
func (g *generator) file() uint16 {
	if ids := g.files[g.m.aid]; len(ids) > 0 && g.dice(12) > 0 {
		return g.one(ids)
	}
	return uint16(g.dice(0x20))
}

func (g *generator) selectFile() []byte {
	id := g.file()
	if g.dice(30) == 0 {
		id = uint16(g.dice(65536))
	}
	return card.Command{INS: 0xA4, P1: 2, P2: 0x0C, Data: binary.BigEndian.AppendUint16(nil, id)}.Bytes()
}

func (g *generator) le() int {
	return []int{256, 256, 256, 1, 4, 16, 0, 65536, 1 + g.dice(300)}[g.dice(9)]
}

// at gives P2 for the current EF or for one by its short identifier.
func (g *generator) at() byte {
	if g.dice(2) == 0 {
		return 0x80
	}
	return 0x80 | byte(g.file()&0x1F)
}

func (g *generator) offset() int {
	return []int{0, 0, 0, 1, 4, 100, 255, 256, g.dice(400), g.dice(0x8000)}[g.dice(10)]
}

func (g *generator) read() []byte {
	if g.m.aid == card.AIDCommon && g.dice(4) == 0 {
		return card.Command{INS: 0xB2, P1: 1, P2: byte(card.FileCommonNumber)<<3 | 4, Le: 256}.Bytes()
	}
	c := card.Command{INS: 0xB0, Le: g.le(), Extended: g.dice(12) == 0}
	if g.dice(2) == 0 {
		c.P1, c.P2 = 0x80|byte(g.file()&0x1F), byte(g.offset())
	} else {
		o := g.offset()
		c.P1, c.P2 = byte(o>>8), byte(o)
	}
	return c.Bytes()
}

func (g *generator) verify() []byte {
	c := card.Command{INS: 0x20, P2: g.at()}
	right := g.m.pins[g.m.addressed(c.P2)]
	switch g.dice(12) {
	case 0:
		return c.Bytes()
	case 1:
		c.Data = g.bytes(g.dice(20))
	case 2:
		c.Data = []byte{'1', '2', '3', byte('0' + g.dice(10))}
	case 3: // all of it but the last character
		if right != nil && len(right.value) > 0 {
			c.Data = right.value[:len(right.value)-1]
		}
	case 4: // one character otherwise
		if right != nil && len(right.value) > 0 {
			c.Data = append([]byte{}, right.value...)
			c.Data[g.dice(len(c.Data))] ^= byte(1 + g.dice(255))
		}
	default:
		if right != nil {
			c.Data = right.value
		}
	}
	return c.Bytes()
}

// newPIN gives a PIN of the length that the file takes, mostly.
func (g *generator) newPIN(at filePlace) []byte {
	n := []int{4, 6, 8, 12, 14, 16, g.dice(20)}[g.dice(7)]
	if p := g.m.pins[at]; p != nil && g.dice(4) > 0 {
		n = len(p.value)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + g.dice(10))
	}
	return b
}

func (g *generator) change() []byte {
	c := card.Command{INS: 0x24, P1: 1, P2: g.at()}
	if g.dice(2) == 0 {
		c.CLA, c.INS, c.P1 = 0x80, 0x32, 0
	}
	c.Data = g.newPIN(g.m.addressed(c.P2))
	return c.Bytes()
}

func (g *generator) sign() []byte {
	if g.dice(8) == 0 {
		return card.Command{INS: 0x88, P2: g.at(), Data: g.bytes(g.dice(40)), Le: 256}.Bytes()
	}
	c := card.Command{CLA: 0x80, INS: 0x2A, P1: byte(g.dice(7)), P2: g.at(), Le: g.le()}
	if g.dice(8) == 0 {
		c.P2 = 0
	}
	c.Data = g.bytes([]int{0, 1, 32, 48, 51, 200, 246}[g.dice(7)])
	return c.Bytes()
}

// authenticate asks for a challenge and answers it: rightly, or with one thing wrong.
func (g *generator) authenticate() []byte {
	role := []card.Role{card.RoleProduction, card.RoleCounter, card.RoleFace}[g.dice(3)]
	wrong := g.dice(3) == 0
	g.queue = append(g.queue, func() []byte {
		challenge, _, ok := card.SplitResponse(g.last)
		t := g.terminals[role]
		if !ok || len(challenge) < 16 {
			return []byte{0x80, 0x82, 0, 0}
		}
		data := append([]byte{}, t.Certificate...)
		data = append(data, answerChallenge(t.Key.(*ecdsa.PrivateKey), challenge)...)
		if wrong {
			data[g.dice(len(data))] ^= byte(1 << g.dice(8))
		} else {
			g.m.good, g.m.goodRole = data, role
		}
		return card.Command{CLA: 0x80, INS: 0x82, Data: data}.Bytes()
	})
	return card.Command{INS: 0x84, Le: []int{16, 16, 32, 8, 256}[g.dice(5)]}.Bytes()
}

// answerChallenge is what card.SignChallenge makes, without its checks.
func answerChallenge(key *ecdsa.PrivateKey, challenge []byte) []byte {
	signed, err := card.SignChallenge(rand.Reader, nil, key, challenge)
	if err != nil {
		panic(err)
	}
	return signed
}

func (g *generator) write() []byte {
	c := card.Command{CLA: 0x80, P2: g.at()}
	switch g.dice(7) {
	case 0:
		c.INS, c.Data = 0x2C, g.newPIN(g.m.addressed(c.P2))
	case 1:
		c.INS, c.P1, c.Le = 0x46, []byte{0, 0, 0, 1, 2, 3, 4}[g.dice(7)], 256
		if g.dice(2) == 0 {
			c.P2 = 0x80 | byte([]uint16{card.FileAuthKey, card.FileSignKey}[g.dice(2)])
		}
		if c.P1 > 0 {
			c.Data = []byte{0, byte(g.dice(256))}
		} else {
			c.Le = 0
		}
	case 2:
		c.INS, c.P2, c.Data = 0xD7, 0, g.bytes(g.dice(300))
	case 3:
		c.INS, c.P1, c.P2, c.Data = 0xDC, byte(1+g.dice(3)), []byte{0x04, 0x0C}[g.dice(2)], g.bytes(g.dice(40))
	case 4:
		c.INS, c.P1, c.P2, c.Data = 0xDA, 0, []byte{0x42, 0x45, 0xF0}[g.dice(3)], g.bytes(g.dice(40))
	default:
		c.INS, c.Data = 0xD6, g.bytes(g.dice(60))
		if g.dice(2) == 0 {
			c.P1, c.P2 = 0x80|byte(g.file()&0x1F), byte(g.dice(20))
		} else {
			o := g.offset()
			c.P1, c.P2 = byte(o>>8), byte(o)
		}
	}
	return c.Bytes()
}

// foreign gives what others use: the free area without a ticket, session keys, secure messaging, channels.
func (g *generator) foreign() []byte {
	c := card.Command{CLA: 0x80, INS: []byte{0xE6, 0xE2, 0xE4, 0xF2, 0x46, 0x82, 0xA2, 0xAE, 0xFC}[g.dice(9)],
		P1: []byte{0, 4, 8, 0x80, 0x81, 0x40}[g.dice(6)], P2: byte(g.dice(3)), Data: g.bytes([]int{0, 2, 10, 40, 231, 256, 307}[g.dice(7)]), Le: g.le()}
	if c.INS == 0xF2 {
		c.Data = []byte{0x4F, 0}
	}
	switch g.dice(6) {
	case 0:
		c.CLA = byte(g.dice(256))
	case 1:
		c.INS = byte(g.dice(256))
	}
	return c.Bytes()
}

// keyPool gives ready keys, one after the other.
func keyPool(keys [][]byte) func(card.Algorithm) ([]byte, error) {
	n := 0
	return func(card.Algorithm) ([]byte, error) {
		n++
		return keys[n%len(keys)], nil
	}
}
