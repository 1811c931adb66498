package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gowebpki/jcs"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
)

// sealed gives a line its hash, as somebody would who has no key and needs none for that.
func (d *desk) sealed(e feed.Event) []byte {
	d.t.Helper()
	text, err := json.Marshal(e)
	d.must(err)
	var members map[string]json.RawMessage
	d.must(json.Unmarshal(text, &members))
	for _, name := range []string{"prev", "hash", "body", "body_hash"} {
		delete(members, name)
	}
	text, err = json.Marshal(members)
	d.must(err)
	text, err = jcs.Transform(text)
	d.must(err)
	head, body := sha256.Sum256(text), sha256.Sum256(e.Body)
	e.Hash = sha256.Sum256(append(append(append([]byte{}, e.Prev[:]...), head[:]...), body[:]...))
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	d.must(enc.Encode(e))
	return bytes.TrimSuffix(line.Bytes(), []byte("\n"))
}

// chain makes the lines from the i-th on anew, so that each continues the one before.
func (d *desk) chain(lines [][]byte, i int) [][]byte {
	d.t.Helper()
	var prev feed.Hash
	var at jitsuin.Position
	if i > 0 {
		e, _, err := feed.ParseLine(lines[i-1])
		d.must(err)
		prev, at = e.Hash, e.Position()
	}
	out := append([][]byte{}, lines[:i]...)
	for _, line := range lines[i:] {
		var e feed.Event
		d.must(json.Unmarshal(line, &e))
		e.Epoch, e.N, e.Prev = max(at.Epoch, 1), at.N+1, prev
		line = d.sealed(e)
		d.must(json.Unmarshal(line, &e))
		prev, at = e.Hash, e.Position()
		out = append(out, line)
	}
	return out
}

// parts takes an exported log apart: what stands before its lines, the lines, what stands behind.
func parts(export []byte) (before, lines, behind [][]byte) {
	for _, line := range bytes.Split(bytes.TrimSuffix(export, []byte("\n")), []byte("\n")) {
		switch {
		case bytes.HasPrefix(line, []byte(startsStatement)):
			before = append(before, line)
		case bytes.HasPrefix(line, []byte(startsHead)):
			behind = append(behind, line)
		default:
			lines = append(lines, line)
		}
	}
	return before, lines, behind
}

func joined(all ...[][]byte) []byte {
	var out bytes.Buffer
	for _, some := range all {
		for _, line := range some {
			out.Write(append(bytes.Clone(line), '\n'))
		}
	}
	return out.Bytes()
}

// reworded gives a line other words, and leaves its hash.
func reworded(line []byte, how int) []byte {
	return bytes.Replace(line, []byte(`"verdict":"TOTAL-PASSED"`), fmt.Appendf(nil, `"verdict":"TOTAL-FAILED-%d"`, how), 1)
}

// forge rewords the act at n, or the first after it, and makes the chain anew from there.
func (d *desk) forge(export []byte, n uint64, how int) []byte {
	d.t.Helper()
	before, lines, behind := parts(export)
	for i := int(n) - 1; i < len(lines); i++ {
		if other := reworded(lines[i], how); !bytes.Equal(other, lines[i]) {
			lines[i] = other
			return joined(before, d.chain(lines, i), behind)
		}
	}
	d.t.Fatal("no act to forge")
	return nil
}

// mutation is one thing that can be done to an exported log.
type mutation struct {
	name string
	// do gives the log after it, and the number of the first line that is bad; exact tells that exactly this one must be
	// named. Where the chain was made anew, only what was signed can tell: the line lies behind what is said to be sure,
	// and no further than what is named.
	do func(d *desk, r *rand.Rand, export []byte) (mutant []byte, first uint64, exact bool)
}

// on makes a mutation of one that works on the lines alone.
func on(f func(d *desk, r *rand.Rand, lines [][]byte) (after [][]byte, first uint64, exact bool)) func(*desk, *rand.Rand, []byte) ([]byte, uint64, bool) {
	return func(d *desk, r *rand.Rand, export []byte) ([]byte, uint64, bool) {
		before, lines, behind := parts(export)
		after, first, exact := f(d, r, lines)
		return joined(before, after, behind), first, exact
	}
}

