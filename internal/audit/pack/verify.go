package pack

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Limits of what is read.
const (
	maxFiles    = 10_000
	maxSmall    = 64 << 20 // of manifest, directory, statements
	maxUnpacked = 64 << 30
	maxLine     = feed.MaxBody + 64<<10
)

// Result is what came of checking a pack.
type Result struct {
	Manifest Manifest     `json:"manifest"`
	Log      audit.Report `json:"log"`
}

// Options say what is known besides the pack.
type Options struct {
	Key        *ecdsa.PublicKey // of the directory's operator
	Statements []string         // of a witness, published elsewhere: more than what the pack brings
}

// Verify checks a pack: its signature, every file, the operation log with its signed heads and its witness's
// statements, and looks anew for gaps. What is wrong is Result.Log.Fault; an error says that it is no pack at all, or
// that its directory is not signed by the operator's key.
func Verify(r io.ReaderAt, size int64, o Options) (Result, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return Result{}, notAPack(err)
	}
	if len(z.File) > maxFiles {
		return Result{}, notAPack(fmt.Errorf("it has more than %d files", maxFiles))
	}
	p := &reading{files: map[string]*zip.File{}}
	for _, f := range z.File {
		if _, twice := p.files[f.Name]; twice {
			return Result{}, notAPack(fmt.Errorf("it has %s twice", f.Name))
		}
		p.files[f.Name] = f
	}
	directory, err := p.small(NameDirectory)
	if err != nil {
		return Result{}, notAPack(err)
	}
	d, err := httpapi.ReadDirectory(directory, NameDirectory, o.Key)
	if err != nil {
		return Result{}, err
	}
	p.keys = audit.DirectoryKeys(d)
	res := Result{}
	if res.Manifest, err = p.manifest(); err == nil {
		res.Log.Verifier = res.Manifest.Verifier
		err = p.contents(res.Manifest)
	}
	if fault, ok := errors.AsType[*audit.Fault](err); ok {
		res.Log.Fault = fault
		return res, nil
	}
	if err != nil {
		return res, err
	}
	res.Log, err = p.log(res.Manifest, o.Statements)
	return res, err
}

func notAPack(err error) error {
	return jitsuin.Errorf(jitsuin.Invalid, "no-pack", "this is no audit pack: %w", err)
}

type reading struct {
	files map[string]*zip.File
	keys  audit.Keys
}

// small reads a whole file that is not large.
func (p *reading) small(name string) ([]byte, error) {
	f := p.files[name]
	if f == nil {
		return nil, fmt.Errorf("%s is missing", name)
	}
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, maxSmall+1))
	if err == nil && len(content) > maxSmall {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxSmall)
	}
	return content, err
}

func bad(file, format string, args ...any) error {
	return &audit.Fault{Code: audit.FaultManifest, File: file, What: fmt.Sprintf(format, args...)}
}

// manifest checks the signature and gives the list.
func (p *reading) manifest() (m Manifest, err error) {
	text, err := p.small(NameManifest)
	if err != nil {
		return m, bad(NameManifest, "%v", err)
	}
	seal, err := p.small(NameSignature)
	if err != nil {
		return m, bad(NameSignature, "%v", err)
	}
	signed, who, err := audit.VerifyPayload(typeSeal, string(seal), p.keys)
	if err != nil {
		return m, bad(NameSignature, "the list of files is not genuine: %v", err)
	}
	if !bytes.Equal(signed, text) {
		return m, bad(NameManifest, "it is not the list that was signed")
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Use != use || m.Format != format {
		return m, bad(NameManifest, "it is no list of an audit pack of format %d", format)
	}
	if who != m.Verifier {
		return m, bad(NameSignature, "it is signed by %s and is about %s", who, m.Verifier)
	}
	return m, nil
}

// contents holds every file to the list, and the list to the files.
func (p *reading) contents(m Manifest) error {
	listed := map[string]bool{NameManifest: true, NameSignature: true}
	left := int64(maxUnpacked)
	for _, f := range m.Files {
		listed[f.Path] = true
		there := p.files[f.Path]
		if there == nil {
			return bad(f.Path, "the file is missing")
		}
		n, digest, err := digestOf(there, min(left, f.Size))
		switch {
		case err != nil:
			return bad(f.Path, "the file cannot be read: %v", err)
		case n != f.Size || digest != f.SHA256:
			return bad(f.Path, "the file is not what was signed")
		}
		left -= n
	}
	for name := range p.files {
		if !listed[name] {
			return bad(name, "the file is not on the list")
		}
	}
	return nil
}

// digestOf reads a file up to one byte beyond limit.
func digestOf(f *zip.File, limit int64) (n int64, digest string, err error) {
	in, err := f.Open()
	if err != nil {
		return 0, "", err
	}
	defer in.Close()
	h := sha256.New()
	n, err = io.Copy(h, io.LimitReader(in, limit+1))
	return n, hex.EncodeToString(h.Sum(nil)), err
}

// log checks the operation log of the pack.
func (p *reading) log(m Manifest, more []string) (audit.Report, error) {
	statements, err := p.small(path.Join(m.Log, NameStatements))
	if err != nil {
		return audit.Report{}, err
	}
	e := audit.Expect{Verifier: m.Verifier, Keys: p.keys, Statements: more, Slice: true,
		Period: m.Period, Made: m.MadeAt, Offset: time.Duration(m.OffsetMicros) * time.Microsecond}
	for s := range strings.Lines(string(statements)) {
		e.Statements = append(e.Statements, strings.TrimSuffix(s, "\n"))
	}
	if m.Last != nil {
		e.Reached = append(e.Reached, m.Last.Mark())
	}
	f := p.files[path.Join(m.Log, NameLog)]
	if f == nil {
		return audit.Report{}, notAPack(errors.New("it has no operation log"))
	}
	in, err := f.Open()
	if err != nil {
		return audit.Report{}, err
	}
	defer in.Close()
	c, lines := audit.NewCheck(e), bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() && c.Line(lines.Bytes()) {
	}
	if err := lines.Err(); err != nil {
		return audit.Report{}, notAPack(err)
	}
	r := c.End()
	if r.Fault == nil && m.First != nil && r.First != *m.First {
		r.Fault = &audit.Fault{Code: audit.FaultMissing, At: m.First.Position(), Until: r.First.Position(), What: "the log begins later than what was signed"}
	}
	return r, nil
}
