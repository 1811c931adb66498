package card_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

// pinUnderTest is a PIN that somebody guesses while they cut the power.
type pinUnderTest struct {
	name   string
	at     filePlace
	right  string
	wrong  string
	most   int
	finger string // SELECT of its application
}

var pinsUnderTest = []pinUnderTest{
	{"PIN of four digits", filePlace{card.AIDJPKI, card.FileAuthPIN}, "1234", "0000", 3, selectJPKI},
	{"signature password", filePlace{card.AIDJPKI, card.FileSignPIN}, "ABC123", "WRONG1", 5, selectJPKI},
	{"check number A", filePlace{card.AIDText, card.FileTextA}, cardtest.NumberA.Reveal(), "000000000000", 10, "00A4040C0A" + "D3921000310001010408"},
}

func (p pinUnderTest) verify(pin string) string {
	return fmt.Sprintf("002000%02X%02X%s", 0x80|p.at.id, len(pin), ascii(pin))
}

// inFolder puts the image of a chip into a folder.
func inFolder(t *testing.T, image []byte) (*card.Folder, string) {
	t.Helper()
	folder, dir := newFolder(t)
	if err := folder.Store(image); err != nil {
		t.Fatal(err)
	}
	return folder, dir
}

// triesIn reads the counter as the next power-on finds it.
func triesIn(t *testing.T, dir string, at filePlace) (tries int) {
	t.Helper()
	folder, err := card.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := card.Open(folder)
	if err != nil {
		t.Fatalf("after a power cut: %v", err)
	}
	tries = -1
	chip.EveryCounter(func(aid string, id uint16, n, _ int) {
		if (filePlace{aid, id}) == at {
			tries = n
		}
	})
	return tries
}

// try powers a chip on, and lets the power go after some calls of the first VERIFY. answer is "" where nobody
// could read one.
func (p pinUnderTest) try(t *testing.T, dir, pin string, calls, bytes int, forgetful bool) (answer string, made int) {
	t.Helper()
	folder, err := card.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := card.Open(folder)
	if err != nil {
		t.Fatalf("after a power cut: %v", err)
	}
	transmit(t, chip, p.finger)
	repair, done := folder.CutPowerAfter(calls, bytes, forgetful)
	defer repair()
	_, answer = transmit(t, chip, p.verify(pin))
	if answer == "6581" {
		answer = "" // with the power gone nobody hears it
	}
	return answer, done()
}

// The power goes between any two calls of a VERIFY to the disk, and a disk may forget what was not synced. A right
// PIN costs no more than a try, a wrong one gives none back, and whoever cuts the power at the same place again and
// again gets no more answers than the counter has.
func TestPowerCutsWithinVerify(t *testing.T) {
	image, err := cardtest.Whole(t, card.ProfileCard, card.Switches{}).Memory.Load()
	if err != nil {
		t.Fatal(err)
	}
	const perStore, stores = 4, 2
	for _, p := range pinsUnderTest {
		for _, forgetful := range []bool{false, true} {
			for calls := range perStore*stores + 1 {
				_, dir := inFolder(t, image)
				p.try(t, dir, p.wrong, 99, 0, false) // so that filling the counter can be seen
				answer, made := p.try(t, dir, p.right, calls, calls*100, forgetful)
				left := triesIn(t, dir, p.at)
				// Renamed, and the folder synced or the disk kind: the second Store has filled it.
				filled := made == 8 || made == 7 && !forgetful
				lowered := made >= 4 || made == 3 && !forgetful
				want := map[bool]int{true: p.most - 2, false: p.most - 1}[lowered]
				if filled {
					want = p.most
				}
				if left != want || (answer == "9000") != (made == 8) {
					t.Errorf("%s, right, cut after %d calls (forgetful %v): %d tries left, want %d; answer %q", p.name, made, forgetful, left, want, answer)
				}
				if calls <= perStore { // a wrong PIN is stored once
					p.persist(t, image, calls, forgetful)
				}
			}
		}
	}
}

// persist guesses wrongly, with the same power cut each time, more often than there are tries.
func (p pinUnderTest) persist(t *testing.T, image []byte, calls int, forgetful bool) {
	t.Helper()
	_, dir := inFolder(t, image)
	answers := 0
	for range p.most + 3 {
		before := triesIn(t, dir, p.at)
		answer, made := p.try(t, dir, p.wrong, calls, 10, forgetful)
		after := triesIn(t, dir, p.at)
		if strings.HasPrefix(answer, "63C") {
			answers++
		} else if answer != "" && answer != "6984" {
			t.Fatalf("%s: a wrong PIN got %s", p.name, answer)
		}
		if after > before || answer != "" && before > 0 && after != before-1 {
			t.Errorf("%s, wrong, cut after %d calls (forgetful %v): %d tries became %d, answer %q", p.name, made, forgetful, before, after, answer)
		}
	}
	if answers > p.most {
		t.Errorf("%s, cut after %d calls (forgetful %v): %d wrong tries were answered", p.name, calls, forgetful, answers)
	}
}

