package jws

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Digests is what is known of the payload after one reading.
type Digests struct {
	Size    int64 // of the payload, bytes
	Differs bool  // content was given and is not the payload inside
	signed  map[*Signature][]byte
	sums    map[crypto.Hash][]byte
}

// Sum gives the digest of the payload itself with h, nil where no signature uses h.
func (d *Digests) Sum(h crypto.Hash) []byte { return d.sums[h] }

// feed is what the payload is read into.
type feed struct {
	signed map[*Signature]hash.Hash
	plain  map[crypto.Hash]hash.Hash
	raw    io.Writer // takes the payload as it is
	stands io.Writer // takes it as it stands in what is signed
}

func (m *Message) newFeed() feed {
	f := feed{signed: map[*Signature]hash.Hash{}, plain: map[crypto.Hash]hash.Hash{}}
	var raw, stands []io.Writer
	for _, s := range m.Signatures {
		a, ok := algorithms[s.Alg]
		if !ok {
			continue
		}
		h := a.hash.New()
		io.WriteString(h, s.protected+".") // RFC 7515 §5.1, step 5
		f.signed[s], stands = h, append(stands, h)
		if f.plain[a.hash] == nil {
			f.plain[a.hash] = a.hash.New()
			raw = append(raw, f.plain[a.hash])
		}
	}
	f.raw, f.stands = io.MultiWriter(raw...), io.MultiWriter(stands...)
	return f
}

func (f feed) digests(size int64) *Digests {
	d := &Digests{Size: size, signed: map[*Signature][]byte{}, sums: map[crypto.Hash][]byte{}}
	for s, h := range f.signed {
		d.signed[s] = h.Sum(nil)
	}
	for h, sum := range f.plain {
		d.sums[h] = sum.Sum(nil)
	}
	return d
}

// Digest reads the payload once and computes what every signature of m signs, in memory that does not
// grow with content. content may be nil where the payload is inside; where both are there they are
// compared, and the one inside counts. It returns nil and no error where there is no payload at all.
// An error is the reader's or the context's.
func (m *Message) Digest(ctx context.Context, content io.Reader) (*Digests, error) {
	f := m.newFeed()
	switch {
	case m.Detached && content == nil:
		return nil, nil
	case m.Detached:
		stands, done := f.stands, func() error { return nil }
		if !m.Unencoded {
			encoder := base64.NewEncoder(encoding, f.stands)
			stands, done = encoder, encoder.Close
		}
		n, err := io.Copy(io.MultiWriter(f.raw, stands), reader{ctx, content})
		if err := errors.Join(err, done()); err != nil {
			return nil, fmt.Errorf("read the content: %w", err)
		}
		return f.digests(n), nil
	}
	f.raw.Write(m.Payload)
	f.stands.Write(m.covered)
	d := f.digests(int64(len(m.Payload)))
	if content == nil {
		return d, nil
	}
	same, err := equal(reader{ctx, content}, m.Payload)
	if err != nil {
		return nil, fmt.Errorf("read the content: %w", err)
	}
	d.Differs = !same
	return d, nil
}

// equal tells whether r gives exactly want.
func equal(r io.Reader, want []byte) (bool, error) {
	buffer, same := make([]byte, 32<<10), true
	for {
		n, err := r.Read(buffer)
		if same = same && bytes.HasPrefix(want, buffer[:n]); same {
			want = want[n:]
		}
		if errors.Is(err, io.EOF) {
			return same && len(want) == 0, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
