package ui

import (
	"fmt"
	"io"
	"time"
)

// Reading wraps a file that is being read so that a person at a terminal sees how far it is, once
// that takes longer than a second. size is 0 where it is not known. done wipes the line.
func (f *Face) Reading(r io.Reader, size int64) (wrapped io.Reader, done func()) {
	if !f.Progress {
		return r, func() {}
	}
	p := &progress{r: r, w: f.Err, size: size, next: time.Now().Add(time.Second)}
	return p, p.done
}

const progressEvery = 200 * time.Millisecond

type progress struct {
	r     io.Reader
	w     io.Writer
	size  int64
	read  int64
	next  time.Time
	shown bool
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.read += int64(n)
	if now := time.Now(); now.After(p.next) {
		p.next, p.shown = now.Add(progressEvery), true
		fmt.Fprintf(p.w, "\r%s\x1b[K", p)
	}
	return n, err
}

func (p *progress) String() string {
	const mega = 1 << 20
	if p.size <= 0 {
		return fmt.Sprintf("%d MiB read", p.read/mega)
	}
	return fmt.Sprintf("%d of %d MiB read (%d%%)", p.read/mega, p.size/mega, p.read*100/p.size)
}

func (p *progress) done() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
