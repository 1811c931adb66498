// Package bench measures what "jitsuin bench" prints: how many signatures this machine verifies,
// beside the limit that no verifier can pass and beside other programs, all in one run; and a platform with
// many tenants under load, alone and with one tenant that sends a hundred times its quota.
//
// It owns the measuring. What is measured is the same code that verifies for everybody, with
// authorities made for the run; nothing is trusted, kept or sent.
package bench

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// size is the length of the measured documents in bytes, about.
const size = 100_000

// document is one signed document to be measured with.
type document struct {
	name    string
	signed  []byte
	content []byte // of a detached signature
}

// Line is one result: how long one verification took on one core, the median of the rounds.
type Line struct {
	Name     string
	Each     time.Duration
	Of       float64       // share of the limit that was reached, 0 for the limit itself
	Spread   time.Duration // between the fastest and the slowest round
	External bool          // a whole process, started anew for each document
}

// rounds is how often all documents take their turn; in turns, so that a machine that grows slower does
// so for all of them.
const rounds = 7

// Verify measures for about the given time.
func Verify(ctx context.Context, span time.Duration) ([]Line, error) {
	p, err := invent(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	documents, err := p.documents(ctx)
	if err != nil {
		return nil, err
	}
	works := []work{{name: "limit: SHA-256 of 100 kB and two RSA-2048 verifications", run: p.limit()}}
	for _, d := range documents {
		works = append(works, work{name: "jitsuin " + d.name, run: p.verification(ctx, d)})
	}
	others, clean, err := p.peers(ctx, documents)
	if err != nil {
		return nil, err
	}
	defer clean()
	return measure(ctx, append(works, others...), span)
}

// work is one thing that is measured.
type work struct {
	name     string
	run      func() error
	external bool
}

// measure runs all works in turn on one core.
func measure(ctx context.Context, works []work, span time.Duration) ([]Line, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	turn := span / time.Duration(rounds*len(works))
	taken := make([][]time.Duration, len(works))
	for range rounds {
		for i, w := range works {
			n, begin := 0, time.Now()
			for n == 0 || time.Since(begin) < turn {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				if err := w.run(); err != nil {
					return nil, fmt.Errorf("%s: %w", w.name, err)
				}
				n++
			}
			taken[i] = append(taken[i], time.Since(begin)/time.Duration(n))
		}
	}
	var lines []Line
	for i, w := range works {
		slices.Sort(taken[i])
		l := Line{Name: w.name, Each: taken[i][rounds/2], Spread: taken[i][rounds-1] - taken[i][0], External: w.external}
		if i > 0 {
			l.Of = float64(lines[0].Each) / float64(l.Each)
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// limit is the work that no verifier can leave out.
func (p *people) limit() func() error {
	content := text(size)
	key := p.signer.Certificate.PublicKey.(*rsa.PublicKey)
	sum := sha256.Sum256(content)
	value, err := p.signer.Key.Sign(nil, sum[:], crypto.SHA256)
	return func() error {
		sum := sha256.Sum256(content)
		for range 2 {
			if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], value); err != nil {
				return err
			}
		}
		return err
	}
}

// verification is the whole way: format, chain, status, report.
func (p *people) verification(ctx context.Context, d document) func() error {
	policy := p.policy()
	return func() error {
		in := signature.Input{Signature: d.signed}
		if d.content != nil {
			in.Content = bytes.NewReader(d.content)
		}
		r, err := signature.Verify(ctx, in, policy)
		if err == nil && r.Verdict != signature.Passed {
			err = fmt.Errorf("%s: %s", r.Verdict, r.Reason)
		}
		return err
	}
}

// documents signs one document of each format.
func (p *people) documents(ctx context.Context) ([]document, error) {
	content := text(size)
	detached, err := p.signer.Detached(ctx, bytes.NewReader(content), p.now)
	if err != nil {
		return nil, err
	}
	printed, err := (&pades.Signer{Certificate: p.signer.Certificate, Key: p.signer.Key}).Sign(ctx, page(size), pades.Options{At: p.now})
	if err != nil {
		return nil, err
	}
	chain := []*x509.Certificate{p.signer.Certificate}
	all := []document{{"CMS, 100 kB detached", detached, content}, {"PDF, 100 kB", printed, nil}}
	for _, x := range []struct {
		name      string
		sentences int
	}{{"XML, 100 kB, a form with sentences", 7}, {"XML, 100 kB, an element on each 40 octets", 0}} {
		filled, err := xmldsig.Sign(form(size, x.sentences), []xmldsig.Target{{Document: true}}, chain, p.signer.Key, xmldsig.Profile{Prefix: "ds"})
		if err != nil {
			return nil, err
		}
		all = append(all, document{x.name, filled, nil})
	}
	return all, nil
}

// text is n bytes that look like writing.
func text(n int) []byte {
	const line = "甲は、乙に対し、次の条件で物件を売り渡す。 The parties agree to the terms below.\n"
	return bytes.Repeat([]byte(line), n/len(line)+1)[:n]
}

// page is a PDF of about n bytes: one page of text, in the form of the simplest writers.
func page(n int) []byte {
	var words, b bytes.Buffer
	words.WriteString("BT /F1 9 Tf 11 TL 40 800 Td\n")
	for words.Len() < n {
		words.WriteString("(The parties agree to the terms that stand below, and each keeps one copy.) Tj T*\n")
	}
	words.WriteString("ET")
	b.WriteString("%PDF-1.7\n")
	var offsets []int
	for i, object := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", words.Len(), words.String()), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"} {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, at)
	return b.Bytes()
}

// form is a filled-in form of about n bytes, with as many sentences in each entry.
func form(n, sentences int) []byte {
	var b bytes.Buffer
	written := strings.Repeat("転入に伴い、本籍及び世帯主の欄を記入しました。以前の住所での手続は済んでいます。", sentences)
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DataRoot xmlns=\"urn:x-example:form\">\n<構成管理情報 Id=\"構成情報\">\n")
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "  <明細 番号=\"%d\" 区分=\"A\">\n    <氏名>例川　花子</氏名>\n    <金額 単位=\"円\">%d</金額>\n    <備考>%s</備考>\n    <日付><年>2026</年><月>11</月><日>%d</日></日付>\n  </明細>\n", i, i*1234, written, i%28+1)
	}
	b.WriteString("</構成管理情報>\n</DataRoot>\n")
	return b.Bytes()
}
