package verifier

import (
	"bytes"
	"context"
	"encoding/pem"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/status"
)

// Job is one request: a signed file, and the documents that are not inside it.
type Job struct {
	Name      string // of the signed file, for the report
	Signed    []byte
	Documents []Document
	At        time.Time     // the instant asked about; zero is now
	Proven    bool          // ask about the earliest instant that a good time-stamp proves
	Purpose   rules.Purpose // what the document is received for; "" where nobody said
}

// Document is a document beside a signature. Name is the one that the signature may call it by.
type Document struct {
	Name    string
	Content []byte
}

// Verify judges by the anchors and the lists at hand. It opens nothing. Lists and responses that came with a signature are
// not used: whoever signs chooses them, and an older one than the folder's might leave a revocation out. A report comes back for every file, whatever
// is in it; errors are of the request: an unknown purpose, documents that do not go with the format, no time left.
func (v *Verifier) Verify(ctx context.Context, j Job) (*report.Document, error) {
	ctx, cancel := context.WithTimeout(ctx, v.cfg.Limits.Time)
	defer cancel()
	if err := v.slots.Acquire(ctx, 1); err != nil {
		return nil, busy()
	}
	defer v.slots.Release(1)
	in, err := j.input()
	if err != nil {
		return nil, err
	}
	in.Certificates = v.between
	read := v.folder.Read(v.cfg.Grace)
	p := signature.Policy{Anchors: v.anchors, TimeAnchors: v.timeAnchors, At: j.At, Proven: j.Proven, Revocation: read, AnyKind: v.cfg.OutsideJPKI}
	if p.At.IsZero() {
		p.At = v.clock().Truncate(time.Second)
	}
	r, err := signature.Verify(ctx, in, p)
	if err != nil {
		return nil, err
	}
	SayEnded(r, read.Ended())
	d, err := report.New(r, j.Purpose)
	if err != nil {
		return nil, err
	}
	return v.made(d, j.Name, j.Signed), nil
}

func busy() error {
	return jitsuin.Errorf(jitsuin.Limited, "busy", "too much is being verified at the moment").WithHint("come again in a moment")
}

// input says how the documents go with the signature. A single one is what the signature covers, whatever it is called;
// of several each has the name by which the signature calls it.
func (j *Job) input() (signature.Input, error) {
	in := signature.Input{Signature: unarmour(j.Signed)}
	switch family := signature.FormatOf(in.Signature); {
	case len(j.Documents) == 0:
	case family == signature.FormatPDF:
		return in, jitsuin.Errorf(jitsuin.Invalid, "document-beside-pdf", "a signed PDF is its own document, and there is another one beside it").
			WithHint("send the PDF alone; or, where a signature file belongs to it, that file as the signed file and the PDF as its document").At("document")
	case len(j.Documents) == 1:
		in.Content = bytes.NewReader(j.Documents[0].Content)
	case family == signature.FormatCMS || family == signature.FormatTST:
		return in, jitsuin.Errorf(jitsuin.Invalid, "documents-many", "this signature covers one document, and there are %d", len(j.Documents)).At("document")
	default:
		in.Files = map[string][]byte{}
		for _, d := range j.Documents {
			if _, twice := in.Files[d.Name]; twice || d.Name == "" {
				return in, jitsuin.Errorf(jitsuin.Invalid, "document-name", "two documents have the name %q, or one has none", d.Name).At("document")
			}
			in.Files[d.Name] = d.Content
		}
	}
	return in, nil
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

// SayEnded puts into a report which lists had ended. Where one was used nonetheless, that stands before everything
// else and at every signature.
func SayEnded(r *signature.Report, ended []status.Ended) {
	for _, e := range ended {
		reason := signature.Reason{Code: "status-ended",
			JA: "手元の失効情報は" + stamp(e.ThisUpdate) + "に作られたもので、" + stamp(e.NextUpdate) + "に期限が切れています。新しい失効情報を入れてから、もう一度確認してください。",
			EN: "The status at hand is of " + stamp(e.ThisUpdate) + " and has ended at " + stamp(e.NextUpdate) + ". Put a newer list in and check again."}
		if e.Used {
			reason = signature.Reason{Code: report.StatusOverdue,
				JA: "期限の切れた失効情報で確認しました。" + stamp(e.ThisUpdate) + "に作られ、" + stamp(e.NextUpdate) + "に期限が切れたものです。それより後に証明書が失効していても、この報告では分かりません。",
				EN: "This was checked with a revocation list that has ended: it was made at " + stamp(e.ThisUpdate) + " and ended at " + stamp(e.NextUpdate) + ". A revocation since then is not known here."}
			for i := range r.Signatures {
				r.Signatures[i].Warnings = append(r.Signatures[i].Warnings, reason)
			}
		}
		switch {
		case e.Used && r.Verdict == signature.Passed:
			r.SetReasons(append([]signature.Reason{reason}, r.Reasons...)...)
		default:
			r.SetReasons(append(r.Reasons, reason)...)
		}
	}
}

// stamp writes an instant as people in Japan read it.
func stamp(t time.Time) string { return t.In(jitsuin.JST).Format("2006-01-02 15:04:05 JST") }
