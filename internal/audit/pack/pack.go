// Package pack is what an auditor takes away: a signed file with one folder per criterion, which can be checked
// off line by somebody without an account.
//
// It owns the form of the file: a ZIP whose bytes follow from its content, a manifest that lists every file with its
// digest and names what is missing, signed with the key of the verifier that it is about (ES256). It does not
// know where evidence comes from, nor the criteria: its caller names them.
package pack

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"path"
	"time"

	"github.com/jitsuin/jitsuin/internal/audit"
)

// Names of the files that every pack has.
const (
	NameManifest   = "manifest.json"
	NameSignature  = "manifest.jws" // compact JWS whose content is manifest.json
	NameDirectory  = "directory.jws"
	NameRead       = "README.txt"
	NameLog        = "log.ndjson"        // in the folder of the operation log
	NameStatements = "statements.ndjson" // beside it: one witness's statement a line
)

const (
	use       = "jitsuin-audit-pack"
	format    = 1
	typeSeal  = "jitsuin-audit-pack+jws"
	dayLayout = "2006-01-02"
)

// Criterion is one item that the pack has a folder for.
type Criterion struct {
	Key    string `json:"key"`
	Folder string `json:"folder"`
	JA     string `json:"ja"`
	EN     string `json:"en"`
}

// File is one file of the pack.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	What   string `json:"what"`
}

// Missing is something that an auditor would look for and that is not there.
type Missing struct {
	Criterion string `json:"criterion"`
	What      string `json:"what"`
	Why       string `json:"why"`
}

// Manifest is the list of everything in a pack.
type Manifest struct {
	Use      string     `json:"use"`
	Format   int        `json:"format"`
	Verifier string     `json:"verifier"`
	Period   audit.Span `json:"period"` // civil time, the end not included
	// MadeAt is civil time; OffsetMicros is how far it was ahead of the machine's clock.
	MadeAt       time.Time   `json:"made_at"`
	OffsetMicros int64       `json:"offset_us"`
	Criteria     []Criterion `json:"criteria"`
	// Log is the folder of the operation log, First and Last are the lines that are there; empty where there are none.
	Log   string       `json:"log"`
	First *audit.Place `json:"first,omitempty"`
	Last  *audit.Place `json:"last,omitempty"`
	// Gaps is of which parts of the period the log has nothing to say.
	Gaps    []audit.Gap `json:"gaps"`
	Files   []File      `json:"files"`
	Missing []Missing   `json:"missing"`
}

// Writer writes a pack. Files come in the order in which they are added.
type Writer struct {
	Manifest Manifest
	zip      *zip.Writer
	stamp    time.Time
	names    map[string]bool
}

// NewWriter begins a pack. The members Verifier, Period, MadeAt, OffsetMicros, Criteria and Log of m must be there.
func NewWriter(w io.Writer, m Manifest) *Writer {
	m.Use, m.Format = use, format
	m.Period = audit.Span{From: m.Period.From.UTC(), To: m.Period.To.UTC()}
	m.MadeAt = m.MadeAt.UTC()
	m.Files, m.Missing, m.Gaps = []File{}, []Missing{}, []audit.Gap{}
	return &Writer{Manifest: m, zip: zip.NewWriter(w), stamp: m.MadeAt.Truncate(2 * time.Second), names: map[string]bool{}}
}

// sum counts and digests what goes through.
type sum struct {
	to   io.Writer
	hash hash.Hash
	n    int64
}

// Write writes b.
func (s *sum) Write(b []byte) (int, error) {
	n, err := s.to.Write(b)
	s.hash.Write(b[:n])
	s.n += int64(n)
	return n, err
}

// Stream adds a file that write writes; what says in a few words what it shows.
func (w *Writer) Stream(folder, name, what string, write func(io.Writer) error) error {
	p := path.Join(folder, name)
	if w.names[p] {
		return fmt.Errorf("the pack has %s already", p)
	}
	w.names[p] = true
	to, err := w.zip.CreateHeader(&zip.FileHeader{Name: p, Method: zip.Deflate, Modified: w.stamp})
	if err != nil {
		return err
	}
	s := &sum{to: to, hash: sha256.New()}
	if err := write(s); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	w.Manifest.Files = append(w.Manifest.Files, File{Path: p, SHA256: hex.EncodeToString(s.hash.Sum(nil)), Size: s.n, What: what})
	return nil
}

// Add adds a file.
func (w *Writer) Add(folder, name, what string, content []byte) error {
	return w.Stream(folder, name, what, func(to io.Writer) error { _, err := to.Write(content); return err })
}

// AddJSON adds a file with v as indented JSON.
func (w *Writer) AddJSON(folder, name, what string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return w.Add(folder, name, what, append(text, '\n'))
}

// Lack says that something is not there.
func (w *Writer) Lack(criterion, what, why string) {
	w.Manifest.Missing = append(w.Manifest.Missing, Missing{criterion, what, why})
}

// Close adds what every pack has, and signs the manifest. directory is the signed list of instances: whoever knows its
// operator's key can check everything else.
func (w *Writer) Close(directory []byte, sign func(typ string, payload []byte) (string, error)) error {
	if err := w.Add("", NameDirectory, "the signed list of instances, with the keys of the verifier and its witness", directory); err != nil {
		return err
	}
	if err := w.Add("", NameRead, "what this is and how it is checked", []byte(w.readme())); err != nil {
		return err
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(w.Manifest); err != nil {
		return err
	}
	seal, err := sign(typeSeal, text.Bytes())
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{NameManifest, text.Bytes()}, {NameSignature, []byte(seal)}} {
		to, err := w.zip.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: w.stamp})
		if err != nil {
			return err
		}
		if _, err := to.Write(f.content); err != nil {
			return err
		}
	}
	return w.zip.Close()
}

func (w *Writer) readme() string {
	var out bytes.Buffer
	m := w.Manifest
	fmt.Fprintf(&out, `監査資料 / Audit pack of %s
%s – %s（暦の時刻 / civil time, UTC）

manifest.json lists every file with its SHA-256, and under "missing" and "gaps" what is not there.
manifest.jws signs it with the key of %s (ES256), which is in directory.jws.
All of it is checked off line, with the public key of the directory's operator, which you have from elsewhere:

    jitsuin audit verify --key operator.pub.pem THIS_FILE.zip

署名・操作記録の連鎖・立会人の証明は、上の命令で通信なしに確かめられます。

`, m.Verifier, m.Period.From.Format(time.RFC3339), m.Period.To.Format(time.RFC3339), m.Verifier)
	for _, c := range m.Criteria {
		fmt.Fprintf(&out, "%s/\n    %s\n    %s\n", c.Folder, c.JA, c.EN)
	}
	return out.String()
}
