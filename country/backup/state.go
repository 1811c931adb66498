package backup

import (
	"bytes"
	"crypto/sha256"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
)

const highWaterName = "feeds.high-water"

// placeState puts an actor's state folder back. What is an account of things that happened never goes back:
// a high-water file that is further and a journal of signatures that is longer stay as they are.
func (r *restoring) placeState(p source) error {
	base := path.Join("actors", p.name(), "state")
	longer, err := r.journalStays(p)
	if err != nil {
		return err
	}
	return r.placeEach(base, p.state, func(rel, staged string) (bool, error) {
		switch {
		case rel == highWaterName && exists(filepath.Join(p.state, rel)):
			return true, raiseMarks(filepath.Join(p.state, rel), staged)
		case strings.HasPrefix(rel, "signer/") && longer:
			return true, nil
		}
		return false, nil
	})
}

// placeEach places the staged files below base unless done says that it has seen to one itself.
func (r *restoring) placeEach(base, to string, done func(rel, staged string) (bool, error)) error {
	for _, f := range r.manifest.Files {
		rel, ok := strings.CutPrefix(f.Path, base+"/")
		if !ok {
			continue
		}
		seen, err := done(rel, filepath.Join(r.stage, filepath.FromSlash(f.Path)))
		if err != nil {
			return err
		}
		if seen {
			continue
		}
		into := filepath.Join(to, filepath.FromSlash(rel))
		if exists(into) { // the whole folder lies aside already
			if err := os.Remove(into); err != nil {
				return err
			}
		}
		if err := r.placeFile(f.Path, into); err != nil {
			return err
		}
	}
	return nil
}

// raiseMarks takes the higher mark of each topic.
func raiseMarks(here, staged string) error {
	backed, err := feed.HighWaterFile(staged).Marks()
	if err != nil {
		return err
	}
	file := feed.HighWaterFile(here)
	have, err := file.Marks()
	if err != nil {
		return err
	}
	higher := map[string]feed.Mark{}
	for topic, m := range backed {
		if m.Compare(have[topic].Position) > 0 {
			higher[topic] = m
		}
	}
	if len(higher) == 0 {
		return nil
	}
	return file.Raise(higher)
}

// journalStays tells whether the CA's journal that is there continues the one of the backup. One that
// says something else is an error: two accounts of the same signatures cannot both be true.
func (r *restoring) journalStays(p source) (bool, error) {
	here, err := os.ReadFile(filepath.Join(p.state, journalName))
	if os.IsNotExist(err) || err == nil && len(here) == 0 {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	backed, err := os.ReadFile(filepath.Join(r.stage, "actors", p.name(), "state", filepath.FromSlash("signer/signatures.jsonl")))
	if err != nil && !os.IsNotExist(err) {
		return false, err
	}
	whole := backed[:bytes.LastIndexByte(backed, '\n')+1]
	switch {
	case bytes.HasPrefix(here, whole):
		return true, nil
	case bytes.HasPrefix(whole, here[:bytes.LastIndexByte(here, '\n')+1]):
		return false, nil
	}
	return false, jitsuin.Errorf(jitsuin.Conflict, "journal-differs", "the journal of signatures of %s does not continue the one in the backup", p.instance).
		WithHint("it is of another country, or was changed; if the one in the backup is right, move %s away first", filepath.Join(p.state, "signer"))
}

// marksOf reads where the feeds stood, for the account of what is lost.
func marksOf(state string) map[string]jitsuin.Position {
	out := map[string]jitsuin.Position{}
	if !exists(filepath.Join(state, highWaterName)) {
		return out
	}
	marks, err := feed.HighWaterFile(filepath.Join(state, highWaterName)).Marks()
	if err != nil {
		return out
	}
	for topic, m := range marks {
		out[topic] = m.Position
	}
	return out
}

func sameFile(a, b string) (bool, error) {
	if !exists(b) {
		return false, nil
	}
	var sums [2][sha256.Size]byte
	for i, p := range []string{a, b} {
		f, err := os.Open(p)
		if err != nil {
			return false, err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, f)
		f.Close()
		if err != nil {
			return false, err
		}
		sum.Sum(sums[i][:0])
	}
	return sums[0] == sums[1], nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		return copyFile(p, filepath.Join(to, rel))
	})
}

// memberPath gives the path that a configuration's member names, such as status.key; "" for none.
func memberPath(config, member string) string {
	raw, err := os.ReadFile(config)
	if err != nil {
		return ""
	}
	var value any
	if err := yaml.Unmarshal(raw, &value); err != nil {
		return ""
	}
	for _, name := range strings.Split(member, ".") {
		m, ok := value.(map[string]any)
		if !ok {
			return ""
		}
		value = m[name]
	}
	p, _ := value.(string)
	actor.ResolvePaths(filepath.Dir(config), &p)
	return p
}
