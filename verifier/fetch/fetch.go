package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/files"
	"github.com/jitsuin/jitsuin/status"
)

// Source is one place with lists.
type Source struct {
	Name    string
	URL     string // what ParseURL takes
	Every   time.Duration
	Timeout time.Duration // of one fetch; 0: two minutes
}

// Fetcher fetches into a folder. Fill the fields before its first use. Safe for concurrent use; two processes
// take turns.
type Fetcher struct {
	Folder  *status.Folder
	Sources []Source
	Clock   func() time.Time // of what is remembered; required
	Log     *slog.Logger     // nil: slog.Default()
	HTTP    *http.Client     // nil: one with bounds of its own
	MaxList int64            // octets of one list; 0: 256 MiB
	MaxAll  int64            // octets of all that one fetch may bring; 0: 512 MiB

	mu sync.Mutex // held by the one fetch of this process
}

// Bounds of a fetch.
const (
	defaultTimeout = 2 * time.Minute
	defaultMaxList = 256 << 20
	defaultMaxAll  = 512 << 20
	maxLists       = 4096 // of one source
	retryAfter     = 10 * time.Minute
	lockTime       = 30 * time.Second
)

const (
	stateFile = ".fetch.json"
	lockFile  = ".fetch.lock"
)

// SourceState is what is remembered of one source.
type SourceState struct {
	Source      string     `json:"source" doc:"Its name in the configuration"`
	URL         string     `json:"url" doc:"Without a password"`
	LastTry     *time.Time `json:"last_try,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty" doc:"When it last answered with lists that are in use, or that nothing has changed"`
	LastError   string     `json:"last_error,omitempty" doc:"What was wrong with the last try; absent where nothing was"`
	Lists       int        `json:"lists" doc:"Lists in the last answer that had any"`
	New         int        `json:"new" doc:"Lists of it that were new"`

	ETag     string   `json:"etag,omitempty"`
	Modified string   `json:"modified,omitempty"`
	Files    []string `json:"files,omitempty"` // that the last answer is stored in
}

// States gives what is remembered of every source, in their order.
func (f *Fetcher) States() []SourceState {
	kept := f.load()
	all := make([]SourceState, 0, len(f.Sources))
	for _, s := range f.Sources {
		all = append(all, kept.of(s))
	}
	return all
}

// Due fetches from every source whose time has come, and tells whether any was. What is wrong is remembered and logged.
func (f *Fetcher) Due(ctx context.Context) bool {
	now, any := f.Clock(), false
	for i, st := range f.States() {
		s := f.Sources[i]
		wait := s.Every
		if st.LastError != "" {
			wait = min(wait, retryAfter)
		}
		if st.LastTry != nil && !now.Before(*st.LastTry) && now.Sub(*st.LastTry) < wait {
			continue
		}
		any = true
		if st := f.Fetch(ctx, s); st.LastError != "" {
			f.log().Warn("revocation lists could not be fetched", "source", s.Name, "why", st.LastError)
		} else {
			f.log().Info("revocation lists fetched", "source", s.Name, "lists", st.Lists, "new", st.New)
		}
	}
	return any
}

func (f *Fetcher) log() *slog.Logger {
	if f.Log == nil {
		return slog.Default()
	}
	return f.Log
}

// Fetch asks one source now, stores what is new, and gives what is remembered of it then.
func (f *Fetcher) Fetch(ctx context.Context, s Source) SourceState {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Timeout <= 0 {
		s.Timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	unlock, err := f.lock(ctx)
	if err != nil {
		now := f.Clock().UTC()
		return SourceState{Source: s.Name, URL: public(s.URL), LastTry: &now, LastError: err.Error()}
	}
	defer unlock()
	kept := f.load()
	st := kept.of(s)
	err = f.fetch(ctx, s, &st)
	now := f.Clock().UTC()
	st.LastTry, st.LastError = &now, ""
	if err != nil {
		st.LastError = words(err)
	} else {
		st.LastSuccess = &now
	}
	kept.put(st)
	if err := f.save(kept); err != nil && st.LastError == "" {
		st.LastError = err.Error()
	}
	return st
}

// lock has other processes wait for their turn.
func (f *Fetcher) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	l := flock.New(filepath.Join(f.Folder.Path, lockFile))
	ok, err := l.TryLockContext(ctx, 100*time.Millisecond)
	if err != nil || !ok {
		return nil, errors.New("another process fetches into this folder, or the folder cannot be written to")
	}
	return func() { l.Unlock() }, nil
}

// fetch asks a source and stores what it gives.
func (f *Fetcher) fetch(ctx context.Context, s Source, st *SourceState) error {
	p, err := ParseURL(s.URL)
	if err != nil {
		return err
	}
	if err := f.Folder.Reload(); err != nil {
		return err
	}
	var lists [][]byte
	if p.LDAP {
		lists, err = f.search(ctx, p)
	} else {
		lists, err = f.get(ctx, s.URL, st)
		if errors.Is(err, errUnchanged) {
			return nil
		}
	}
	if err == nil && len(lists) == 0 {
		err = errors.New("the answer has no revocation list")
	}
	if err != nil {
		st.ETag, st.Modified = "", ""
		return err
	}
	return f.store(lists, st)
}

