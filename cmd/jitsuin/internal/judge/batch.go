package judge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature"
)

// maxLine is the length of the longest line of a batch.
const maxLine = 4 << 20

// line is one request of a batch. Paths are relative to the folder of the batch. Where a list is asked
// for, one string will do.
type line struct {
	ID            string     `json:"id"`
	Mode          Mode       `json:"mode"`
	File          string     `json:"file"`
	Detached      names      `json:"detached"`
	At            *time.Time `json:"at"`
	Anchors       names      `json:"anchors"`
	Intermediates names      `json:"intermediates"`
	CRL           names      `json:"crl"`
	OCSP          names      `json:"ocsp"`
	Policies      policies   `json:"policies"`
	Proven        bool       `json:"proven"`
}

// policies are cert.PolicyInputs as a batch writes them.
type policies struct {
	Initial         names `json:"initial"`
	RequireExplicit bool  `json:"require_explicit"`
	InhibitMapping  bool  `json:"inhibit_mapping"`
	InhibitAny      bool  `json:"inhibit_any"`
}

// names is a list of strings, one string, or nothing.
type names []string

// UnmarshalJSON takes a list or one string; null and the empty string are nothing.
func (n *names) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		if one != "" {
			*n = names{one}
		}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(n))
}

// Batch judges one request a line and writes one report a line, in their order. base is what all
// requests have in common: the instant and the anchors where a line names none, and the time now. A line
// that cannot be judged (its file cannot be read, it is no request) is answered as one that cannot be
// decided, with the reason; failed counts those. An error ends the batch: ctx, or the streams.
func Batch(ctx context.Context, f *ui.Face, in io.Reader, folder string, base Request, out io.Writer) (failed int, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	w := bufio.NewWriter(out)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		report, err := one(ctx, f, lines.Bytes(), folder, base)
		switch {
		case ctx.Err() != nil:
			return failed, ctx.Err()
		case err != nil:
			failed++
			report.Verdict = signature.Indeterminate
			report.SetReasons(signature.Reason{Code: "not-judged", JA: fmt.Sprintf("%d行目は検証できませんでした（%v）。", n, err), EN: fmt.Sprintf("line %d was not judged: %v", n, err)})
		}
		if err := errors.Join(e.Encode(report.Public()), w.Flush()); err != nil {
			return failed, err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return failed, jitsuin.Errorf(jitsuin.Invalid, "batch-line", "a line of the batch is longer than %d bytes", maxLine)
	}
	return failed, lines.Err()
}

// one judges one line. The report is never nil.
func one(ctx context.Context, f *ui.Face, raw []byte, folder string, base Request) (*signature.Report, error) {
	blank := &signature.Report{At: base.At.UTC(), Signatures: []signature.Signature{}}
	var l line
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(&l)
	blank.ID = l.ID
	if err != nil {
		return blank, err
	}
	r, err := l.request(folder, base)
	if err != nil {
		return blank, err
	}
	blank.At = r.At.UTC()
	report, err := Verify(ctx, f, r)
	if err != nil {
		return blank, err
	}
	report.ID = l.ID
	return report, nil
}

// request makes a line into what stands on a command line.
func (l line) request(folder string, base Request) (Request, error) {
	r := base
	r.Mode, r.Lenient, r.Proven = l.Mode, true, l.Proven || base.Proven
	if r.Mode == "" {
		r.Mode = Auto
	}
	if _, known := Modes()[r.Mode]; !known && r.Mode != Auto && !r.Mode.ofCertificate() {
		return r, jitsuin.Errorf(jitsuin.Invalid, "mode", "there is no mode %q", l.Mode)
	}
	if l.File == "" {
		return r, jitsuin.Errorf(jitsuin.Invalid, "file", "the request names no file")
	}
	at := func(path string) string {
		if filepath.IsAbs(path) || path == None {
			return path
		}
		return filepath.Join(folder, path)
	}
	all := func(paths names) (out []string) {
		for _, p := range paths {
			out = append(out, at(p))
		}
		return out
	}
	r.File = at(l.File)
	for _, d := range l.Detached {
		name, file, named := strings.Cut(d, "=")
		if named && !exists(at(d)) {
			r.Detached = append(r.Detached, name+"="+at(file))
			continue
		}
		r.Detached = append(r.Detached, at(d))
	}
	if l.At != nil {
		r.At = *l.At
	}
	if len(l.Anchors) > 0 {
		r.Anchors = all(l.Anchors)
	}
	r.Intermediates, r.CRLs, r.OCSPs = all(l.Intermediates), all(l.CRL), all(l.OCSP)
	var err error
	r.Policies, err = l.Policies.inputs()
	return r, err
}

func (p policies) inputs() (cert.PolicyInputs, error) {
	initial, err := ParseOIDs(p.Initial)
	return cert.PolicyInputs{Initial: initial, RequireExplicit: p.RequireExplicit, InhibitMapping: p.InhibitMapping, InhibitAny: p.InhibitAny}, err
}

// oidAnyPolicy as an initial policy means any (RFC 5280 §6.1.1 c).
const oidAnyPolicy = "2.5.29.32.0"

// ParseOIDs reads object identifiers in dotted form; nil where one of them is anyPolicy.
func ParseOIDs(all []string) ([]asn1.ObjectIdentifier, error) {
	var out []asn1.ObjectIdentifier
	for _, s := range all {
		if s == oidAnyPolicy {
			return nil, nil
		}
		var oid asn1.ObjectIdentifier
		for _, arc := range strings.Split(s, ".") {
			n, err := strconv.ParseUint(arc, 10, 31)
			if err != nil {
				return nil, jitsuin.Errorf(jitsuin.Invalid, "policy-form", "%q is no object identifier such as 1.2.392.200149.8.5.1.0.20", s)
			}
			oid = append(oid, int(n))
		}
		if len(oid) < 2 {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "policy-form", "%q is no object identifier such as 1.2.392.200149.8.5.1.0.20", s)
		}
		out = append(out, oid)
	}
	return out, nil
}
