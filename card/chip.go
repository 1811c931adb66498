package card

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/jitsuin/jitsuin"
)

// atr is the answer to reset of the contact interface (observed; OpenSC's jpki driver knows it).
const atr = "\x3B\xE0\x00\xFF\x81\x31\xFE\x45\x14"

// Blank says how a chip is pre-personalised.
type Blank struct {
	// Serial is the token's serial number in EF 0006: 16 decimal digits.
	Serial string
	// TerminalAuthority is the one P-256 key whose terminal certificates the chip trusts.
	TerminalAuthority *ecdsa.PublicKey
	// Profile is the name of the kind of card, "" for ProfileCard.
	Profile string
	// Keys are the applications' own keys; nil leaves them out.
	Keys *BatchKeys
	// Switches decide what is not known for sure.
	Switches Switches
}

// Chip is one chip with its contacts. It is safe for concurrent use: commands are answered one
// at a time. It prints as "card.Chip" in every format.
type Chip struct {
	mu      sync.Mutex
	memory  Memory
	image   *image // nil after a failed write, until it is read again
	powered bool
	session session
	newKey  func(Algorithm) ([]byte, error)
}

// session is what a chip forgets without power.
type session struct {
	app       *application
	ef        *file
	verified  map[uint16]bool // PIN files of app
	challenge []byte          // of the last GET CHALLENGE, used once
	terminal  Role            // "" until a terminal has authenticated
	staged    []byte          // beginning of the certificate that is being written to stagedEF
	stagedEF  *file
	provider  *Ticket // of the provider that has authenticated, for the free area
	parts     []byte  // of STORE DATA, until the last one
	nextPart  byte
}

// New lays a blank chip into an empty memory and opens it. A memory that already holds a chip
// is a Conflict ("chip-exists") and is not touched.
func New(memory Memory, blank Blank) (*Chip, error) {
	authority, err := encodePoint(blank.TerminalAuthority)
	if err != nil {
		return nil, err
	}
	if len(blank.Serial) != 16 || strings.Trim(blank.Serial, "0123456789") != "" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "chip-serial", "a chip's serial number has 16 digits").At("serial")
	}
	profile, err := ProfileNamed(blank.Profile)
	if err != nil {
		return nil, err
	}
	if err := blank.Switches.Check(); err != nil {
		return nil, err
	}
	if _, err := memory.Load(); err == nil {
		return nil, jitsuin.Errorf(jitsuin.Conflict, "chip-exists", "the memory already holds a chip")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look into the chip's memory: %w", err)
	}
	im := &image{Version: imageVersion, Authority: authority, Profile: profile.Name, Switches: blank.Switches, Applications: profile.applications(blank)}
	blank.Keys.layInto(im)
	b, err := im.encode()
	if err != nil {
		return nil, err
	}
	if err := memory.Store(b); err != nil {
		return nil, fmt.Errorf("write the blank chip: %w", err)
	}
	return Open(memory)
}

// Open puts power on the chip in memory. NotFound ("chip-missing") where there is none.
func Open(memory Memory) (*Chip, error) {
	c := &Chip{memory: memory, powered: true, newKey: newPrivateKey}
	if err := c.load(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, jitsuin.Errorf(jitsuin.NotFound, "chip-missing", "the memory holds no chip: %w", err)
		}
		return nil, err
	}
	return c, nil
}

// Format writes "card.Chip" for every verb, so that no dump of a chip shows its memory.
func (c *Chip) Format(s fmt.State, _ rune) { io.WriteString(s, "card.Chip") }

// ATR gives the answer to reset.
func (c *Chip) ATR() []byte { return []byte(atr) }

// Power switches the supply. Either way selection and security status are gone; what is in
// memory stays. Without power every command answers 6F00.
func (c *Chip) Power(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.powered = on
	c.forget()
}

// Reset brings the chip to the state after power-on: nothing selected, no PIN verified, no
// terminal authenticated.
func (c *Chip) Reset() { c.Power(true) }

