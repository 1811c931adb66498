package doctor

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/internal/disk"
)

// closed are the parts of a folder that nobody but its owner may read; STATE/ca has certificates, which
// are published.
var closed = []string{"secrets", "residents", "config", "actors", "cards"}

// modes looks whether others may read what is secret.
func (p *patient) modes() {
	if runtime.GOOS == "windows" {
		return // its permissions are not those of files
	}
	files, before := 0, len(p.report)
	for _, part := range closed {
		root := p.folder.Path(part)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() == "ca" && strings.HasPrefix(path, p.folder.Path("actors")) {
				return filepath.SkipDir
			}
			info, err := d.Info()
			if err != nil {
				return nil // it is gone: a running actor has removed it
			}
			files++
			if info.Mode().Perm()&0o077 != 0 && d.Type()&fs.ModeSocket == 0 {
				p.wrong("open-to-others", p.name(path), info.Mode().Perm().String(), path, map[bool]string{true: "0700", false: "0600"}[d.IsDir()])
			}
			return nil
		})
		if err != nil {
			p.wrong("part-unreadable", part, plain(err))
		}
	}
	if len(p.report) == before {
		p.well("modes", p.Data, files)
	}
}

// wallClock finds a machine whose clock was set back.
func (p *patient) wallClock() {
	now := p.Now()
	if behind := p.facts.Made.Sub(now); behind > time.Minute {
		p.wrong("wall-clock-behind", "country.json", p.facts.Made.Format(time.RFC3339), now.Format(time.RFC3339))
		return
	}
	p.well("wall-clock", "country.json", now.Format(time.RFC3339))
}

// longestAhead is how far civil time can be ahead before certificates cannot be issued any more.
const longestAhead = 50 * 365 * 24 * time.Hour

// sameCivilTime compares the offsets that the actors have stored.
func (p *patient) sameCivilTime() {
	if len(p.offsets) == 0 {
		return
	}
	furthest := slices.Max(slices.Collect(maps.Values(p.offsets)))
	same := true
	for _, id := range slices.Sorted(maps.Keys(p.offsets)) {
		if behind := furthest - p.offsets[id]; behind > time.Second {
			// A stopped country may have been stopped before the message arrived; it arrives at the next start.
			p.say(map[bool]Level{true: Wrong, false: Note}[p.running], "civil-time-differs", id, behind.Round(time.Second).String())
			same = false
		}
	}
	switch {
	case furthest < 0 || furthest > longestAhead:
		p.wrong("civil-time-odd", p.Data, furthest.Round(time.Second).String())
	case same:
		p.well("civil-time", p.Data, furthest.Round(time.Second).String())
	}
}

const (
	leastFree  = 256 << 20 // bytes below which nothing should be left running
	littleFree = 1 << 30
)

// space looks how full the disk is.
func (p *patient) space(path, subject string) {
	s, err := disk.Of(path)
	free := s.Free >> 20
	switch {
	case err != nil:
		p.note("space-unknown", subject, plain(err))
	case s.Free < leastFree:
		p.wrong("disk-full", subject, free)
	case s.Free < littleFree || s.Free < s.Total/20:
		p.note("disk-low", subject, free)
	default:
		p.well("disk", subject, free)
	}
}

// readable tells whether a file can be read and is not empty.
func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var one [1]byte
	_, err = f.Read(one[:])
	return err
}
