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
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/status"
	"github.com/jitsuin/jitsuin/verifier"
)

// Request is one command line.
type Request struct {
	Mode          Mode
	File          string
	Detached      []string  // CONTENT or NAME=CONTENT
	Digest        string    // in place of Detached, in hexadecimal; its length tells SHA-256, SHA-384 or SHA-512
	At            time.Time // the instant asked about, civil time
	Now           time.Time // when it is asked, civil time: nothing passes for an instant after it
	Anchors       []string  // files and folders, or the one word "none"; empty asks DefaultAnchors
	Intermediates []string
	CRLs, OCSPs   []string
	StatusFolder  string            // folder of revocation lists, in place of CRLs and OCSPs; "" for none
	Proven        bool              // judge at the instant that a time-stamp proves
	Policies      cert.PolicyInputs // of chain and status
	// DefaultAnchors names a file or folder with the anchors of the country at hand, "" for none.
	DefaultAnchors string

	// Lenient answers about material that cannot be read instead of refusing the call: what is not read
	// vouches for nothing. Of batches, where one line must not stop the others.
	Lenient bool
}

// Mode says what a file is to be read as.
type Mode string

const (
	Auto   Mode = "auto"
	Chain  Mode = "chain"  // one certificate: is there a valid path, and what do lists and responses say of it
	Status Mode = "status" // one certificate: is it in force
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
	judged, err := named.judge(ctx, f)
	if err == nil && named.reading != nil {
		verifier.SayEnded(judged, named.reading.Ended())
	}
	return judged, err
}

func (n *named) judge(ctx context.Context, f *ui.Face) (*signature.Report, error) {
	if n.Mode.ofCertificate() {
		return n.certificate(ctx)
	}
	raw, err := f.ReadFile(n.File, maxSignature)
	if err != nil {
		return nil, err
	}
	return n.signature(ctx, f, unarmour(raw))
}

// named is a request whose files, but the first, were read.
type named struct {
	Request
	policy        signature.Policy
	intermediates []*x509.Certificate
	keys          []crypto.PublicKey // bare keys among the intermediates
	files         *status.Files      // nil where no status is named
	raw           []byte             // of the certificate, where that is asked about
	reading       *status.Reading    // nil where no folder of lists is named
	unread        []string           // material that could not be read, in words
}

// ofCertificate tells whether a certificate is asked about, and no signature.
func (m Mode) ofCertificate() bool { return m == Chain || m == Status }

func (r Request) open(f *ui.Face) (*named, error) {
	n := &named{Request: r, policy: signature.Policy{At: r.At}}
	if err := n.checkUsage(); err != nil {
		return nil, err
	}
	var err error
	if len(r.Anchors) > 0 && r.Anchors[0] != None {
		if err = n.anchors(r.Anchors); err != nil {
			return nil, err
		}
	}
	n.policy.AnchorsNone = len(r.Anchors) > 0 && r.Anchors[0] == None
	n.policy.Proven = r.Proven
	n.policy.AnyKind = len(r.Anchors) > 0 // who names an authority may trust one outside the JPKI
	if n.intermediates, err = n.certificates("--intermediates", r.Intermediates); err != nil {
		return nil, err
	}
	if err = n.openStatus(); err != nil {
		return nil, err
	}
	if r.Mode.ofCertificate() {
		if n.raw, err = f.ReadFile(r.File, maxPEM); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *named) checkUsage() error {
	if n.StatusFolder != "" && len(n.CRLs)+len(n.OCSPs) > 0 {
		return ui.Usage("--status names a folder of lists; --crl and --ocsp do not go with it")
	}
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
	named := 0
	for _, d := range n.Detached {
		if _, _, ok := nameAndFile(d); ok {
			named++
		}
	}
	if len(n.Detached) > 1 && named < len(n.Detached) {
		return ui.Usage("--detached names %d documents", len(n.Detached)).
			WithHint("a CMS signature covers one document; where an XML signature covers several files, say which is which: --detached NAME=FILE")
	}
	return nil
}

// timeFolder is the folder inside a folder of anchors whose certificates are trusted for time-stamps
// and for nothing else; where there is one, no other anchor is trusted for time.
const timeFolder = "time"

// anchors reads who is trusted.
func (n *named) anchors(names []string) (err error) {
	if n.policy.Anchors, err = n.certificates("--anchors", names); err != nil {
		return err
	}
	var folders []string
	for _, name := range names {
		folder := filepath.Join(name, timeFolder)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			folders = append(folders, folder)
		}
	}
	if len(folders) > 0 {
		n.policy.TimeAnchors, err = n.certificates("--anchors", folders)
	}
	return err
}

