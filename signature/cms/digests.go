package cms

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/jitsuin/jitsuin"
)

// headSize is how many first bytes of the content Digests keeps.
const headSize = 64

// pieceSize is how much of content in memory is taken between two looks at the context.
const pieceSize = 1 << 20

// maxHashes is how many digests of the content are computed. More are a way to keep a verifier busy.
const maxHashes = 4

// Digests is what is known of the content after one reading.
type Digests struct {
	Size    int64  // -1 where only a digest was given
	Differs bool   // content was given and is not the embedded content
	Head    []byte // the first bytes, at most 64
	Vouched bool   // of a digest that was given: the caller holds the content, and it is no set of attributes
	sums    map[crypto.Hash][]byte
}

// Sum gives the digest with h, nil where it was not computed.
func (d *Digests) Sum(h crypto.Hash) []byte {
	if d == nil {
		return nil
	}
	return d.sums[h]
}

// Digest reads the content once and computes every digest that a signer of sd or a time-stamp names, four at most, in memory
// that does not grow with the content. content may be nil where the content is embedded;
// where both are there, both are read and compared. It returns nil and no error where there is no
// content at all. An error is the reader's or the context's.
func (sd *SignedData) Digest(ctx context.Context, content io.Reader) (*Digests, error) {
	return sd.digestWith(ctx, content, sd.needed())
}

// digestWith is Digest with the hashes named.
func (sd *SignedData) digestWith(ctx context.Context, content io.Reader, with []crypto.Hash) (*Digests, error) {
	if content == nil {
		if !sd.Embedded {
			return nil, nil
		}
		content = bytes.NewReader(sd.Content)
	}
	d := &Digests{sums: map[crypto.Hash][]byte{}}
	hashes := map[crypto.Hash]hash.Hash{}
	for _, h := range with {
		if hashes[h] == nil && len(hashes) < maxHashes {
			hashes[h] = h.New()
		}
	}
	if err := d.readAll(ctx, sd, hashes, content); err != nil {
		return nil, err
	}
	if sd.Embedded && d.Size != int64(len(sd.Content)) {
		d.Differs = true
	}
	for h, running := range hashes {
		d.sums[h] = running.Sum(nil)
	}
	return d, nil
}

// DigestGiven stands in for Digest where a caller knows the content's digest with h and not the
// content. Embedded content is still read and compared with it.
func (sd *SignedData) DigestGiven(ctx context.Context, h crypto.Hash, given []byte) (*Digests, error) {
	if !h.Available() || len(given) != h.Size() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "digest", "the digest has not the length that its algorithm gives")
	}
	if !sd.Embedded {
		return &Digests{Size: -1, sums: map[crypto.Hash][]byte{h: given}}, nil
	}
	d, err := sd.Digest(ctx, nil)
	if err != nil {
		return nil, err
	}
	d.Differs = !bytes.Equal(sum(h, sd.Content), given)
	return d, nil
}

// readAll takes the content piece by piece; what lies in memory already is not copied.
func (d *Digests) readAll(ctx context.Context, sd *SignedData, hashes map[crypto.Hash]hash.Hash, content io.Reader) error {
	if in, ok := content.(*bytes.Reader); ok {
		_, err := in.WriteTo(taker(func(all []byte) error {
			for piece := range slices.Chunk(all, pieceSize) {
				if err := ctx.Err(); err != nil {
					return err
				}
				d.take(sd, hashes, piece)
			}
			return nil
		}))
		return err
	}
	buffer := make([]byte, 32<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := content.Read(buffer)
		d.take(sd, hashes, buffer[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the content: %w", err)
		}
	}
}

// taker is an io.Writer by a function that takes all.
type taker func([]byte) error

func (t taker) Write(b []byte) (int, error) { return len(b), t(b) }

// digestsOf is Digests of content that is at hand and needs one digest only.
func digestsOf(content []byte, h crypto.Hash) *Digests {
	return &Digests{Size: int64(len(content)), Head: content[:min(len(content), headSize)],
		sums: map[crypto.Hash][]byte{h: sum(h, content)}}
}

// sum hashes b.
func sum(h crypto.Hash, b []byte) []byte {
	running := h.New()
	running.Write(b) // never fails
	return running.Sum(nil)
}

// needed gives the hashes that signers and time-stamps name, signers first.
func (sd *SignedData) needed() []crypto.Hash {
	var all []crypto.Hash
	for _, s := range sd.Signers {
		if h, err := s.DigestAlgorithm.hashOf(); err == nil {
			all = append(all, h)
		}
	}
	return append(all, sd.stampHashes()...)
}

// take adds one piece of the content.
func (d *Digests) take(sd *SignedData, hashes map[crypto.Hash]hash.Hash, piece []byte) {
	for _, running := range hashes {
		running.Write(piece) // never fails
	}
	if room := headSize - len(d.Head); room > 0 {
		d.Head = append(d.Head, piece[:min(room, len(piece))]...)
	}
	if sd.Embedded && !d.Differs {
		rest := sd.Content[min(d.Size, int64(len(sd.Content))):]
		d.Differs = !bytes.HasPrefix(rest, piece)
	}
	d.Size += int64(len(piece))
}

// looksLikeAttributes tells whether the content has the outer shape of DER-encoded signed
// attributes: one SET that fills it and begins with a SEQUENCE. A signature over
// attributes can be passed off as a direct signature over such content by leaving the
// attributes out (RFC 5652 §5.4 hashes a SET, §5.3 hashes the content), so no direct signature over it counts.
func (d *Digests) looksLikeAttributes() bool {
	h := d.Head
	if len(h) < 2 || h[0] != 0x31 {
		return false
	}
	size, at := int64(h[1]), 2
	if h[1] >= 0x80 {
		n := int(h[1] & 0x7f)
		if n == 0 || n > 8 || len(h) < 2+n {
			return false
		}
		size = 0
		for _, octet := range h[2 : 2+n] {
			size = size<<8 | int64(octet)
		}
		at += n
	}
	return at < len(h) && h[at] == 0x30 && size == d.Size-int64(at)
}
