// Package bench measures what "jitsuin bench" prints: how many signatures this machine verifies,
// beside the limit that no verifier can pass and beside other programs, all in one run.
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
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin/signature"
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
	return []document{{"CMS, 100 kB detached", detached, content}}, nil
}

// text is n bytes that look like writing.
func text(n int) []byte {
	const line = "甲は、乙に対し、次の条件で物件を売り渡す。 The parties agree to the terms below.\n"
	return bytes.Repeat([]byte(line), n/len(line)+1)[:n]
}
