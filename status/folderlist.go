package status

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// FolderList is what is known of one list in use. Newest marks the list that decides for its issuer's key and
// partition; Ended that its time is over.
type FolderList struct {
	File       string    `json:"file,omitempty" doc:"Name in the folder; absent where the file is gone and the list is still used"`
	Issuer     string    `json:"issuer" doc:"Distinguished name (RFC 4514); generations of an authority share it"`
	IssuerKey  string    `json:"issuer_key" doc:"SHA-256 of the issuer's public key, hexadecimal"`
	Partition  string    `json:"partition,omitempty" doc:"Name of the distribution point; absent for a complete list"`
	Number     string    `json:"number,omitempty"`
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	Entries    int       `json:"entries"`
	SHA256     string    `json:"sha256" doc:"Hexadecimal, of the list in DER"`
	Newest     bool      `json:"newest"`
	Ended      bool      `json:"ended" doc:"The next list was due before now"`

	held *heldList
}

// Succeeds tells whether the list is a newer one than o, of the same issuer's key and partition.
func (l FolderList) Succeeds(o FolderList) bool {
	return l.held != nil && o.held != nil && l.held.key == o.held.key && l.held.part.der == o.held.part.der && newer(l.held, o.held) > 0
}

// FileProblem is a file of the folder whose list is not used, and why.
type FileProblem struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// Lists tells which lists are in use, by issuer and partition, the newest first.
func (f *Folder) Lists() []FolderList {
	held, now := f.held.Load(), f.Clock()
	all := []FolderList{}
	if held == nil {
		return all
	}
	for _, n := range held.byName {
		for _, l := range n.lists {
			all = append(all, l.describe(n.newest[shelfKey{l.key, l.part.der}] == l, now))
		}
	}
	slices.SortStableFunc(all, func(a, b FolderList) int {
		return strings.Compare(a.Issuer+a.IssuerKey+a.Partition, b.Issuer+b.IssuerKey+b.Partition)
	})
	return all
}

func (l *heldList) describe(newest bool, now time.Time) FolderList {
	d := FolderList{held: l, Issuer: nameOf(l.crl.RawIssuer), IssuerKey: hex.EncodeToString(l.key[:]), Partition: l.part.name, ThisUpdate: l.crl.ThisUpdate.UTC(),
		NextUpdate: l.crl.NextUpdate.UTC(), Entries: l.crl.Count, SHA256: hex.EncodeToString(l.sum[:]), Newest: newest, Ended: now.After(l.crl.NextUpdate)}
	if !l.lost {
		d.File = l.file
	}
	if l.crl.Number != nil {
		d.Number = l.crl.Number.String()
	}
	return d
}

// Problems tells which files of the folder are not used.
func (f *Folder) Problems() []FileProblem {
	if held := f.held.Load(); held != nil {
		return append([]FileProblem{}, held.problems...)
	}
	return []FileProblem{}
}
