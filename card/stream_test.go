package card_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

// subject is a chip to be attacked, with the truth about it.
type subject struct {
	name      string
	memory    *cardtest.Memory
	truth     *model
	terminals map[card.Role]reader.Terminal
	aids      []string
	files     map[string][]uint16
	keys      [][]byte // for GENERATE KEY PAIR
}

// known values of PINs of cardtest.Whole.
var wholePINs = map[filePlace]jitsuin.PIN{
	{card.AIDJPKI, card.FileAuthPIN}: cardtest.AuthPIN, {card.AIDJPKI, card.FileSignPIN}: cardtest.SignPIN,
	{card.AIDText, card.FileTextPIN}: cardtest.AuthPIN, {card.AIDText, card.FileTextA}: cardtest.NumberA, {card.AIDText, card.FileTextB}: cardtest.NumberB,
	{card.AIDVisual, card.FileVisualBirth}: cardtest.Birth, {card.AIDVisual, card.FileVisualA}: cardtest.NumberA, {card.AIDVisual, card.FileVisualB}: cardtest.NumberB,
	{card.AIDResident, card.FilePIN}: cardtest.AuthPIN, {card.AIDCommon, card.FilePIN}: cardtest.AuthPIN,
}

// newSubject makes a whole chip of a profile with certificates, and random contents in every file that a terminal
// can write.
func newSubject(t testing.TB, profile string, switches card.Switches) *subject {
	t.Helper()
	issued := cardtest.Whole(t, profile, switches)
	face, err := issued.Terminal(card.RoleFace)
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{name: profile, memory: issued.Memory, files: map[string][]uint16{},
		terminals: map[card.Role]reader.Terminal{card.RoleProduction: issued.Production, card.RoleCounter: issued.Counter, card.RoleFace: face}}
	j := session(t, issued.Chip)
	if err := j.Authenticate(t.Context(), issued.Production); err != nil {
		t.Fatal(err)
	}
	var signCert []byte
	for _, kind := range jitsuin.CertKinds {
		der, err := issued.Reissue(t.Context(), j, kind)
		if err == nil {
			err = j.WriteCACertificate(t.Context(), kind, issued.CA.Raw)
		}
		if err != nil {
			t.Fatal(err)
		}
		if kind == jitsuin.SignCert {
			signCert = der
		}
	}
	m := &model{switches: switches, needs: readNeeds(profile, switches), pins: map[filePlace]*pinTruth{}, content: map[filePlace][]byte{}, canaries: map[uint64]filePlace{}}
	s.truth = m
	m.forget()
	for at := range m.needs {
		s.writeCanary(t, issued, at)
	}
	if len(m.needs[filePlace{card.AIDJPKI, card.FileSignCert}]) > 0 {
		m.hide(filePlace{card.AIDJPKI, card.FileSignCert}, signCert[len(signCert)-60:]) // the CA's signature
	}
	issued.Chip.Reset()
	issued.Chip.EveryCounter(func(aid string, id uint16, tries, most int) {
		p := &pinTruth{tries: tries, most: most}
		if pin, ok := wholePINs[filePlace{aid, id}]; ok {
			p.value = []byte(pin.Reveal())
		}
		m.pins[filePlace{aid, id}] = p
	})
	s.keys = fuzzKeys()
	if m.secrets, err = secretWindows(slices.Concat(issued.Chip.PrivateKeys(), s.keys)); err != nil {
		t.Fatal(err)
	}
	s.list(profile)
	return s
}

// list notes which applications and files there are to be addressed.
func (s *subject) list(profile string) {
	s.aids = []string{card.AIDJPKI, card.AIDText, card.AIDVisual, card.AIDResident, card.AIDCommon, card.AIDIssuer, "\xA0\x00\x00\x00\x03\x08"}
	for at := range s.truth.needs {
		s.files[at.aid] = append(s.files[at.aid], at.id)
	}
	for at := range s.truth.pins {
		s.files[at.aid] = append(s.files[at.aid], at.id)
	}
	s.files[card.AIDJPKI] = append(s.files[card.AIDJPKI], card.FileAuthKey, card.FileSignKey, 0x0009)
	s.files[card.AIDText] = append(s.files[card.AIDText], card.FileTextKey)
	s.files[card.AIDVisual] = append(s.files[card.AIDVisual], card.FileVisualKey)
	s.files[card.AIDCommon] = append(s.files[card.AIDCommon], card.FileCommonKey)
	for _, ids := range s.files {
		slices.Sort(ids)
	}
}