var mutations = []mutation{
	{"a byte of a line is changed", on(func(_ *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		i := r.IntN(len(lines))
		line := bytes.Clone(lines[i])
		line[r.IntN(len(line))] ^= byte(1 + r.IntN(255))
		lines[i] = line
		return lines, uint64(i) + 1, true
	})},
	{"a byte is put into a line", on(func(_ *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		i := r.IntN(len(lines))
		at := r.IntN(len(lines[i]) + 1)
		lines[i] = append(append(bytes.Clone(lines[i][:at]), " 0a\"{"[r.IntN(5)]), lines[i][at:]...)
		return lines, uint64(i) + 1, true
	})},
	{"a line is removed", on(func(_ *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		i := r.IntN(len(lines))
		return append(append([][]byte{}, lines[:i]...), lines[i+1:]...), uint64(i) + 1, true
	})},
	{"a stretch is removed", on(func(_ *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		i := r.IntN(len(lines))
		j := i + 1 + r.IntN(len(lines)-i)
		return append(append([][]byte{}, lines[:i]...), lines[j:]...), uint64(i) + 1, true
	})},
	{"the tail is cut", on(func(_ *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		i := r.IntN(len(lines))
		return lines[:i], uint64(i) + 1, true
	})},
	{"a line stands twice", on(func(_ *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		from, to := r.IntN(len(lines)), r.IntN(len(lines)+1)
		first := uint64(to) + 1
		if from == to { // in the place of itself: the second one is too many
			first++
		}
		return append(append(append([][]byte{}, lines[:to]...), lines[from]), lines[to:]...), first, true
	})},
	{"two lines change places", on(func(_ *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		i := r.IntN(len(lines) - 1)
		j := i + 1 + r.IntN(len(lines)-i-1)
		lines[i], lines[j] = lines[j], lines[i]
		return lines, uint64(i) + 1, true
	})},
	{"a line is put in, and the rest moved on", on(func(d *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		i := 1 + r.IntN(len(lines)-1)
		lines = append(append(append([][]byte{}, lines[:i]...), lines[i-1]), lines[i:]...)
		return d.chain(lines, i), uint64(i) + 1, false
	})},
	{"a line is put at the end", on(func(d *desk, _ *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		n := len(lines)
		return d.chain(append(lines, lines[n-1]), n), uint64(n) + 1, false
	})},
	{"a line is removed, and the rest moved up", on(func(d *desk, r *rand.Rand, lines [][]byte) ([][]byte, uint64, bool) {
		i := r.IntN(len(lines) - 1)
		return d.chain(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), i), uint64(i) + 1, false
	})},
	{"a line says something else, and the chain is made anew", func(d *desk, r *rand.Rand, export []byte) ([]byte, uint64, bool) {
		_, lines, _ := parts(export)
		n := uint64(1 + r.IntN(len(lines)-1))
		return d.forge(export, n, r.Int()), n + 1, false
	}},
	{"the signed head is changed", func(_ *desk, r *rand.Rand, export []byte) ([]byte, uint64, bool) {
		before, lines, behind := parts(export)
		line := bytes.Clone(behind[0])
		line[r.IntN(len(line))] ^= byte(1 + r.IntN(255))
		return joined(before, lines, [][]byte{line}), uint64(len(lines)) + 1, true
	}},
	{"a statement is changed", func(_ *desk, r *rand.Rand, export []byte) ([]byte, uint64, bool) {
		before, lines, behind := parts(export)
		i := r.IntN(len(before))
		before[i] = bytes.Clone(before[i])
		before[i][r.IntN(len(before[i]))] ^= byte(1 + r.IntN(255))
		return joined(before, lines, behind), 0, false
	}},
}

// Whatever is done to an exported log is found, and the first bad entry is named (10,000 random mutations).
func TestEveryMutationIsFound(t *testing.T) {
	d := newDesk(t, "sqlite::memory:")
	d.says(ActStarted)
	d.hours(1, 3)
	d.witness("")
	d.hours(1, 3)
	d.acts(3)
	d.witness("")
	d.hours(1, 2)
	export := d.export()
	r := rand.New(rand.NewPCG(20261126, 6))
	named := 0
	for i := range mutants {
		m := mutations[i%len(mutations)]
		mutant, first, exact := m.do(d, r, bytes.Clone(export))
		if bytes.Equal(mutant, export) {
			t.Fatalf("%d: %s changed nothing", i, m.name)
		}
		report, err := CheckExport(bytes.NewReader(mutant), Expect{Verifier: verifier, Keys: d.known})
		if err != nil {
			t.Fatalf("%d: %s: %v", i, m.name, err)
		}
		f := report.Fault
		switch {
		case f == nil:
			t.Fatalf("%d: %s was not found (line %d)", i, m.name, first)
		case exact && f.At.N != first:
			t.Fatalf("%d: %s: line %d is bad, and named is %v", i, m.name, first, f)
		case !exact && first > 0 && (f.At.N > first && f.Sure.N >= first || max(f.At.N, f.Until.N) < first-1):
			t.Fatalf("%d: %s: line %d is bad, and named is %v", i, m.name, first, f)
		}
		if exact {
			named++
		}
	}
	t.Logf("%d mutations found, of %d exactly the first bad entry was named", mutants, named)
}
