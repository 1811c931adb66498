package phone

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/files"
)

// MostTouches is how often in a row the sensor may fail to recognise the person; then the PIN must be typed. It is what
// telephones do.
const MostTouches = 5

// UseBiometrics has the sensor stand for the PINs from now on.
func (p *Phone) UseBiometrics(pins map[jitsuin.CertKind]jitsuin.PIN) error {
	key := make([]byte, 32)
	rand.Read(key)
	defer clear(key)
	aead, err := sealer(key)
	if err != nil {
		return err
	}
	sealed := map[jitsuin.CertKind][]byte{}
	for _, kind := range jitsuin.CertKinds {
		plain := []byte(pins[kind].Reveal())
		sealed[kind] = seal(aead, kind, plain)
		clear(plain)
	}
	if err := files.Replace(filepath.Join(p.dir, "sensor.key"), key, 0o600); err != nil {
		return err
	}
	return p.keep(sealed)
}

func seal(aead cipher.AEAD, kind jitsuin.CertKind, pin []byte) []byte {
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, pin, []byte(kind))
}

func (p *Phone) keep(sealed map[jitsuin.CertKind][]byte) error {
	b, err := json.Marshal(sealed)
	if err != nil {
		return err
	}
	return files.Replace(filepath.Join(p.dir, "sealed.json"), b, 0o600)
}

// kept reads the sealed PINs; there are none where biometrics are not in use.
func (p *Phone) kept() (sealed map[jitsuin.CertKind][]byte, err error) {
	b, err := os.ReadFile(filepath.Join(p.dir, "sealed.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("the sealed PINs: %w", err)
	}
	return sealed, nil
}

// sensorKey gives what the sensor opens sealed PINs with.
func (p *Phone) sensorKey() (cipher.AEAD, error) {
	key, err := os.ReadFile(filepath.Join(p.dir, "sensor.key"))
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return sealer(key)
}

// Reseal runs change, which makes fresh the PIN of a kind, for somebody who holds the chip. Where the sensor stood for the old PIN it stands for the
// new one afterwards, and for the old one where the change was refused. Meanwhile, and after a change of which nobody knows
// whether it was made, the PIN must be typed: a sealed PIN that is not the chip's would use up a try.
func (p *Phone) Reseal(kind jitsuin.CertKind, fresh []byte, change func() error) error {
	sealed, err := p.kept()
	if err != nil {
		return err
	}
	old, on := sealed[kind]
	if !on {
		return change()
	}
	aead, err := p.sensorKey()
	if err != nil {
		return err
	}
	delete(sealed, kind)
	if err := p.keep(sealed); err != nil {
		return err
	}
	err = change()
	switch kindOf := jitsuin.KindOf(err); {
	case err == nil:
		sealed[kind] = seal(aead, kind, fresh)
	case kindOf == jitsuin.Internal || kindOf == jitsuin.Unavailable:
		return err
	default:
		sealed[kind] = old
	}
	return errors.Join(err, p.keep(sealed))
}

// StopBiometrics forgets the sealed PINs. The PIN must be typed again.
func (p *Phone) StopBiometrics() error {
	for _, name := range []string{"sensor.key", "sealed.json"} {
		if err := os.Remove(filepath.Join(p.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Sensor is how the sensor stands.
type Sensor struct {
	On     bool // it stands for the PIN of the kind
	Locked bool // the PIN must be typed first
	Left   int  // touches left until it locks
}

// Sensor tells how the sensor stands for somebody who would show the PIN of a kind.
func (p *Phone) Sensor(kind jitsuin.CertKind) (s Sensor, err error) {
	i, err := p.Info()
	if err != nil {
		return s, err
	}
	sealed, err := p.kept()
	if err != nil {
		return s, err
	}
	_, s.On = sealed[kind]
	s.Left = max(0, MostTouches-i.Touched)
	s.Locked = s.Left == 0
	return s, nil
}

// Touch is the person at the sensor: recognised says whether it knows them. It gives the PIN of a kind, whose bytes the caller
// overwrites. Unsupported "sensor-off" where the PIN must be typed anyway, Denied "sensor-unknown" where the person is
// not recognised, Locked "sensor-locked" after five times.
func (p *Phone) Touch(kind jitsuin.CertKind, recognised bool) ([]byte, error) {
	s, err := p.Sensor(kind)
	switch {
	case err != nil:
		return nil, err
	case !s.On:
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "sensor-off", "biometrics are not in use on this telephone")
	case s.Locked:
		return nil, jitsuin.Errorf(jitsuin.Locked, "sensor-locked", "the sensor is locked until the PIN was typed")
	}
	if !recognised {
		i, err := p.Info()
		if err != nil {
			return nil, err
		}
		i.Touched++
		if err := p.save(i); err != nil {
			return nil, err
		}
		return nil, jitsuin.Errorf(jitsuin.Denied, "sensor-unknown", "the sensor has not recognised the person")
	}
	pin, err := p.unseal(kind)
	if err == nil {
		err = p.Known()
	}
	return pin, err
}

// Known notes that the person was recognised, by the sensor or by the PIN: it may be touched again.
func (p *Phone) Known() error {
	i, err := p.Info()
	if err != nil || i.Touched == 0 {
		return err
	}
	i.Touched = 0
	return p.save(i)
}

func (p *Phone) unseal(kind jitsuin.CertKind) ([]byte, error) {
	sealed, err := p.kept()
	if err != nil {
		return nil, err
	}
	aead, err := p.sensorKey()
	if err != nil {
		return nil, err
	}
	n := aead.NonceSize()
	if len(sealed[kind]) < n {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "sensor-off", "biometrics are not in use for this key")
	}
	pin, err := aead.Open(nil, sealed[kind][:n], bytes.Clone(sealed[kind][n:]), []byte(kind))
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "sensor-sealed", "the sealed PIN cannot be opened: %w", err)
	}
	return pin, nil
}