// store puts lists into the folder. One that is not usable does not stop the others; it is the error.
func (f *Fetcher) store(lists [][]byte, st *SourceState) (first error) {
	st.Lists, st.New, st.Files = len(lists), 0, nil
	wrong, have := 0, f.Folder.Lists()
	for _, raw := range lists {
		name, isNew, err := f.storeOne(raw, have)
		if err != nil {
			if wrong++; first == nil {
				first = err
			}
			continue
		}
		if slices.Contains(st.Files, name) {
			continue // the same list under several names
		}
		st.Files = append(st.Files, name)
		if isNew {
			st.New++
		}
	}
	if st.New > 0 {
		syncFolder(f.Folder.Path)
		if err := f.Folder.Reload(); err != nil && first == nil {
			first = err
		}
		f.prune()
	}
	if wrong > 0 {
		st.ETag, st.Modified = "", "" // ask for all of it again
	}
	if wrong > 1 {
		first = fmt.Errorf("%d of %d lists cannot be used, the first: %w", wrong, len(lists), first)
	}
	return first
}

// storeOne gives the file that a list lies in; isNew where it was not there.
func (f *Fetcher) storeOne(raw []byte, at []status.FolderList) (name string, isNew bool, err error) {
	if limit := f.maxList(); int64(len(raw)) > limit {
		return "", false, fmt.Errorf("the list is larger than %d bytes", limit)
	}
	l, err := f.Folder.Examine(raw)
	if err != nil {
		return "", false, err
	}
	for _, have := range at {
		switch {
		case have.SHA256 == l.SHA256 && have.File != "":
			return have.File, false, nil
		case have.Newest && have.Succeeds(l):
			return "", false, jitsuin.Errorf(jitsuin.Conflict, "crl-older", "the list is older than the one at hand: made at %s, not %s", stamp(l.ThisUpdate), stamp(have.ThisUpdate))
		}
	}
	name = fileName(l)
	return name, true, files.Replace(filepath.Join(f.Folder.Path, name), raw, 0o644)
}

func (f *Fetcher) maxList() int64 {
	if f.MaxList > 0 {
		return f.MaxList
	}
	return defaultMaxList
}

// fileName is how fetched lists are called: their issuer's key, when they were made, and what they are.
func fileName(l status.FolderList) string {
	return fmt.Sprintf("%.12s-%s-%.12s.crl", l.IssuerKey, l.ThisUpdate.UTC().Format("20060102T150405Z"), l.SHA256)
}

var ours = regexp.MustCompile(`^[0-9a-f]{12}-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}\.crl$`)

// prune removes fetched files whose lists nobody asks for any more. What people put into the folder stays.
func (f *Fetcher) prune() {
	inUse := map[string]bool{}
	for _, l := range f.Folder.Lists() {
		inUse[l.File] = true
	}
	for _, p := range f.Folder.Problems() {
		inUse[p.File] = true // somebody should see it
	}
	entries, err := os.ReadDir(f.Folder.Path)
	if err != nil {
		return
	}
	for _, e := range entries {
		if ours.MatchString(e.Name()) && !inUse[e.Name()] {
			if err := os.Remove(filepath.Join(f.Folder.Path, e.Name())); err != nil {
				f.log().Warn("an old revocation list could not be removed", "file", e.Name(), "err", err)
			}
		}
	}
}

// syncFolder makes new names durable, where the system can.
func syncFolder(path string) {
	if runtime.GOOS == "windows" {
		return
	}
	if d, err := os.Open(path); err == nil {
		d.Sync()
		d.Close()
	}
}

// memory is the state file.
type memory struct {
	Sources []SourceState `json:"sources"`
}

// of gives what is remembered of a source; nothing where its address has changed.
func (m memory) of(s Source) SourceState {
	for _, st := range m.Sources {
		if st.Source == s.Name && st.URL == public(s.URL) {
			return st
		}
	}
	return SourceState{Source: s.Name, URL: public(s.URL)}
}

func (m *memory) put(st SourceState) {
	m.Sources = slices.DeleteFunc(m.Sources, func(o SourceState) bool { return o.Source == st.Source })
	m.Sources = append(m.Sources, st)
}

// load reads the state file; without one, or with one that cannot be read, nothing is remembered.
func (f *Fetcher) load() (m memory) {
	raw, err := os.ReadFile(filepath.Join(f.Folder.Path, stateFile))
	if err == nil && json.Unmarshal(raw, &m) != nil {
		m = memory{}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log().Warn("what was fetched before cannot be read", "err", err)
	}
	return m
}

func (f *Fetcher) save(m memory) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return files.Replace(filepath.Join(f.Folder.Path, stateFile), append(raw, '\n'), 0o644)
}

// words says what was wrong without what the network's errors repeat.
func words(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the source does not answer in time"
	case errors.As(err, &dns):
		return "the name " + dns.Name + " cannot be found: is this machine offline?"
	}
	return strings.ToValidUTF8(err.Error(), "?")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
