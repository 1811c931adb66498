package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"pgregory.net/rapid"
)

// poll reads once over a disturbed way. Where nothing else goes wrong, a gap must be an alarm.
func (h *history) poll() {
	h.via.change = h.disturb
	h.r.f.cfg.Limit = 1 + h.pick("limit", 6)
	defer func() { h.r.f.cfg.Limit = MaxLimit }()
	h.read.fault = h.drawFault("read fault")
	clean := h.read.fault == store.NoFault && len(h.r.fail) == 0
	err := h.r.poll()
	h.read.fault = store.NoFault
	alarm, isAlarm := errors.AsType[*Alarm](err)
	switch {
	case clean && h.wantGap && (!isAlarm || alarm.Err.Code != CodeGap):
		h.rt.Fatalf("a gap went unnoticed: %v", err)
	case isAlarm && !h.wantGap && !h.distrust:
		h.rt.Fatalf("an alarm without cause: %v", err)
	}
	h.calm()
}

func (h *history) disturb(path string, resp *http.Response, l []string) []string {
	if strings.HasSuffix(path, "/snapshot") {
		if h.pick("cut the snapshot", 4) == 0 {
			return l[:h.pick("lines", len(l))]
		}
		return l
	}
	fresh := answer{resp.Header.Clone(), append([]string(nil), l...)}
	if len(l) > 0 {
		last, err := parseEvent([]byte(l[len(l)-1]))
		if err != nil {
			h.rt.Fatal(err)
		}
		if last.Position().Compare(h.served) > 0 {
			h.served = last.Position()
		}
	}
	defer func() { h.old = append(h.old, fresh) }()
	pick := func(name string) int { return h.pick(name, len(l)) }
	how := h.pick("way", 7)
	if len(l) == 0 && how != 5 {
		return l
	}
	switch how {
	case 1: // cut anywhere
		text := strings.Join(l, "")
		return []string{text[:rapid.IntRange(0, len(text)).Draw(h.rt, "cut")]}
	case 2: // repeated
		i := pick("from")
		return append(append([]string(nil), l...), l[i:]...)
	case 3: // thinned out
		i := pick("missing")
		l = append(append([]string(nil), l[:i]...), l[i+1:]...)
		h.wantGap = i < len(l)
	case 4: // reordered
		i, j := pick("one"), pick("other")
		l[i], l[j] = l[j], l[i]
		h.wantGap = i != j
	case 5: // an earlier answer comes instead
		if len(h.old) > 0 {
			h.distrust = true
			late := h.old[h.pick("late", len(h.old))]
			for k, v := range late.header {
				resp.Header[k] = v
			}
			return late.lines
		}
	}
	return l
}

// settle ends all failures and lets everything that is under way arrive.
func (h *history) settle() {
	clear(h.r.fail)
	h.calm()
	h.crash()
	if h.s.seq.Health() != nil {
		if _, err := h.s.seq.NewEpoch(context.Background(), 0); err != nil {
			h.rt.Fatal(err)
		}
	}
	h.s.seq.cfg.Batch = 100
	if _, err := h.s.seq.Step(context.Background()); err != nil {
		h.rt.Fatal(err)
	}
	for range 3 { // a snapshot, what came after it, and nothing
		if err := h.r.poll(); err != nil {
			h.rt.Fatal(err)
		}
	}
	if _, err := h.r.f.RetryParked(context.Background()); err != nil {
		h.rt.Fatal(err)
	}
	if err := h.r.poll(); err != nil {
		h.rt.Fatal(err)
	}
}

func (h *history) check() {
	if got := readMap(h.r.t, h.read.db, `SELECT subject, value FROM state`); fmt.Sprint(got) != fmt.Sprint(h.model) {
		h.rt.Fatalf("the reader holds %v, the model %v", got, h.model)
	}
	health := h.r.f.Health()
	head := h.headInDatabase()
	if health.Err() != nil || health.Cursor != head && head.N > 0 || health.Applied != health.Cursor {
		h.rt.Fatalf("health %+v at head %s", health, head)
	}
	if !h.rewound {
		if n := number(h.r.t, h.read.db, `SELECT COUNT(*) FROM effects WHERE times <> 1`); n != 0 {
			h.rt.Fatalf("%d events had their effect more than once", n)
		}
		// Without a snapshot every single event has its effect, with one at least every latest.
		if n := number(h.r.t, h.read.db, `SELECT COUNT(*) FROM effects`); head.Epoch == 1 && uint64(n) != head.N {
			h.rt.Fatalf("%d of %d events had their effect", n, head.N)
		}
	}
	h.checkChain(head)
}

// checkChain reads all events of the present epoch as another reader would, and the versions of
// each subject as the sender gave them.
func (h *history) checkChain(head jitsuin.Position) {
	var text bytes.Buffer
	err := h.send.db.View(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.Query(`SELECT `+eventRow+` FROM feed_events e WHERE topic = $1 AND epoch = $2 ORDER BY n`, topic, head.Epoch)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			e, err := scanEvent(rows)
			if err != nil {
				return err
			}
			if err := writeLine(&text, e); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		h.rt.Fatal(err)
	}
	versions, n := map[string]uint64{}, uint64(0)
	for in, at := newLines(&text), (cursor{}); ; n++ {
		line, err := in.next()
		if err == io.EOF {
			break
		}
		e, err := parseEvent(line)
		if err != nil {
			h.rt.Fatal(err)
		}
		if n > 0 {
			if _, _, err = at.next(e); err != nil {
				h.rt.Fatal(err)
			}
		}
		at = cursor{e.Position(), e.Hash}
		if last := versions[e.Subject]; last != 0 && e.Version != last+1 {
			h.rt.Fatalf("version %d of %s comes after %d", e.Version, e.Subject, last)
		}
		versions[e.Subject] = e.Version
	}
	if n != head.N {
		h.rt.Fatalf("%d events in the epoch, the head is %s", n, head)
	}
}