// writeCanary fills a file with random bytes, where the chip has it and lets production write it.
func (s *subject) writeCanary(t testing.TB, issued *cardtest.Issued, at filePlace) {
	t.Helper()
	if at.aid == card.AIDJPKI && at.id < 0x000C && at.id != card.FileTokenInfo || at == (filePlace{card.AIDCommon, card.FileCommonNumber}) {
		return // certificates, what follows from them, and the file of records
	}
	app, err := reader.Select(t.Context(), reader.Local(issued.Chip), at.aid)
	if err != nil {
		return // not on this card
	}
	if err := app.Authenticate(t.Context(), issued.Production); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, map[bool]int{true: 16, false: 150 + int(at.id)}[at.id == card.FileKeyReference && (at.aid == card.AIDResident || at.aid == card.AIDCommon)])
	if at == (filePlace{card.AIDJPKI, card.FileTokenInfo}) {
		content = content[:156]
	}
	rand.Read(content)
	if err := app.SelectFile(t.Context(), at.id); err != nil {
		return
	}
	if sw := issued.Chip.Transmit(card.Command{CLA: 0x80, INS: 0xD7, Data: content}.Bytes()); !bytes.Equal(sw, []byte{0x90, 0}) {
		return // sixteen FF
	}
	s.truth.content[at] = content
	if len(s.truth.needs[at]) > 0 {
		s.truth.hide(at, content)
	}
}

// hide notes every eight bytes of what a PIN protects.
func (m *model) hide(at filePlace, content []byte) {
	for i := 0; i+8 <= len(content); i++ {
		m.canaries[binary.BigEndian.Uint64(content[i:])] = at
	}
}

// fuzzKeys are the keys that chips under attack make.
var fuzzKeys = sync.OnceValue(func() (all [][]byte) {
	for range 2 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			panic(err)
		}
		all = append(all, pkcs8)
	}
	return all
})

// reached counts what a stream came to, so that one that only meets refusals is noticed.
type reached struct {
	mu     sync.Mutex
	counts map[string]int
}

// deeds are what every stream of some length must have done.
var deeds = []string{"a protected file read", "a PIN verified", "a PIN blocked", "a PIN changed", "a signature", "a terminal authenticated", "a counter reset",
	"a file written", "a key made", "a session lost", "a record read"}

func deed(c card.Command, m *model, sw card.SW) string {
	switch key := uint16(c.CLA)<<8 | uint16(c.INS); {
	case sw == card.SWTries:
		return "a PIN blocked"
	case sw != card.SWOK:
		return ""
	case key == 0x00B0 && len(m.needs[filePlace{m.aid, m.ef}]) > 0:
		return "a protected file read"
	case key == 0x0020:
		return "a PIN verified"
	case key == 0x0024 || key == 0x8032:
		return "a PIN changed"
	case key == 0x802A:
		return "a signature"
	case key == 0x8082:
		return "a terminal authenticated"
	case key == 0x802C:
		return "a counter reset"
	case key == 0x80D6 || key == 0x80D7:
		return "a file written"
	case key == 0x8046 && c.P1 == 0:
		return "a key made"
	case key == 0x00A4 && c.P1 == 4 && len(m.verified) == 0:
		return "a session lost"
	case key == 0x00B2:
		return "a record read"
	}
	return ""
}

func (r *reached) add(counts map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for d, n := range counts {
		r.counts[d] += n
	}
}

