package card_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin/card"
)

// place is a file of an application.
type filePlace struct {
	aid string
	id  uint16
}

// need says which PINs open a file, any of them; nil opens it to everybody.
type need []uint16

// readNeeds is who may read what, written down anew from the facts, not from the chip's own tables.
func readNeeds(profile string, s card.Switches) map[filePlace]need {
	free := need(nil)
	basics, auth, sign := free, free, need{card.FileSignPIN}
	if s.VisualNeedsCheckNumber {
		basics = need{card.FileVisualA, card.FileVisualB}
	}
	if profile == card.ProfileAndroid {
		auth = need{card.FileAuthPIN}
	}
	if s.FreeSignCertificate {
		sign = free
	}
	any3 := need{card.FileTextPIN, card.FileTextA, card.FileTextB}
	all := map[filePlace]need{
		{card.AIDJPKI, card.FileSignCert}: sign, {card.AIDJPKI, card.FileSignCA}: free, {card.AIDJPKI, card.FileTokenInfo}: free,
		{card.AIDJPKI, card.FilePresence}: free, {card.AIDJPKI, card.FileAuthCert}: auth, {card.AIDJPKI, card.FileAuthCA}: free,
		{card.AIDText, card.FileTextMyNumber}: {card.FileTextPIN, card.FileTextA}, {card.AIDText, card.FileTextItems}: {card.FileTextPIN, card.FileTextB},
		{card.AIDText, card.FileTextAuthentic}: any3, {card.AIDText, card.FileTextCVC}: free, {card.AIDText, card.FileTextBasics}: free,
		{card.AIDText, card.FileTextSessionKey}: any3, {card.AIDText, card.FileTextOwnKey}: any3, {card.AIDText, card.FileTextUnknown}: free,
		{card.AIDVisual, card.FileVisualAge}: {card.FileVisualBirth}, {card.AIDVisual, card.FileVisualFace}: {card.FileVisualA, card.FileVisualB},
		{card.AIDVisual, card.FileVisualBasics}: basics, {card.AIDVisual, card.FileVisualCVC}: basics, {card.AIDVisual, card.FileVisualMyNumber}: {card.FileVisualA},
		{card.AIDVisual, card.FileVisualUnknown}:  {card.FileVisualA, card.FileVisualB},
		{card.AIDResident, card.FileKeyReference}: free, {card.AIDCommon, card.FileKeyReference}: free, {card.AIDCommon, card.FileCommonNumber}: free,
	}
	if profile == card.ProfileNext {
		for _, id := range []uint16{card.FileNextMyNumber, card.FileNextItems, card.FileNextAuthentic} {
			all[filePlace{card.AIDJPKI, id}] = need{card.FileAuthPIN}
		}
	}
	return all
}

// counterWrites is what the terminal of a counter may write or set; production may all of it and more, a face
// reader nothing.
var counterWrites = map[filePlace]bool{
	{card.AIDJPKI, card.FileSignCert}: true, {card.AIDJPKI, card.FileSignCA}: true, {card.AIDJPKI, card.FileAuthCert}: true, {card.AIDJPKI, card.FileAuthCA}: true,
	{card.AIDJPKI, card.FileAuthPIN}: true, {card.AIDJPKI, card.FileSignPIN}: true, {card.AIDJPKI, card.FileAuthKey}: true, {card.AIDJPKI, card.FileSignKey}: true,
	{card.AIDJPKI, card.FileNextItems}: true, {card.AIDJPKI, card.FileNextAuthentic}: true,
	{card.AIDText, card.FileTextItems}: true, {card.AIDText, card.FileTextAuthentic}: true, {card.AIDText, card.FileTextCVC}: true,
	{card.AIDText, card.FileTextPIN}: true, {card.AIDText, card.FileTextB}: true,
	{card.AIDVisual, card.FileVisualFace}: true, {card.AIDVisual, card.FileVisualCVC}: true, {card.AIDVisual, card.FileVisualB}: true,
	{card.AIDResident, card.FilePIN}: true, {card.AIDCommon, card.FilePIN}: true,
}

// pinTruth is what the model knows of a PIN. A value of nil matches nothing.
type pinTruth struct {
	value       []byte
	tries, most int
}

// model is what a chip should be, as somebody outside would describe it.
type model struct {
	switches card.Switches
	needs    map[filePlace]need
	pins     map[filePlace]*pinTruth
	content  map[filePlace][]byte // of files whose content is known
	canaries map[uint64]filePlace // eight bytes that stand in one protected file and nowhere else
	secrets  map[uint64]bool      // eight bytes of a private key

	aid      string
	ef       uint16
	verified map[uint16]bool
	terminal card.Role
	good     []byte // the data of EXTERNAL AUTHENTICATE that would be right now
	goodRole card.Role
}

