package filing

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// Attributes of RFC 5652 §11.
var (
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
)

// Examine looks at all signatures of a PDF. A file without any fails C1 and has nothing else to check. Errors are
// those of reading: Invalid for what is no PDF, Unsupported for one that is encrypted or too large to be read.
func Examine(ctx context.Context, document []byte) (*Report, error) {
	d, err := pdf.Read(document)
	if err != nil {
		return nil, err
	}
	all, err := d.Signatures()
	if err != nil {
		return nil, err
	}
	r := &Report{Accepted: true}
	last := -1
	for _, s := range all {
		if !s.Orphan {
			last = max(last, s.Revision)
		}
	}
	for _, s := range all {
		if s.Orphan {
			continue
		}
		r.Signatures++
		end := 0
		if s.Revision == last {
			end = len(document)
		}
		if err := r.examine(ctx, d, s, end); err != nil {
			return nil, err
		}
	}
	if r.Signatures == 0 {
		r.Checks = append(r.Checks, outcome(0, "", Fail, "-"))
		for i := 1; i < len(rules); i++ {
			r.Checks = append(r.Checks, outcome(i, "", Unchecked, "-"))
		}
	}
	for _, c := range r.Checks {
		r.Accepted = r.Accepted && c.Outcome != Fail && c.Outcome != Unchecked
	}
	return r, nil
}

// examine makes the nine checks on one signature; end is where what it covers must end, 0 for one
// that others follow.
func (r *Report) examine(ctx context.Context, d *pdf.Document, s *pdf.Signature, end int) error {
	field := strings.Join(s.Fields, ", ")
	add := func(i int, o Outcome, got string) { r.Checks = append(r.Checks, outcome(i, field, o, got)) }
	if s.Dict == nil {
		add(0, Fail, "-")
		for i := 1; i < len(rules); i++ {
			add(i, Unchecked, "-")
		}
		return nil
	}
	add(0, decided(s.Dict.Get("Type") == pdf.Name("Sig")), nameOf(s.Dict.Get("Type")))
	add(1, decided(s.SubFilter == pdf.SubPKCS7), nameOf(s.Dict.Get("SubFilter")))
	name := strings.TrimSpace(s.Text("Name"))
	add(2, decided(name != ""), shown(name))
	date := s.Text("M")
	add(3, decided(isDate(date)), shown(date))
	fits, got := coverage(s, end)
	add(4, decided(fits), got)
	return r.examineCMS(ctx, d, s, field)
}

// coverage tells whether the byte range is whole: the last signature's all of the file, an earlier one's the
// revision that it signed, and nothing forbidden done since. Co-signing adds revisions, and is taken.
func coverage(s *pdf.Signature, end int) (bool, string) {
	got := fmt.Sprint(s.ByteRange)
	for _, f := range s.Faults {
		if f.Code != "type" && f.Code != "sub-filter" && f.Code != "filter" {
			return false, f.Code + ": " + f.Found
		}
	}
	if s.ByteRange[1] == 0 {
		return false, "-"
	}
	switch stop := s.ByteRange[2] + s.ByteRange[3]; {
	case end > 0:
		return stop == end, fmt.Sprintf("%s of %d bytes", got, end)
	case s.Forbidden():
		return false, got + ", changed afterwards"
	}
	return s.Coverage == pdf.CoversRevision, got
}

// examineCMS makes C6 to C9.
func (r *Report) examineCMS(ctx context.Context, d *pdf.Document, s *pdf.Signature, field string) error {
	add := func(i int, o Outcome, got string) { r.Checks = append(r.Checks, outcome(i, field, o, got)) }
	sd, err := cms.Parse(s.Contents)
	if len(s.Contents) == 0 || err != nil || len(sd.Signers) != 1 || sd.Embedded {
		add(5, Fail, unreadable(sd, err, len(s.Contents)))
		for i := 6; i < len(rules); i++ {
			add(i, Unchecked, "-")
		}
		return nil
	}
	add(5, Pass, fmt.Sprintf("SignedData, %d bytes", len(s.Contents)))
	var parts []io.Reader
	for _, b := range d.Ranges(s) {
		parts = append(parts, bytes.NewReader(b))
	}
	digests, err := sd.Digest(ctx, io.MultiReader(parts...))
	if err != nil {
		return err
	}
	one := sd.Signers[0]
	result := sd.Verify(one, digests, nil)
	r.Checks = append(r.Checks, certificate(field, one, result))
	if result.Certificate == nil {
		add(7, Unchecked, "-")
	} else {
		add(7, decided(result.Intact()), fault(result))
	}
	algorithms := outcome(8, field, Pass, cms.HashName(result.Digest)+", "+result.Algorithm)
	if result.Digest != crypto.SHA256 || result.Algorithm != "RSASSA-PKCS1-v1_5" {
		algorithms = outcome(8, field, Warn, algorithms.Got)
	}
	r.Checks = append(r.Checks, algorithms)
	return nil
}

func unreadable(sd *cms.SignedData, err error, size int) string {
	switch {
	case size == 0:
		return "-"
	case err != nil:
		return err.Error()
	case sd.Embedded:
		return "the content is inside"
	}
	return fmt.Sprintf("%d signers", len(sd.Signers))
}

// certificate is C7. A signature over the document itself, without attributes, is taken too.
func certificate(field string, s *cms.SignerInfo, result *cms.Result) Check {
	var got []string
	if result.Certificate != nil {
		got = append(got, "certificate")
	}
	has := func(oid asn1.ObjectIdentifier, name string) bool {
		for _, a := range s.Signed {
			if a.Type.Equal(oid) {
				got = append(got, name)
				return true
			}
		}
		return false
	}
	needed := !s.HasSigned
	if needed {
		got = append(got, "no signed attributes")
	} else {
		contentType, digest := has(oidContentType, "contentType"), has(oidMessageDigest, "messageDigest")
		needed = contentType && digest
	}
	timed := has(oidSigningTime, "signingTime")
	c := outcome(6, field, decided(result.Certificate != nil && needed), strings.Join(got, ", "))
	if c.Outcome == Pass && s.HasSigned && !timed {
		c.Outcome, c.JA, c.EN = Warn, noTime[0], noTime[1]
	}
	return c
}

// fault says in a few words on what a signature fails, "fits" where it does not.
func fault(r *cms.Result) string {
	for _, c := range r.Checks {
		if !c.OK && c.Fault != cms.FaultWeak {
			return c.What + ": " + c.Got
		}
	}
	return "fits"
}

var datePattern = regexp.MustCompile(`^D:(\d{14})(Z|[+-](\d\d)'(\d\d)'?)$`)

// isDate tells whether a text is a full date with its time zone.
func isDate(s string) bool {
	m := datePattern.FindStringSubmatch(s)
	if m == nil || m[3] > "23" || m[4] > "59" {
		return false
	}
	_, err := time.Parse("20060102150405", m[1])
	return err == nil
}

func nameOf(o pdf.Object) string {
	if n, ok := o.(pdf.Name); ok {
		return shown(string(n))
	}
	return "-"
}

// shown cuts what a file says to what a report has room for.
func shown(s string) string {
	if s == "" {
		return "-"
	}
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
