// Package judge turns what stands on the command line of "jitsuin verify" into one report: it
// reads the files, knows which format one is of, and asks package signature.
//
// It owns the reading of files that somebody else made, bounded and with a word about which file
// and what is wrong. It never judges a signature itself, fetches nothing, and trusts only what
// its caller names.
package judge

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/status"
)

// Request is one command line.
type Request struct {
	Mode          Mode
	File          string
	Detached      []string  // CONTENT or NAME=CONTENT
	At            time.Time // the instant asked about, civil time
	Now           time.Time // when it is asked, civil time: nothing passes for an instant after it
	Anchors       []string  // files and folders, or the one word "none"; empty asks DefaultAnchors
	Intermediates []string
	CRLs, OCSPs   []string
	// DefaultAnchors names a file or folder with the anchors of the country at hand, "" for none.
	DefaultAnchors string
}

// Mode says what a file is to be read as.
type Mode string

const (
	Auto   Mode = "auto"
	CMS    Mode = "cms"
	Status Mode = "status"
)

// None as an anchor leaves trust out.
const None = "none"

// maxSignature is the size of the largest file that is read as a signature.
const maxSignature = 64 << 20

// Verify judges. A report comes back for every file that could be read, whatever is in it. Errors
// are usage errors, and those of reading files.
func Verify(ctx context.Context, f *ui.Face, r Request) (*signature.Report, error) {
	named, err := r.open(f)
	if err != nil {
		return nil, err
	}
	if r.Mode == Status {
		return named.status(ctx)
	}
	raw, err := f.ReadFile(r.File, maxSignature)
	if err != nil {
		return nil, err
	}
	return named.signature(ctx, f, unarmour(raw))
}

// named is a request whose files, but the first, were read.
type named struct {
	Request
	policy        signature.Policy
	intermediates []*x509.Certificate
	files         *status.Files // nil where no status is named
	raw           []byte        // of the certificate in status mode
}

func (r Request) open(f *ui.Face) (*named, error) {
	n := &named{Request: r, policy: signature.Policy{At: r.At}}
	if err := n.checkUsage(); err != nil {
		return nil, err
	}
	var err error
	if len(r.Anchors) > 0 && r.Anchors[0] != None {
		if n.policy.Anchors, err = certificates("--anchors", r.Anchors); err != nil {
			return nil, err
		}
	}
	n.policy.AnchorsNone = len(r.Anchors) > 0 && r.Anchors[0] == None
	if n.intermediates, err = certificates("--intermediates", r.Intermediates); err != nil {
		return nil, err
	}
	if n.files, err = statusFiles(r.CRLs, r.OCSPs, r.Now); err != nil {
		return nil, err
	}
	if r.Mode == Status {
		if n.raw, err = f.ReadFile(r.File, maxPEM); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *named) checkUsage() error {
	for _, a := range n.Anchors {
		if a == None && len(n.Anchors) > 1 {
			return ui.Usage("--anchors none stands alone")
		}
	}
	stdin := 0
	for _, name := range append([]string{n.File}, n.Detached...) {
		if name == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return ui.Usage("standard input can be only one of the files")
	}
	if len(n.Detached) > 1 {
		return ui.Usage("a CMS signature covers one document, and --detached names %d", len(n.Detached))
	}
	return nil
}

// trust fills in what the policy still lacks, now that it is needed.
func (n *named) trust() error {
	if !n.policy.AnchorsNone && len(n.policy.Anchors) == 0 {
		if n.DefaultAnchors == "" {
			return ui.Usage("nobody is trusted: there are no trust anchors").
				WithHint("give the certificates of the authorities with --anchors FILE or FOLDER, the folder of a country with --data, or --anchors none to check integrity alone")
		}
		var err error
		if n.policy.Anchors, err = certificates("--anchors", []string{n.DefaultAnchors}); err != nil {
			return err
		}
	}
	if n.files != nil {
		n.files.Anchors = n.policy.Anchors
		n.policy.Revocation = n.files
	}
	return nil
}

// signature judges a CMS signature.
func (n *named) signature(ctx context.Context, f *ui.Face, raw []byte) (*signature.Report, error) {
	in := signature.Input{Signature: raw, Format: Modes()[n.Mode], Certificates: n.intermediates}
	if err := n.trust(); err != nil {
		if r := unjudged(ctx, in, n.At); r != nil { // whoever is trusted
			return r, nil
		}
		return nil, err
	}
	if len(n.Detached) == 1 {
		name := contentName(n.Detached[0])
		content, size, err := f.Open(name)
		if err != nil {
			return nil, err
		}
		defer content.Close()
		var done func()
		in.Content, done = f.Reading(content, size)
		defer done()
	}
	return signature.Verify(ctx, in, n.policy)
}

// unjudged gives the report on what no trust could change: a file that is no signature, or one of a form
// that is not judged; nil for any other.
func unjudged(ctx context.Context, in signature.Input, at time.Time) *signature.Report {
	r, err := signature.Verify(ctx, in, signature.Policy{At: at, AnchorsNone: true})
	if err != nil || r.Verdict != signature.Malformed && r.Verdict != signature.Unsupported {
		return nil
	}
	r.AnchorsNone = false
	return r
}

// unarmour takes a CMS out of its PEM armour (RFC 7468 §8, §9).
func unarmour(raw []byte) []byte {
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("-----BEGIN")) {
		return raw
	}
	block, rest := pem.Decode(raw)
	if block == nil || len(bytes.TrimSpace(rest)) != 0 || block.Type != "CMS" && block.Type != "PKCS7" {
		return raw
	}
	return block.Bytes
}

// contentName takes the file out of NAME=FILE.
func contentName(detached string) string {
	if _, file, ok := strings.Cut(detached, "="); ok && !exists(detached) {
		return file
	}
	return detached
}
