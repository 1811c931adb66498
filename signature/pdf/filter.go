package pdf

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"

	"github.com/jitsuin/jitsuin"
)

// Bounds of decoded streams.
const (
	maxDecoded    = 4 << 20  // bytes of one stream that is decoded
	maxDecodedAll = 64 << 20 // bytes of all streams that one document makes us decode
	maxRowBytes   = 8 << 20  // bytes of all cross-reference streams
	maxColumns    = 1 << 16  // bytes of a predictor's row
)

// inflaters are reused: a new one costs more than a small stream.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

// inflate undoes zlib's format (RFC 1950). Its checksum is not looked at: readers ignore it, and
// what counts here is what they show.
func inflate(b []byte, limit int) ([]byte, error) {
	if len(b) < 2 || b[0]&15 != 8 || (int(b[0])<<8|int(b[1]))%31 != 0 || b[1]&0x20 != 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-stream", "compressed data has no zlib header")
	}
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b[2:]), nil); err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, min(limit, len(b)*3+64)))
	n, err := io.Copy(out, io.LimitReader(r, int64(limit)+1))
	if n > int64(limit) {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "a stream decodes to more than %d bytes", limit)
	}
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-stream", "compressed data is broken: %w", err)
	}
	return out.Bytes(), nil
}

// predictor holds the parameters of ISO 32000-2 §7.4.4.4.
type predictor struct{ kind, colors, bits, columns int }

// undo reverses the prediction.
func (f predictor) undo(b []byte) ([]byte, error) {
	if f.kind <= 1 {
		return b, nil
	}
	if f.colors < 1 || f.colors > 32 || f.columns < 1 || f.columns > maxColumns || f.bits != 8 {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-filter", "a predictor with %d bits, %d colours and %d columns", f.bits, f.colors, f.columns)
	}
	row := f.colors * f.columns
	switch {
	case row > maxColumns:
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-filter", "a predictor with rows of %d bytes", row)
	case f.kind == 2:
		out := bytes.Clone(b)
		for i := range out {
			if i%row >= f.colors {
				out[i] += out[i-f.colors]
			}
		}
		return out, nil
	case f.kind >= 10 && f.kind <= 15:
		return undoPNG(b, row, f.colors)
	}
	return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-filter", "predictor %d is not known", f.kind)
}

// undoPNG reverses PNG's filters, each row with its own.
func undoPNG(b []byte, row, step int) ([]byte, error) {
	out := make([]byte, 0, len(b))
	above := make([]byte, row)
	for len(b) > 1 {
		kind := b[0]
		n := min(row, len(b)-1)
		start := len(out)
		out = append(out, b[1:1+n]...)
		line := out[start:]
		b = b[1+n:]
		for i := range line {
			var left, corner byte
			if i >= step {
				left, corner = line[i-step], above[i-step]
			}
			switch kind {
			case 0:
			case 1:
				line[i] += left
			case 2:
				line[i] += above[i]
			case 3:
				line[i] += byte((int(left) + int(above[i])) / 2)
			case 4:
				line[i] += paeth(left, above[i], corner)
			default:
				return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-filter", "a row has PNG's filter %d", kind)
			}
		}
		if n == row {
			above = line
		}
	}
	return out, nil
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }
