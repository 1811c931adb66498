package status

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// Folder keeps the revocation lists that lie in a folder: dropped there by people, or fetched. Reload looks at
// the folder; Read gives a cert.Revocation that answers from memory alone and opens nothing. Fill the fields
// before its first use. Safe for concurrent use.
//
// A list is believed when it is whole and signed by the key of one of Anchors or Intermediates, whatever its file is called. What is
// not (half written, somebody else's, no list at all) stays out, is reported, and is looked at again when it changes.
// The newest list of each issuer's key and partition, once believed, stays in use until a newer one comes, also
// where its file is replaced by an older list, damaged or removed: what was known is not forgotten while
// the process lives.
type Folder struct {
	Path    string
	Anchors []*x509.Certificate // CA certificates that are trusted, also to sign for other generations of their name; required
	// Intermediates are further CA certificates whose lists are kept. Nobody is trusted by being here: such a list
	// answers only in a path in which that very key is the issuer's.
	Intermediates []*x509.Certificate
	Clock         func() time.Time // civil time; required
	History       time.Duration    // how long a list stays in use after it has ended, if it is not the newest
	MaxFile       int64            // octets of one file; 0: 256 MiB
	MaxTotal      int64            // octets of all lists in memory; 0: 1 GiB
	Algorithms    cert.Algorithms

	mu    sync.Mutex          // held by the one Reload
	files map[string]*crlFile // by name
	held  atomic.Pointer[shelf]
}

// Bounds of a folder.
const (
	maxCRLFiles      = 20_000
	defaultMaxFile   = 256 << 20
	defaultMaxTotal  = 1 << 30
	settling         = 2 * time.Second // a file younger than this may change once more without it showing in its time
	maxPartitionName = 300             // characters of what is said of a partition
)

// crlFile is a file as it was when it was last read.
type crlFile struct {
	size    int64
	changed time.Time
	settled bool
	list    *heldList // nil where the file is not usable, or its list is past use
	why     string    // why it is not usable
}

// heldList is a believed list.
type heldList struct {
	crl    *cert.CRL
	signer *x509.Certificate
	key    keyID
	part   partition
	sum    [sha256.Size]byte
	file   string
	lost   bool // the file does not hold it any more
}

type keyID [sha256.Size]byte

func keyIDOf(c *x509.Certificate) keyID { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// shelf is everything in use at one moment; it never changes.
type shelf struct {
	byName   []*nameShelf
	problems []FileProblem
	read     time.Time // civil time of the reading
}

// nameShelf holds the lists of one issuer name.
type nameShelf struct {
	rawName []byte
	lists   []*heldList // the newest of all first
	newest  map[shelfKey]*heldList

	mu     sync.Mutex
	spoken map[string][]*heldList // what ofKey has found
}

type shelfKey struct {
	key  keyID
	part string
}

// Reload looks at the folder and takes in what has changed: a few system calls where nothing has. The error is
// that of a folder that cannot be listed; what was in use stays then.
func (f *Folder) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, err := f.list()
	if err != nil {
		return err
	}
	now := f.Clock()
	old := f.files
	f.files = make(map[string]*crlFile, len(entries))
	total, changed := int64(0), len(entries) != len(old)
	for _, e := range entries {
		was := old[e.name]
		if was != nil && was.settled && was.size == e.size && was.changed.Equal(e.changed) {
			f.files[e.name] = was
		} else {
			f.files[e.name] = f.read(e, f.maxTotal()-total, now)
			changed = true
		}
		if l := f.files[e.name].list; l != nil {
			total += int64(len(l.crl.Raw))
		}
	}
	if held := f.held.Load(); changed || held == nil || now.Sub(held.read) >= time.Minute || now.Before(held.read) {
		f.held.Store(f.arrange(entries, held, now))
	}
	return nil
}

// entry is a file of the folder that may hold a list.
type entry struct {
	name    string
	size    int64
	changed time.Time
}

// list gives the files that may hold lists, those that changed last first.
func (f *Folder) list() ([]entry, error) {
	dir, err := os.Open(f.Path)
	if err != nil {
		return nil, fmt.Errorf("the folder of revocation lists cannot be read: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxCRLFiles + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the folder of revocation lists cannot be read: %w", err)
	}
	if len(names) > maxCRLFiles {
		return nil, fmt.Errorf("the folder of revocation lists has more than %d files", maxCRLFiles)
	}
	var all []entry
	for _, name := range names {
		if strings.HasPrefix(name, ".") || !slices.Contains([]string{".crl", ".der", ".pem"}, strings.ToLower(filepath.Ext(name))) {
			continue
		}
		info, err := os.Stat(filepath.Join(f.Path, name))
		if err != nil || !info.Mode().IsRegular() {
			continue // gone meanwhile, or no file
		}
		all = append(all, entry{name, info.Size(), info.ModTime()})
	}
	slices.SortFunc(all, func(a, b entry) int {
		if c := b.changed.Compare(a.changed); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	return all, nil
}

func (f *Folder) maxTotal() int64 {
	if f.MaxTotal > 0 {
		return f.MaxTotal
	}
	return defaultMaxTotal
}

func (f *Folder) maxFile() int64 {
	if f.MaxFile > 0 {
		return f.MaxFile
	}
	return defaultMaxFile
}

// read takes a file in. What it is about a file that makes it unusable is kept with it.
func (f *Folder) read(e entry, left int64, now time.Time) *crlFile {
	c := &crlFile{size: e.size, changed: e.changed, settled: time.Since(e.changed) > settling}
	limit := min(f.maxFile(), left)
	if e.size > limit {
		c.settled = e.size > f.maxFile() // room may come
		c.why = fmt.Sprintf("the file has %d bytes, and %d may still be read", e.size, limit)
		return c
	}
	raw, err := readWhole(filepath.Join(f.Path, e.name), limit)
	if err == nil {
		c.list, err = f.check(raw, now)
	}
	if err != nil {
		c.why = err.Error()
		c.settled = c.settled && jitsuin.CodeOf(err) != codeAhead
		return c
	}
	c.list.crl.BuildIndex()
	c.list.file = e.name
	return c
}

// codeAhead marks a list from the future: it may be right later.
const codeAhead = "crl-ahead"

func readWhole(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("the file is larger than the %d bytes that may still be read", limit)
	}
	return raw, err
}

// Examine tells what a list is, DER or PEM, where it may be used: whole, signed by the key of a known authority, not made
// later than now. It takes nothing in. The error is of kind Invalid.
func (f *Folder) Examine(raw []byte) (FolderList, error) {
	now := f.Clock()
	l, err := f.check(raw, now)
	if err != nil {
		return FolderList{}, err
	}
	return l.describe(false, now), nil
}

// check parses a list and finds the key that signed it.
func (f *Folder) check(raw []byte, now time.Time) (*heldList, error) {
	crl, err := cert.ParseCRL(unwrapPEM(raw, "X509 CRL"))
	switch {
	case err != nil:
		return nil, err
	case crl.ThisUpdate.After(now.Add(clockSkew)):
		return nil, jitsuin.Errorf(jitsuin.Invalid, codeAhead, "the list was made later than now, at %s: is the clock of this machine right?", stamp(crl.ThisUpdate))
	case crl.NextUpdate.IsZero():
		return nil, jitsuin.Errorf(jitsuin.Invalid, "crl-endless", "the list does not say how long it holds")
	}
	var why error
	for _, ca := range slices.Concat(f.Anchors, f.Intermediates) {
		if !cert.SameName(ca.RawSubject, crl.RawIssuer) {
			continue
		}
		if why = crl.Verify(ca, f.Algorithms); why == nil {
			return &heldList{crl: crl, signer: ca, key: keyIDOf(ca), part: partitionOf(crl), sum: sha256.Sum256(crl.Raw)}, nil
		}
	}
	if why == nil {
		why = jitsuin.Errorf(jitsuin.Invalid, "crl-issuer", "no authority of the name of the list's issuer is known here: %s", nameOf(crl.RawIssuer))
	}
	return nil, why
}

// arrange puts the lists of all files on a new shelf, with what of the old one must stay.
func (f *Folder) arrange(entries []entry, old *shelf, now time.Time) *shelf {
	s := &shelf{read: now}
	seen := map[[sha256.Size]byte]bool{}
	for _, e := range entries {
		c := f.files[e.name]
		if c.why != "" {
			s.problems = append(s.problems, FileProblem{e.name, c.why})
		}
		if c.list != nil && !seen[c.list.sum] {
			seen[c.list.sum] = true
			s.add(c.list)
		}
	}
	if old != nil {
		for _, n := range old.byName {
			for _, l := range n.newest {
				if !seen[l.sum] {
					s.keep(l, f.files[l.file])
				}
			}
		}
	}
	used := map[*heldList]bool{}
	for _, n := range s.byName {
		n.finish(now, f.History)
		for _, l := range n.lists {
			used[l] = true
		}
	}
	for _, c := range f.files {
		if c.list != nil && !used[c.list] {
			c.list = nil // its memory is free again
		}
	}
	return s
}

// keep puts a list on the shelf that its file, which is now as it is, does not hold any more.
func (s *shelf) keep(l *heldList, now *crlFile) {
	if now != nil && now.list != nil && now.list.key == l.key && now.list.part == l.part && newer(l, now.list) > 0 {
		s.problems = append(s.problems, FileProblem{l.file, "the file holds an older list than before; the newer one stays in use"})
	}
	lost := *l
	lost.lost = true
	s.add(&lost)
}

func (s *shelf) add(l *heldList) {
	for _, n := range s.byName {
		if cert.SameName(n.rawName, l.crl.RawIssuer) {
			n.lists = append(n.lists, l)
			return
		}
	}
	s.byName = append(s.byName, &nameShelf{rawName: l.crl.RawIssuer, lists: []*heldList{l}})
}

// finish sorts the lists, finds the newest of each key and partition, and lets go of what is too old.
func (n *nameShelf) finish(now time.Time, history time.Duration) {
	slices.SortStableFunc(n.lists, func(a, b *heldList) int { return newer(b, a) })
	n.newest = map[shelfKey]*heldList{}
	kept := n.lists[:0]
	for _, l := range n.lists {
		k := shelfKey{l.key, l.part.der}
		_, has := n.newest[k]
		if has && (l.lost || now.Sub(l.crl.NextUpdate) > history) {
			continue
		}
		if !has {
			n.newest[k] = l
		}
		kept = append(kept, l)
	}
	n.lists = kept
}

// newer compares two lists by when they were made, then by their numbers.
func newer(a, b *heldList) int {
	if c := a.crl.ThisUpdate.Compare(b.crl.ThisUpdate); c != 0 || a.crl.Number == nil || b.crl.Number == nil {
		return c
	}
	return a.crl.Number.Cmp(b.crl.Number)
}