// digest reads the digest that stands for the document.
func (n *named) digest() ([]byte, crypto.Hash, error) {
	if len(n.Detached) > 0 {
		return nil, 0, ui.Usage("give the document or its digest, not both")
	}
	sum, err := hex.DecodeString(n.Digest)
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if err == nil && len(sum) == h.Size() {
			return sum, h, nil
		}
	}
	return nil, 0, ui.Usage("--digest takes a digest with SHA-256, SHA-384 or SHA-512 in hexadecimal: 64, 96 or 128 digits")
}

// trust fills in what the policy still lacks, now that it is needed.
func (n *named) trust() error {
	switch {
	case n.policy.AnchorsNone || len(n.policy.Anchors) > 0:
	case n.DefaultAnchors != "":
		if err := n.anchors([]string{n.DefaultAnchors}); err != nil {
			return err
		}
	case !n.Lenient:
		return ui.Usage("nobody is trusted: there are no trust anchors").
			WithHint("give the certificates of the authorities with --anchors FILE or FOLDER, the folder of a country with --data, or --anchors none to check integrity alone")
	}
	if n.files != nil {
		n.files.Anchors = slices.Concat(n.policy.Anchors, n.policy.TimeAnchors)
		n.files.Certificates = n.intermediates
		n.policy.Revocation = n.files
	}
	return n.readFolder()
}

// readFolder reads a folder of lists, now that it is known who may sign them. What of it is not used is said.
func (n *named) readFolder() error {
	if n.StatusFolder == "" {
		return nil
	}
	folder := &status.Folder{Path: n.StatusFolder, Anchors: n.policy.Anchors, Intermediates: slices.Concat(n.intermediates, n.policy.TimeAnchors),
		Clock: func() time.Time { return n.Now }, History: allHistory}
	if err := folder.Reload(); err != nil {
		return err
	}
	for _, p := range folder.Problems() {
		n.unread = append(n.unread, p.File+": "+p.Why)
	}
	n.reading = folder.Read(0)
	n.policy.Revocation = n.reading
	return nil
}

// allHistory keeps every list of a folder: a command line may ask about any instant.
const allHistory = 200 * 365 * 24 * time.Hour

// signature judges a signature of any format.
func (n *named) signature(ctx context.Context, f *ui.Face, raw []byte) (*signature.Report, error) {
	in := signature.Input{Signature: raw, Format: Modes()[n.Mode], Certificates: n.intermediates, Keys: n.keys}
	if err := n.trust(); err != nil {
		if r := unjudged(ctx, in, n.At); r != nil { // whoever is trusted
			return r, nil
		}
		return nil, err
	}
	done, err := n.content(f, &in)
	if err != nil {
		return nil, err
	}
	defer done()
	r, err := signature.Verify(ctx, in, n.policy)
	if err == nil && len(n.unread) > 0 {
		r.Reasons = append(r.Reasons, n.unreadReasons()...)
	}
	return r, err
}

// maxNamed is the size of the largest document that is named to an XML signature, which is held in memory.
const maxNamed = 64 << 20

// content opens the documents that are not inside the signature. A single one is streamed; done closes it.
func (n *named) content(f *ui.Face, in *signature.Input) (done func(), err error) {
	done = func() {}
	if n.Digest != "" {
		in.Digest, in.DigestHash, err = n.digest()
		return done, err
	}
	for _, d := range n.Detached {
		name, file, has := nameAndFile(d)
		if !has {
			file = d
		}
		if len(n.Detached) == 1 && (!has || coversOne(in)) {
			content, size, err := f.Open(file)
			if err != nil {
				return done, err
			}
			var end func()
			in.Content, end = f.Reading(content, size)
			return func() { end(); content.Close() }, nil
		}
		raw, err := f.ReadFile(file, maxNamed)
		if err != nil {
			return done, err
		}
		if in.Files == nil {
			in.Files = map[string][]byte{}
		}
		in.Files[name] = raw
	}
	return done, nil
}

// coversOne tells whether signatures of the format cover one document, whatever it is called.
func coversOne(in *signature.Input) bool {
	format := in.Format.Family()
	if format == "" {
		format = signature.FormatOf(in.Signature)
	}
	return format == signature.FormatCMS || format == signature.FormatTST
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

// nameAndFile takes NAME=FILE apart; a file whose own name has a = in it is no pair.
func nameAndFile(detached string) (name, file string, ok bool) {
	name, file, ok = strings.Cut(detached, "=")
	return name, file, ok && !exists(detached)
}
