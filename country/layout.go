package country

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// layout is what this release writes for a country: who is in it, where each is reached, and each
// configuration file. It follows from the facts alone.
type layout struct {
	facts   Facts
	plan    Plan
	sample  people.Country
	configs map[string][]byte // by instance; YAML without the head
}

// newLayout works a layout out; nothing is written.
func (f Folder) newLayout(facts Facts) (layout, error) {
	l := layout{facts: facts, sample: facts.Sample(), configs: map[string][]byte{}}
	var err error
	if l.plan, err = NewPlan(facts.Listen); err != nil {
		return l, err
	}
	for id, n := range instances(l.sample) {
		if n == 0 || id == Status {
			continue
		}
		if l.configs[id], err = yaml.Marshal(f.config(facts, l.plan, l.sample, id, f.base(facts, l.plan, id, n))); err != nil {
			return l, fmt.Errorf("configuration of %s: %w", id, err)
		}
	}
	return l, nil
}

// digest tells layouts apart: a folder that bears the digest of the present layout needs nothing.
func (l layout) digest() string {
	sum := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(instances(l.sample))) {
		fmt.Fprintf(sum, "%s %d %d\n", id, instances(l.sample)[id], len(l.configs[id]))
		sum.Write(l.configs[id])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// update brings a country that is there to the present format, and to other addresses or another
// cadence where that is asked for: missing keys are made, the directory and the configuration files
// written anew. Keys, databases and chips stay. country.json comes last, so that an update that was
// cut short is done again; a folder that is up to date is not touched.
func (f Folder) update(facts *Facts, o Options) error {
	changed := *facts
	changed.Format = FolderFormat
	if o.Listen != "" {
		changed.Listen = o.Listen
	}
	if o.Cadence != "" {
		changed.Cadence = o.Cadence
	}
	next, err := f.newLayout(changed)
	if err != nil {
		return err
	}
	if changed.Layout = next.digest(); changed == *facts {
		return nil
	}
	before, err := f.newLayout(*facts)
	if err != nil {
		return err
	}
	if err := f.layOut(next, before, o.Out); err != nil {
		return err
	}
	if facts.Format < FolderFormat && o.Out != nil {
		fmt.Fprintf(o.Out, "The folder %s was of an earlier release (format %d) and is now of format %d.\n", string(f), facts.Format, FolderFormat)
	}
	*facts = changed
	return f.writeFacts(changed)
}

// layOut makes folders, secrets, directory and configuration files. before is what the files that
// are there were written from, unless the folder itself remembers that.
func (f Folder) layOut(next, before layout, out io.Writer) error {
	files, err := f.configFiles(next, before) // may refuse, so it comes before anything is written
	if err != nil {
		return err
	}
	for _, d := range []string{"config/" + generated, "actors", "cards", "secrets/keys", "residents"} {
		if err := os.MkdirAll(f.Path(d), 0o700); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	for _, s := range []string{"passphrase", tsaPassphrase, "cards-create-key", cardsTraceKey, cardsFaultKey} {
		if err := f.makeSecret(s); err != nil {
			return err
		}
	}
	if err := f.writeApplication(); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(files)) {
		if err := os.MkdirAll(f.Path("actors", fileName(id), "state"), 0o700); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		if err := f.writeConfig(id, files[id], next.configs[id], out); err != nil {
			return err
		}
	}
	// After the files: until they are written, the old directory tells where everybody listened.
	return f.writeDirectory(next.plan, next.sample)
}

// generated is the folder below config/ that keeps each file as it was written, so that what was
// changed by hand since can be told.
const generated = ".generated"

// configFile is a configuration file that is to be written.
type configFile struct {
	content []byte
	kept    []string // members that were changed by hand and stay so
	edited  []byte   // the whole file as it was, where something was
}

func configHead(id string) string {
	return "# Configuration of " + id + ". Start it alone with: jitsuin serve " + httpapi.RoleOf(id) + " --config THIS_FILE\n" +
		"# What you change here stays when a later release, or another --listen, writes the file anew.\n"
}

// configFiles merges what this release writes with what was changed by hand.
func (f Folder) configFiles(next, before layout) (map[string]configFile, error) {
	listens, err := f.listens()
	if err != nil {
		return nil, err
	}
	files := map[string]configFile{}
	for id, body := range next.configs {
		head := configHead(id)
		have, err := os.ReadFile(f.ConfigPath(id))
		if os.IsNotExist(err) {
			files[id] = configFile{content: append([]byte(head), body...)}
			continue
		}
		if err != nil {
			return nil, err
		}
		base, err := os.ReadFile(f.Path("config", generated, fileName(id)+".yaml"))
		if os.IsNotExist(err) {
			base, err = assumedBase(before.configs[id], have, listens[id])
		}
		if err != nil {
			return nil, err
		}
		file := configFile{content: append([]byte(head), body...)}
		merged, kept, err := mergeConfig(base, have, body)
		if err != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "config", "%s cannot be brought to this release: %s", f.ConfigPath(id), yaml.FormatError(err, false, true)).
				WithHint("mend the file, or move it away to have it written anew")
		}
		if len(kept) > 0 {
			slices.Sort(kept)
			file = configFile{content: append([]byte(head), merged...), kept: kept, edited: have}
		}
		files[id] = file
	}
	return files, nil
}