func (m *model) clone() *model {
	c := *m
	c.pins, c.verified, c.content = map[filePlace]*pinTruth{}, map[uint16]bool{}, maps.Clone(m.content)
	for at, p := range m.pins {
		copied := *p
		c.pins[at] = &copied
	}
	return &c
}

// forget is what a reset does.
func (m *model) forget() {
	m.aid, m.ef, m.verified, m.terminal, m.good = card.AIDIssuer, 0, map[uint16]bool{}, "", nil
}

func (m *model) may(n need) bool {
	return len(n) == 0 || slices.ContainsFunc(n, func(pin uint16) bool { return m.verified[pin] })
}

func (m *model) mayWrite(at filePlace) bool {
	return m.terminal == card.RoleProduction || m.terminal == card.RoleCounter && counterWrites[at]
}

// addressed gives the file that a command means by P2 (or P1 of READ and UPDATE BINARY).
func (m *model) addressed(reference byte) filePlace {
	if id := uint16(reference & 0x1F); id != 0 {
		return filePlace{m.aid, id}
	}
	return filePlace{m.aid, m.ef}
}

func reference(c card.Command) byte {
	switch c.INS {
	case 0xB0, 0xD6:
		if c.P1&0x80 != 0 {
			return c.P1
		}
		return 0x80
	case 0xB2, 0xDC:
		return 0x80 | c.P2>>3
	}
	return c.P2
}

// step takes a command with its answer and tells what is wrong with it; "" for nothing. chip is looked into
// only for its counters and its status.
func (m *model) step(chip *card.Chip, apdu, response []byte) string {
	data, sw, ok := card.SplitResponse(response)
	if !ok {
		return "no status word"
	}
	c, err := card.ParseCommand(apdu)
	switch {
	case err != nil && (sw == card.SWOK || len(data) > 0):
		return "a command that cannot be read was answered"
	case sw != card.SWOK && len(data) > 0:
		return "data beside an error"
	case len(data) > c.Le:
		return "more data than was asked for"
	}
	if why := m.leak(c, data); why != "" {
		return why
	}
	if err == nil {
		if why := m.judge(c, data, sw); why != "" {
			return why
		}
	}
	return m.compare(chip, c, sw)
}

// leak looks for what must not be there.
func (m *model) leak(c card.Command, data []byte) string {
	for i := 0; i+8 <= len(data); i++ {
		window := binary.BigEndian.Uint64(data[i:])
		if m.secrets[window] {
			return "a piece of a private key"
		}
		if at, there := m.canaries[window]; there && (c.INS != 0xB0 || m.addressed(reference(c)) != at || !m.may(m.needs[at])) {
			return fmt.Sprintf("a piece of file %04X of %X without its PIN", at.id, at.aid)
		}
	}
	return ""
}

// judge checks a command that was carried out, and counts what counts.
func (m *model) judge(c card.Command, data []byte, sw card.SW) string {
	at := m.addressed(reference(c))
	if c.CLA == 0 && c.INS == 0x20 && len(c.Data) > 0 {
		return m.judgeVerify(c, at, sw)
	}
	if sw != card.SWOK {
		return ""
	}
	if c.CLA == 0x80 {
		return m.judgeOurs(c, at)
	}
	switch c.INS {
	case 0xA4:
		m.selected(c)
		return ""
	case 0xB0:
		return m.judgeRead(c, at, data)
	case 0xB2:
		if n, known := m.needs[at]; !known || !m.may(n) {
			return "a record was read that must not"
		}
	case 0x24:
		if !m.verified[at.id] || m.pins[at] == nil {
			return "a PIN was changed that was not verified"
		}
		m.pins[at].value, m.pins[at].tries = bytes.Clone(c.Data), m.pins[at].most
	case 0x84:
		m.good = nil
	case 0x88:
		if at != (filePlace{card.AIDCommon, card.FileCommonKey}) {
			return "another key answers INTERNAL AUTHENTICATE"
		}
	case 0x20:
		if !m.switches.VerifiedQuery || !m.verified[at.id] {
			return "a query of the tries was answered with 9000"
		}
	case 0xCA:
		if m.aid != card.AIDIssuer {
			return "GET DATA within an application"
		}
	default:
		return "an unknown command was carried out"
	}
	m.follow(c, at)
	return ""
}