// attack sends n commands to a fresh copy of the chip, and reports the first that is answered wrongly.
func (s *subject) attack(roll dice, n int, more func() bool, r *reached) error {
	memory := s.memory.Copy()
	chip, err := card.Open(memory)
	if err != nil {
		return err
	}
	chip.TakeKeysFrom(keyPool(s.keys))
	m := s.truth.clone()
	counts := map[string]int{}
	defer func() { r.add(counts) }()
	g := &generator{dice: roll, m: m, terminals: s.terminals, aids: s.aids, files: s.files}
	for range n {
		apdu := g.next()
		if !more() {
			break
		}
		if apdu == nil {
			chip.Reset()
			m.forget()
			g.queue = nil
			continue
		}
		response := chip.Transmit(apdu)
		g.last = response
		if why := m.step(chip, apdu, response); why != "" {
			return fmt.Errorf("%s: %s -> %s: %s", s.name, hex.EncodeToString(apdu), hex.EncodeToString(response[max(0, len(response)-2):]), why)
		}
		if c, err := card.ParseCommand(apdu); err == nil {
			_, sw, _ := card.SplitResponse(response)
			if d := deed(c, m, sw); d != "" {
				counts[d]++
			}
		}
	}
	return s.remembered(memory, m)
}

// remembered puts power on the chip anew: its memory has the same counters.
func (s *subject) remembered(memory card.Memory, m *model) error {
	chip, err := card.Open(memory)
	if err != nil {
		return fmt.Errorf("%s: the commands damaged the memory: %w", s.name, err)
	}
	m.forget()
	if why := m.compare(chip, card.Command{}, card.SWOK); why != "" {
		return fmt.Errorf("%s: after a power cut: %s", s.name, why)
	}
	return nil
}

// subjects are the chips that are attacked.
func subjects(t testing.TB) []*subject {
	return []*subject{
		newSubject(t, card.ProfileCard, card.Switches{}),
		newSubject(t, card.ProfileCard, card.Switches{CheckNumberTries: 5, BlockedQuery: true, VerifiedQuery: true, Blocked6983: true, VisualNeedsCheckNumber: true,
			EmptyAtEnd: true, ReselectClears: true, FreeSignCertificate: true}),
		newSubject(t, card.ProfileAndroid, card.Switches{}),
		newSubject(t, card.ProfileNext, card.Switches{}),
	}
}

const perChip = 1000 // commands until a fresh chip is taken: most PINs are blocked by then

// Streams of commands over all applications, against a model that knows no code of the chip: no panic, no byte of a
// private key, no protected file without its PIN, no counter that rises except by success or a terminal.
// JITSUIN_APDUS says how many commands there are (make fuzz: ten millions).
func TestStreams(t *testing.T) {
	total := 20_000
	if testing.Short() {
		total = 10_000
	}
	if v := os.Getenv("JITSUIN_APDUS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		total = n
	}
	all := subjects(t)
	seed := mathrand.Uint64()
	if v := os.Getenv("JITSUIN_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("seed %d", seed)
	r := &reached{counts: map[string]int{}}
	var workers sync.WaitGroup
	for w := range 2 {
		workers.Go(func() {
			for i := w; i < total/perChip; i += 2 {
				source := mathrand.New(mathrand.NewPCG(seed, uint64(i)))
				if err := all[i%len(all)].attack(source.IntN, perChip, func() bool { return true }, r); err != nil {
					t.Errorf("seed %d, stream %d: %v", seed, i, err)
					return
				}
			}
		})
	}
	workers.Wait()
	for _, d := range deeds {
		if r.counts[d] == 0 {
			t.Errorf("no stream has come to %s", d)
		}
	}
	t.Logf("%d commands; %v", total, r.counts)
}

// FuzzStreams is TestStreams with the decisions of a fuzzer.
func FuzzStreams(f *testing.F) {
	all := subjects(f)
	for i := range 8 {
		seed := make([]byte, 400)
		r := mathrand.New(mathrand.NewPCG(7, uint64(i)))
		for j := range seed {
			seed[j] = byte(r.IntN(256))
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 {
			return
		}
		ended := false
		if err := all[int(input[0])%len(all)].attack(fromBytes(input[1:], &ended), 500, func() bool { return !ended }, &reached{counts: map[string]int{}}); err != nil {
			t.Fatal(err)
		}
	})
}