// writeConfig puts a file in place, unless it is there already. One that was changed by hand is also
// kept as it was, beside the new one: comments do not survive a merge.
func (f Folder) writeConfig(id string, file configFile, base []byte, out io.Writer) error {
	path := f.ConfigPath(id)
	have, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if file.edited != nil && !bytes.Equal(have, file.content) {
		aside := path + ".before-" + time.Now().UTC().Format("20060102T150405Z")
		if err := keep(aside, file.edited, 0o600); err != nil {
			return err
		}
		if out != nil {
			fmt.Fprintf(out, "%s was changed by hand (%s): that was kept; the file as it was is %s\n", path, strings.Join(file.kept, ", "), aside)
		}
	}
	if !bytes.Equal(have, file.content) {
		if err := replace(path, file.content, 0o600); err != nil {
			return err
		}
	}
	return replace(f.Path("config", generated, fileName(id)+".yaml"), base, 0o600)
}

// listens reads from the directory that is there where each instance listened so far.
func (f Folder) listens() (map[string]string, error) {
	at := map[string]string{}
	if _, err := os.Stat(f.Path("directory.jws")); os.IsNotExist(err) {
		return at, nil
	}
	d, err := f.Directory()
	if err != nil {
		return nil, err
	}
	for _, i := range d.All() {
		if u, err := url.Parse(i.Origin); err == nil && u.Host != "" {
			at[i.ID] = u.Host
		}
	}
	return at, nil
}

// assumedBase is what the first release, which kept no copy, is taken to have written: what this one writes, with the
// address of then and without the members that are new since.
func assumedBase(config, have []byte, listen string) ([]byte, error) {
	members, err := readMembers(config)
	if err != nil {
		return nil, err
	}
	mine, err := readMembers(have)
	if err != nil {
		return nil, err
	}
	members = onlyIn(members, mine)
	for i := range members {
		if members[i].Key == "listen" && listen != "" {
			members[i].Value = listen
		}
	}
	return yaml.Marshal(members)
}

// onlyIn leaves out members that the other mapping does not have.
func onlyIn(members, other yaml.MapSlice) (out yaml.MapSlice) {
	for _, m := range members {
		o, there := member(other, m.Key)
		if !there {
			continue
		}
		inner, isMap := m.Value.(yaml.MapSlice)
		otherInner, otherIsMap := o.(yaml.MapSlice)
		if isMap && otherIsMap {
			m.Value = onlyIn(inner, otherInner)
		}
		out = append(out, m)
	}
	return out
}