// follow notes the file that a command named by its short identifier.
func (m *model) follow(c card.Command, at filePlace) {
	if r := reference(c); r&0x1F != 0 && r&0x80 != 0 && c.INS != 0xCA && c.INS != 0x84 {
		m.ef = at.id
	}
}

func (m *model) selected(c card.Command) {
	switch c.P1 {
	case 0x02:
		m.ef = binary.BigEndian.Uint16(c.Data)
	case 0x04:
		for _, aid := range []string{card.AIDIssuer, card.AIDJPKI, card.AIDText, card.AIDVisual, card.AIDResident, card.AIDCommon} {
			if !strings.HasPrefix(aid, string(c.Data)) || aid != card.AIDIssuer && !m.has(aid) {
				continue
			}
			if aid != m.aid || m.switches.ReselectClears {
				m.forget()
			}
			m.aid, m.ef = aid, 0
			return
		}
		m.forget()
		m.aid = "?" // compare finds what the chip has selected, and fails
	}
}

func (m *model) has(aid string) bool {
	for at := range m.pins {
		if at.aid == aid {
			return true
		}
	}
	return false
}

func (m *model) judgeVerify(c card.Command, at filePlace, sw card.SW) string {
	p := m.pins[at]
	left, counted := sw.Tries()
	switch {
	case sw != card.SWOK && !counted:
		if p != nil && p.tries > 0 && (sw == card.SWBlocked || sw == card.SWBlocked6983) {
			return "a PIN with tries left is called blocked"
		}
		return ""
	case p == nil:
		return "something was verified that is no PIN"
	case p.tries == 0:
		return "a blocked PIN was compared"
	}
	right := p.value != nil && bytes.Equal(p.value, c.Data)
	switch {
	case right != (sw == card.SWOK):
		return fmt.Sprintf("the right PIN: %v; answered %v", right, sw)
	case right:
		p.tries, m.verified[at.id] = p.most, true
	default:
		p.tries--
		delete(m.verified, at.id)
		if left != p.tries {
			return fmt.Sprintf("%d tries are left, %v says the card", p.tries, sw)
		}
	}
	m.follow(c, at)
	return ""
}

func (m *model) judgeRead(c card.Command, at filePlace, data []byte) string {
	n, known := m.needs[at]
	if !known || !m.may(n) {
		return fmt.Sprintf("file %04X of %X was read, which must not", at.id, at.aid)
	}
	offset := int(c.P1)<<8 | int(c.P2)
	if c.P1&0x80 != 0 {
		offset = int(c.P2)
	}
	if content, known := m.content[at]; known {
		want := content[min(offset, len(content)):min(offset+c.Le, len(content))]
		if !bytes.Equal(data, want) || len(want) == 0 && !m.switches.EmptyAtEnd {
			return fmt.Sprintf("file %04X of %X reads %d other bytes from %d", at.id, at.aid, len(data), offset)
		}
	}
	m.follow(c, at)
	return ""
}

// judgeOurs checks commands of class 80 that were carried out.
func (m *model) judgeOurs(c card.Command, at filePlace) string {
	switch c.INS {
	case 0x82:
		if c.P2 != 0 || m.good == nil || !bytes.Equal(m.good, c.Data) {
			return "a terminal was believed that must not be"
		}
		m.terminal, m.good = m.goodRole, nil
		return ""
	case 0x2A:
		return m.judgeSign(c, at)
	case 0x32:
		if !m.verified[at.id] || m.pins[at] == nil {
			return "a PIN was changed that was not verified"
		}
		m.pins[at].value, m.pins[at].tries = bytes.Clone(c.Data), m.pins[at].most
	case 0xAE:
		if m.aid != card.AIDText || !m.may(need{card.FileTextPIN, card.FileTextA, card.FileTextB}) {
			return "a session key was taken without a PIN"
		}
		return ""
	case 0xFC:
		return ""
	case 0x46:
		if m.terminal != card.RoleProduction && m.terminal != card.RoleCounter || c.P1 == 0 && !m.mayWrite(at) {
			return "a key was made or shown without a terminal"
		}
		if c.P1 == 4 { // the session key belongs to the application, P2 says nothing
			return ""
		}
	case 0x2C:
		p := m.pins[at]
		if p == nil || !m.mayWrite(at) {
			return "a counter was reset that must not be"
		}
		p.value, p.tries = bytes.Clone(c.Data), p.most
		delete(m.verified, at.id)
	case 0xD6, 0xD7, 0xDC, 0xDA:
		return m.judgeWrite(c, at)
	case 0xF2, 0xE4:
		if m.terminal == "" || m.aid != card.AIDIssuer {
			return "the free area was managed without a terminal"
		}
		return ""
	default:
		return "a command was carried out that nobody may give"
	}
	m.follow(c, at)
	return ""
}

