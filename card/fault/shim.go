package fault

import (
	"errors"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// Chip is a chip at its contacts, as *card.Chip is.
type Chip interface {
	ATR() []byte
	Power(on bool)
	Reset()
	Transmit(apdu []byte) []byte
}

// ErrRemoved is what Transmit gives when the card is taken away. The chip has no power then.
var ErrRemoved = errors.New("the card was taken away")

// Shim is a chip with a fault between its contacts and the reader. It is safe for concurrent use. With no
// fault set, every command and every answer passes as it is.
type Shim struct {
	chip Chip

	mu      sync.Mutex // owns the fields below; held during a command
	setting Setting
	ended   func() // told when a fault ends by happening; nil for nobody
	place   place
}

// New puts a shim before a chip. ended is called, with the shim locked, when a fault has happened that
// happens once; nil for nobody.
func New(chip Chip, setting Setting, ended func()) (*Shim, error) {
	checked, err := setting.Checked()
	if err != nil {
		return nil, err
	}
	return &Shim{chip: chip, setting: checked, ended: ended}, nil
}

// Set exchanges the fault, after the command that is under way.
func (s *Shim) Set(setting Setting) error {
	checked, err := setting.Checked()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setting = checked
	return nil
}

// Delay is how long the caller waits before it hands on a command.
func (s *Shim) Delay() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.setting.Name != Slow {
		return 0
	}
	return s.setting.Delay
}

// ATR gives the chip's answer to reset.
func (s *Shim) ATR() []byte { return s.chip.ATR() }

// Power switches the chip's supply.
func (s *Shim) Power(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place = place{}
	s.chip.Power(on)
}

// Reset resets the chip.
func (s *Shim) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place = place{}
	s.chip.Reset()
}

// Transmit hands a command to the chip and gives its answer, either of them changed by the fault.
// ErrRemoved is the only error.
func (s *Shim) Transmit(apdu []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	command, err := card.ParseCommand(apdu)
	if err != nil {
		return s.chip.Transmit(apdu), nil
	}
	switch {
	case s.setting.Name == WrongPIN && command.INS == insVerify && command.CLA == 0 && len(command.Data) > 0:
		s.happened()
		return s.chip.Transmit(noPIN(command)), nil
	case s.setting.Name == Removed && command.INS == insSign && command.CLA == 0x80:
		s.happened()
		s.chip.Transmit(apdu)
		s.chip.Power(false)
		s.place = place{}
		return nil, ErrRemoved
	}
	response := s.chip.Transmit(apdu)
	s.place.follow(command, response)
	switch s.setting.Name {
	case TamperedFile, WrongDigest, ExpiredCertificate:
		return s.readChanged(command, response), nil
	case Clone:
		return signedByClone(command, response), nil
	}
	return response, nil
}

// happened ends a fault that happens once. The caller holds s.mu.
func (s *Shim) happened() {
	s.setting = Setting{Name: None}
	if s.ended != nil {
		s.ended()
	}
}

const (
	insVerify = 0x20
	insSign   = 0x2A
	insAuth   = 0x88
	insSelect = 0xA4
	insRead   = 0xB0
)

// noPIN is the same VERIFY with bytes that no PIN has.
func noPIN(c card.Command) []byte {
	data := make([]byte, len(c.Data))
	for i := range data {
		data[i] = 0xFF
	}
	c.Data = data
	return c.Bytes()
}

// UseUp sends a chip wrong data until the PIN of a kind is blocked. What was selected and verified is gone
// afterwards. NotFound where the chip has no such PIN.
func UseUp(chip Chip, kind jitsuin.CertKind) error {
	files, err := card.FilesOf(kind)
	if err != nil {
		return err
	}
	chip.Reset()
	defer chip.Reset()
	verify := noPIN(card.Command{INS: insVerify, P2: 0x80 | byte(files.PIN&0x1F), Data: make([]byte, 4)})
	chip.Transmit(card.Command{INS: insSelect, P1: 0x04, P2: 0x0C, Data: []byte(card.AIDJPKI)}.Bytes())
	for range 16 { // more than any counter holds
		_, sw, _ := card.SplitResponse(chip.Transmit(verify))
		if left, ok := sw.Tries(); ok && left > 0 {
			continue
		}
		switch sw {
		case card.SWTries, card.SWBlocked, card.SWBlocked6983:
			return nil
		case card.SWFileNotFound:
			return jitsuin.Errorf(jitsuin.NotFound, "card-file", "this card has no such PIN")
		}
		return jitsuin.Errorf(jitsuin.Unavailable, "card-status", "the card does not take its PIN: status word %v", sw)
	}
	return jitsuin.Errorf(jitsuin.Internal, "card-status", "the card's tries do not end")
}
