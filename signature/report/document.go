package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
)

// Document is a whole report: the technical one, its legal reading, and of what and by whom it was
// made. Its JSON form is published; the schema is what Schema gives.
type Document struct {
	signature.Report
	Legal  Reading    `json:"legal" doc:"What the law makes of it, and what to do"`
	File   *File      `json:"file,omitempty" doc:"The file that was judged"`
	MadeBy string     `json:"made_by,omitempty" doc:"Who checked and made the report"`
	MadeAt *time.Time `json:"made_at,omitempty" doc:"When it was made, civil time; at is the instant that was asked about"`
}

// File names what was judged.
type File struct {
	Name   string `json:"name,omitempty"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256" doc:"Hexadecimal"`
}

// New makes the report for people from a technical one and a purpose, which may be "". It takes a
// copy without serial numbers. An unknown purpose is Invalid.
func New(r *signature.Report, purpose rules.Purpose) (*Document, error) {
	legal, err := Read(r, purpose)
	if err != nil {
		return nil, err
	}
	return &Document{Report: *r.Public(), Legal: legal}, nil
}

// Of says which file was judged.
func (d *Document) Of(name string, raw []byte) *Document {
	sum := sha256.Sum256(raw)
	d.File = &File{Name: name, Bytes: int64(len(raw)), SHA256: hex.EncodeToString(sum[:])}
	return d
}

// Made says who made the report and when.
func (d *Document) Made(by string, at time.Time) *Document {
	at = at.UTC().Truncate(time.Second)
	d.MadeBy, d.MadeAt = by, &at
	return d
}

// JSON writes the report as data, with a line's end.
func (d *Document) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return b.Bytes(), err
}