// The power may go at any call to the disk of any command of a history of tries, changes and resets. What the next
// power-on finds is what the card was before the command, or after it, or (a VERIFY) with the try taken.
func TestPowerCutsAnywhereInAHistory(t *testing.T) {
	s := newSubject(t, card.ProfileCard, card.Switches{})
	image, err := s.memory.Load()
	if err != nil {
		t.Fatal(err)
	}
	seed := mathrand.Uint64()
	for i := range 12 {
		if err := s.history(t, image, mathrand.New(mathrand.NewPCG(seed, uint64(i)))); err != nil {
			t.Fatalf("seed %d, history %d: %v", seed, i, err)
		}
	}
}

func (s *subject) history(t *testing.T, image []byte, r *mathrand.Rand) error {
	folder, dir := inFolder(t, image)
	m := s.truth.clone()
	wrong := map[filePlace]int{} // answered since the counter was full
	chip, err := card.Open(folder)
	if err != nil {
		return err
	}
	g := &generator{dice: r.IntN, m: m, terminals: s.terminals, aids: s.aids[:5], files: s.files}
	for range 60 {
		apdu := g.tries()
		cut, before := r.IntN(2) == 0, m.clone()
		repair := func() {}
		if cut {
			repair, _ = folder.CutPowerAfter(r.IntN(9), r.IntN(30000), r.IntN(2) == 0)
		}
		response := chip.Transmit(apdu)
		repair()
		g.last = response
		_, sw, _ := card.SplitResponse(response)
		if sw != card.SWMemoryFailure {
			if why := m.step(chip, apdu, response); why != "" {
				return fmt.Errorf("%x: %s", apdu, why)
			}
			if err := counted(wrong, before, m, apdu, sw); err != nil {
				return err
			}
			continue
		}
		// The power is gone.
		if folder, err = card.NewFolder(dir); err != nil {
			return err
		}
		if chip, err = card.Open(folder); err != nil {
			return fmt.Errorf("%x: after a power cut: %w", apdu, err)
		}
		if err := found(chip, before, m, apdu, folder); err != nil {
			return err
		}
		m.forget()
		g.queue = nil
	}
	return nil
}

// tries gives commands that move counters, and what they need before.
func (g *generator) tries() []byte {
	if len(g.queue) > 0 {
		apdu := g.queue[0]()
		g.queue = g.queue[1:]
		return apdu
	}
	switch n := g.dice(20); {
	case g.m.aid == card.AIDIssuer || n == 0:
		return card.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(g.aids[g.dice(len(g.aids))])}.Bytes()
	case n < 3:
		return g.authenticate()
	case n < 6:
		c := card.Command{CLA: 0x80, INS: 0x2C, P2: 0x80 | byte(g.file()&0x1F)}
		c.Data = g.newPIN(g.m.addressed(c.P2))
		return c.Bytes()
	case n < 9:
		return g.change()
	}
	return g.verify()
}

// counted keeps how many wrong tries were answered since a counter was full.
func counted(wrong map[filePlace]int, before, m *model, apdu []byte, sw card.SW) error {
	for at, p := range m.pins {
		if p.tries == p.most && before.pins[at].tries < p.most {
			wrong[at] = 0
		}
	}
	c, err := card.ParseCommand(apdu)
	if _, tries := sw.Tries(); err != nil || c.INS != 0x20 || c.CLA != 0 || len(c.Data) == 0 || !tries {
		return nil
	}
	at := before.addressed(c.P2)
	wrong[at]++
	if wrong[at] > m.pins[at].most {
		return fmt.Errorf("PIN %04X was guessed %d times", at.id, wrong[at])
	}
	return nil
}

// found takes what the next power-on finds into the model, if it is one of what may be.
func found(chip *card.Chip, before, m *model, apdu []byte, folder *card.Folder) (err error) {
	c, parseErr := card.ParseCommand(apdu)
	if parseErr != nil {
		return fmt.Errorf("%x was stored", apdu)
	}
	target := before.addressed(c.P2)
	chip.EveryCounter(func(aid string, id uint16, tries, most int) {
		at := filePlace{aid, id}
		was := before.pins[at].tries
		may := []int{was}
		if at == target {
			switch {
			case c.CLA == 0 && c.INS == 0x20 && bytes.Equal(c.Data, before.pins[at].value):
				may = append(may, was-1, most)
			case c.CLA == 0 && c.INS == 0x20:
				may = append(may, was-1)
			default:
				may = append(may, most)
			}
		}
		if !slices.Contains(may, tries) {
			err = fmt.Errorf("%x: PIN %04X had %d tries and has %d", apdu, id, was, tries)
		}
		m.pins[at].tries = tries
	})
	if err != nil || c.INS == 0x20 {
		return err
	}
	image, err := folder.Load()
	if err != nil {
		return err
	}
	return m.whichPIN(image, target, before.pins[target].value, c.Data)
}