// Transmit answers one command APDU with data and status word. It never panics and never
// answers less than a status word.
func (c *Chip) Transmit(apdu []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, sw := c.answer(apdu)
	out := make([]byte, 0, len(data)+2)
	out = append(out, data...)
	return append(out, byte(sw>>8), byte(sw))
}

func (c *Chip) answer(apdu []byte) ([]byte, SW) {
	if !c.powered {
		return nil, SWNoPower
	}
	if c.image == nil && c.load() != nil {
		return nil, SWMemoryFailure
	}
	if len(apdu) < 4 {
		return nil, SWWrongLength
	}
	table := commands
	if c.session.app.Free != nil {
		table = freeCommands
	}
	run, sw := lookUp(apdu[0], apdu[1], table)
	if run == nil {
		return nil, sw
	}
	cmd, err := ParseCommand(apdu)
	if err != nil {
		return nil, SWWrongLength
	}
	return run(c, cmd)
}

// lookUp finds the command for class and instruction, or the status word that refuses it.
func lookUp(cla, ins byte, table commandTable) (func(*Chip, Command) ([]byte, SW), SW) {
	if cla&^0x8F != 0 {
		return nil, SWUnknownCLA
	}
	if cla&0x0C != 0 {
		return nil, SWSecureMessaging
	}
	if cla&0x03 != 0 {
		return nil, SWChannel
	}
	if run := table[uint16(cla)<<8|uint16(ins)]; run != nil {
		return run, 0
	}
	return nil, SWUnknownINS
}

// commandTable has commands by class and instruction.
type commandTable map[uint16]func(*Chip, Command) ([]byte, SW)

// commands are what the chip answers, but for applications of the free area (freeCommands).
var commands = commandTable{
	0x0020: (*Chip).verify,
	0x0024: (*Chip).changeReferenceData,
	0x0084: (*Chip).getChallenge,
	0x0088: (*Chip).internalAuthenticate,
	0x00A4: (*Chip).selectFile,
	0x00B0: (*Chip).readBinary,
	0x00B2: (*Chip).readRecord,
	0x00CA: (*Chip).getData,
	0x802A: (*Chip).computeSignature,
	0x802C: (*Chip).resetRetryCounter,
	0x8032: (*Chip).changeKey,
	0x8046: (*Chip).generateKeyPair,
	0x8082: (*Chip).externalAuthenticate,
	0x80A2: (*Chip).setPublicICKey,
	0x80AE: (*Chip).setSessionKey,
	0x80D6: (*Chip).updateBinary,
	0x80D7: (*Chip).replaceBinary,
	0x80DA: (*Chip).putData,
	0x80DC: (*Chip).updateRecord,
	0x80E2: (*Chip).storeData,
	0x80E4: (*Chip).deleteApplication,
	0x80E6: (*Chip).install,
	0x80F2: (*Chip).getStatus,
	0x80FC: (*Chip).lastCommand,
}

// load reads the image and starts a fresh session on it.
func (c *Chip) load() error {
	b, err := c.memory.Load()
	if err != nil {
		return fmt.Errorf("read the chip's memory: %w", err)
	}
	defer clear(b)
	if c.image, err = decodeImage(b); err != nil {
		return err
	}
	c.forget()
	return nil
}

// forget starts a fresh session in the issuer's domain.
func (c *Chip) forget() {
	clear(c.session.staged)
	clear(c.session.parts)
	c.session = session{verified: map[uint16]bool{}}
	if c.image != nil {
		c.session.app = c.image.Applications[0]
	}
}

// store makes the image, as just changed, durable. When it fails nobody knows which of the two
// images the memory holds; the chip forgets its own and reads it again before the next command.
func (c *Chip) store() bool {
	b, err := c.image.encode()
	if err == nil {
		err = c.memory.Store(b)
		clear(b)
	}
	if err != nil {
		c.image = nil
		c.forget()
	}
	return err == nil
}

// allows tells whether the security status fulfils r.
func (s *session) allows(r rule) bool {
	if r.Never {
		return false
	}
	for _, pin := range r.AnyOf {
		if s.verified[pin] {
			return true
		}
	}
	return slices.Contains(r.Terminals, s.terminal) || len(r.AnyOf)+len(r.Terminals) == 0
}
