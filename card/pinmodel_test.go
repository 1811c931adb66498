package card_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

// pinModel is the retry counter as a person would describe it. While a write fails the truth is
// a range: tries lies between least and most.
type pinModel struct {
	pin         string
	least, most int
	max         int
	verified    bool
}

// Sequences of tries, changes, resets, power cuts and failing writes, against the model. Above
// all: no sequence gives more wrong tries than the counter has.
func TestPINCountersAgainstModel(t *testing.T) {
	master := cardtest.Issue(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: rt, memory: master.Memory.Copy(), reference: "98", other: "5678",
			model: pinModel{pin: "1234", least: 3, most: 3, max: 3}}
		if rapid.Bool().Draw(rt, "password") {
			m.reference, m.other = "9B", "XYZ789"
			m.model = pinModel{pin: "ABC123", least: 5, most: 5, max: 5}
		}
		m.insert()
		rt.Repeat(map[string]func(*rapid.T){
			"right":     func(*rapid.T) { m.try(true) },
			"wrong":     func(*rapid.T) { m.try(false) },
			"query":     func(*rapid.T) { m.query() },
			"change":    func(*rapid.T) { m.change() },
			"power cut": func(*rapid.T) { m.insert() },
			"reset":     func(*rapid.T) { m.reset() },
			"sign":      func(*rapid.T) { m.sign() },
			"wrong, write fails": func(r *rapid.T) {
				m.tryFailing(false, 0, rapid.SampledFrom([]cardtest.Fault{cardtest.FailsLost, cardtest.FailsKept}).Draw(r, "fault"))
			},
			"right, a write fails": func(r *rapid.T) {
				m.tryFailing(true, rapid.IntRange(0, 1).Draw(r, "write"), rapid.SampledFrom([]cardtest.Fault{cardtest.FailsLost, cardtest.FailsKept}).Draw(r, "fault"))
			},
		})
	})
}

type machine struct {
	t         *rapid.T
	memory    *cardtest.Memory
	chip      *card.Chip
	reference string // P2 of the PIN file
	other     string // the PIN to change to and back
	model     pinModel
}

func (m *machine) insert() {
	var err error
	if m.chip, err = card.Open(m.memory); err != nil {
		m.t.Fatal(err)
	}
	m.selectApplication()
}

func (m *machine) reset() { m.chip.Reset(); m.selectApplication() }

func (m *machine) selectApplication() {
	m.model.verified = false
	m.expect(selectJPKI, "9000")
}

func (m *machine) send(command string) string {
	_, sw := transmit(m.t, m.chip, command)
	return sw
}

func (m *machine) expect(command string, want ...string) string {
	got := m.send(command)
	for _, w := range want {
		if got == w {
			return got
		}
	}
	m.t.Fatalf("%s answered %s, want one of %v; model %+v", command, got, want, m.model)
	return ""
}

func (m *machine) verify(right bool) string {
	pin := m.model.pin
	if !right {
		pin = "0" + pin[1:]
	}
	return fmt.Sprintf("002000%s%02X%s", m.reference, len(pin), ascii(pin))
}

// query narrows the model to what the card says, which must lie within it.
func (m *machine) query() {
	var want []string
	for n := m.model.least; n <= m.model.most; n++ {
		want = append(want, fmt.Sprintf("63C%d", n))
	}
	got := m.expect("002000"+m.reference, want...)
	m.model.least = int(got[3] - '0')
	m.model.most = m.model.least
}

func (m *machine) try(right bool) {
	m.query()
	switch left := m.model.least; {
	case left == 0:
		m.expect(m.verify(right), "6984")
	case right:
		m.expect(m.verify(right), "9000")
		m.model.least, m.model.most, m.model.verified = m.model.max, m.model.max, true
	default:
		m.expect(m.verify(right), fmt.Sprintf("63C%d", left-1))
		m.model.least, m.model.most, m.model.verified = left-1, left-1, false
	}
}

// tryFailing lets the n-th write of a try fail. Whatever is answered, a wrong PIN never raises
// the counter, and no PIN counts as verified afterwards.
func (m *machine) tryFailing(right bool, n int, fault cardtest.Fault) {
	m.query()
	left := m.model.least
	if left == 0 {
		m.expect(m.verify(right), "6984")
		return
	}
	start := m.memory.Stores()
	m.memory.Plan = func(i int) cardtest.Fault {
		if i-start == n {
			return fault
		}
		return cardtest.Works
	}
	m.expect(m.verify(right), "6581")
	m.memory.Plan = nil
	switch kept := fault == cardtest.FailsKept; {
	case n == 0 && kept:
		m.model.least, m.model.most = left-1, left-1
	case n == 1 && kept:
		m.model.least, m.model.most = m.model.max, m.model.max
	case n == 1:
		m.model.least, m.model.most = left-1, left-1
	}
	// The chip forgot its session with the failed write.
	m.model.verified = false
	m.expect("002000"+m.reference, "6A82")
	m.selectApplication()
}

func (m *machine) change() {
	command := fmt.Sprintf("002401%s%02X%s", m.reference, len(m.other), ascii(m.other))
	if !m.model.verified {
		m.expect(command, "6982")
		return
	}
	m.expect(command, "9000")
	m.model.pin, m.other = m.other, m.model.pin
	m.model.least, m.model.most = m.model.max, m.model.max
}

func (m *machine) sign() {
	key := map[string]string{"98": "97", "9B": "9A"}[m.reference]
	want := "6982"
	if m.model.verified {
		want = "9000"
	}
	m.expect("802A00"+key+"0401020304"+"00", want)
}