// whichPIN finds out on a copy whether the old PIN or the new one counts; one of them must.
func (m *model) whichPIN(image []byte, at filePlace, old, changed []byte) error {
	for _, value := range [][]byte{changed, old} {
		memory := &cardtest.Memory{}
		if err := memory.Store(image); err != nil {
			return err
		}
		chip, err := card.Open(memory)
		if err != nil {
			return err
		}
		chip.Transmit(card.Command{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(at.aid)}.Bytes())
		r := chip.Transmit(card.Command{INS: 0x20, P2: 0x80 | byte(at.id), Data: value}.Bytes())
		if m.pins[at].tries == 0 || bytes.Equal(r, []byte{0x90, 0}) {
			m.pins[at].value = value
			if m.pins[at].tries == 0 {
				m.pins[at].value = old // a change would have filled the counter
			}
			return nil
		}
	}
	return fmt.Errorf("after a power cut neither the old PIN nor the new one of %04X counts", at.id)
}

const crashFolder = "JITSUIN_TEST_CRASH"

// TestCrashChild is no test: it is the process that TestKilledProcess kills. It guesses, two wrong and one right, or
// wrong alone, and says before and after each try what it does.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashFolder)
	if dir == "" {
		t.Skip("it is run by TestKilledProcess")
	}
	p := pinsUnderTest[2]
	folder, err := card.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := card.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	transmit(t, chip, p.finger)
	for i := 0; ; i++ {
		pin, name := p.wrong, "wrong"
		if os.Getenv(crashFolder+"_RIGHT") != "" && i%3 == 2 {
			pin, name = p.right, "right"
		}
		fmt.Println("try", name)
		_, sw := transmit(t, chip, p.verify(pin))
		fmt.Println("answer", sw)
		if sw == "6984" {
			time.Sleep(time.Minute) // it is killed
		}
	}
}

// A process that verifies PINs is killed (SIGKILL) again and again. What the disk tells afterwards is what was
// acknowledged, or the one try that was under way on top of it; and all wrong tries together are never more than ten.
func TestKilledProcess(t *testing.T) {
	image, err := cardtest.Whole(t, card.ProfileCard, card.Switches{}).Memory.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := pinsUnderTest[2]
	_, dir := inFolder(t, image)
	left := p.most
	for range 8 {
		left = p.killed(t, dir, true, left)
	}
	_, dir = inFolder(t, image)
	left = p.most
	answers := 0
	for round := 0; left > 0 && round < 60; round++ {
		was := left
		left = p.killed(t, dir, false, left)
		answers += was - left
	}
	if left != 0 || answers != p.most {
		t.Errorf("%d tries in all were taken, %d are left; want %d", answers, left, p.most)
	}
}

// killed runs the child for some milliseconds and gives the tries that are left.
func (p pinUnderTest) killed(t *testing.T, dir string, right bool, left int) int {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), crashFolder+"="+dir)
	if right {
		child.Env = append(child.Env, crashFolder+"_RIGHT=1")
	}
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	after, lines := 1+mathrand.IntN(6), 0
	trying := ""
	said := bufio.NewScanner(out)
	for said.Scan() {
		word, rest, _ := strings.Cut(said.Text(), " ")
		switch word {
		case "try":
			trying = rest
		case "answer":
			left = acknowledged(t, p, left, trying, rest)
			trying = ""
		}
		if lines++; lines == after || rest == "6984" { // in the middle of what comes next, somewhere
			time.AfterFunc(time.Duration(mathrand.IntN(1500))*time.Microsecond, func() { _ = child.Process.Kill() })
		}
	}
	_, _ = io.Copy(io.Discard, out)
	_ = child.Wait() // it was killed
	found := triesIn(t, dir, p.at)
	may := []int{left}
	if trying != "" {
		may = append(may, left-1)
	}
	if trying == "right" {
		may = append(may, p.most)
	}
	if !slices.Contains(may, found) {
		t.Errorf("killed while it tried %q with %d tries left: %d are on the disk", trying, left, found)
	}
	return found
}

func acknowledged(t *testing.T, p pinUnderTest, left int, tried, answer string) int {
	t.Helper()
	if answer == "6984" && left == 0 {
		return 0
	}
	if tried == "right" && answer == "9000" && left > 0 {
		return p.most
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(answer, "63C"), 16, 0)
	if tried != "wrong" || err != nil || int(n) != left-1 {
		t.Errorf("with %d tries left a %s PIN was answered with %s", left, tried, answer)
	}
	return left - 1
}