func (m *model) judgeSign(c card.Command, at filePlace) string {
	if c.P2 == 0 {
		if m.aid == card.AIDText || m.aid == card.AIDVisual {
			return ""
		}
		return "an application signs that has no key of its own"
	}
	free := at == filePlace{card.AIDText, card.FileTextKey} || at == filePlace{card.AIDVisual, card.FileVisualKey}
	auth := at == filePlace{card.AIDJPKI, card.FileAuthKey} && (m.verified[card.FileAuthPIN] || m.terminal == card.RoleFace)
	sign := at == filePlace{card.AIDJPKI, card.FileSignKey} && m.verified[card.FileSignPIN]
	if !free && !auth && !sign {
		return "a key signed that must not"
	}
	m.follow(c, at)
	return ""
}

func (m *model) judgeWrite(c card.Command, at filePlace) string {
	switch {
	case c.INS == 0xDA:
		if m.terminal != card.RoleProduction || m.aid != card.AIDIssuer {
			return "a data object was written without production"
		}
		return ""
	case c.INS == 0xD7:
		at = filePlace{m.aid, m.ef}
	}
	if !m.mayWrite(at) {
		return fmt.Sprintf("file %04X was written without its terminal", at.id)
	}
	content, known := m.content[at]
	switch {
	case c.INS == 0xD7:
		m.content[at] = bytes.Clone(c.Data)
	case c.INS == 0xD6 && known:
		offset := int(c.P1)<<8 | int(c.P2)
		if c.P1&0x80 != 0 {
			offset = int(c.P2)
		}
		if offset > len(content) {
			return "a file was written beyond its end"
		}
		m.content[at] = slices.Concat(content[:offset], c.Data, content[min(offset+len(c.Data), len(content)):])
	}
	if c.INS != 0xD7 {
		m.follow(c, at)
	}
	return ""
}

// compare holds the chip's counters and status to the model's. The status may fall by itself, with an error;
// it never rises.
func (m *model) compare(chip *card.Chip, c card.Command, sw card.SW) (why string) {
	chip.EveryCounter(func(aid string, id uint16, tries, _ int) {
		if p := m.pins[filePlace{aid, id}]; p == nil || p.tries != tries {
			why = fmt.Sprintf("PIN %04X of %X has %d tries, want %+v", id, aid, tries, p)
		}
	})
	if why != "" {
		return why
	}
	aid, ef, verified, terminal := chip.Status()
	if sw == card.SWOK && (aid != m.aid || ef != m.ef) {
		return fmt.Sprintf("%04X of %X is selected, want %04X of %X", ef, aid, m.ef, m.aid)
	}
	if aid != m.aid {
		return "another application is selected after an error"
	}
	for pin := range verified {
		if !m.verified[pin] {
			return fmt.Sprintf("PIN %04X counts as verified", pin)
		}
	}
	if terminal != "" && terminal != m.terminal {
		return fmt.Sprintf("a terminal of role %q counts as authenticated", terminal)
	}
	if c.INS == 0x82 || sw == card.SWOK && c.INS == 0xA4 {
		m.good = nil
	}
	m.ef, m.terminal, m.verified = ef, terminal, maps.Clone(verified)
	return ""
}

// secretWindows gives every eight bytes of what is secret in private keys.
func secretWindows(keys [][]byte) (map[uint64]bool, error) {
	windows := map[uint64]bool{}
	add := func(n *big.Int) {
		b := n.Bytes()
		for i := 0; i+8 <= len(b); i++ {
			windows[binary.BigEndian.Uint64(b[i:])] = true
		}
	}
	for _, pkcs8 := range keys {
		parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
		if err != nil {
			return nil, err
		}
		switch key := parsed.(type) {
		case *rsa.PrivateKey:
			for _, n := range append([]*big.Int{key.D, key.Precomputed.Dp, key.Precomputed.Dq, key.Precomputed.Qinv}, key.Primes...) {
				add(n)
			}
		case *ecdsa.PrivateKey:
			d, err := key.Bytes()
			if err != nil {
				return nil, err
			}
			add(new(big.Int).SetBytes(d))
		default:
			return nil, fmt.Errorf("a key of type %T", parsed)
		}
	}
	return windows, nil
}
