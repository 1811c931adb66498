package pdf

import (
	"bytes"
	"encoding/hex"
	"errors"
)

// maxNested bounds the indefinite lengths inside each other in /Contents.
const maxNested = 64

// zeros is what fills up /Contents.
var zeros = bytes.Repeat([]byte("0"), 4096)

// contents decodes the digits of /Contents: one BER structure, then zeros alone.
func contents(digits []byte) ([]byte, error) {
	if len(digits)%2 != 0 {
		return nil, errors.New("an odd number of digits")
	}
	value := digits
	for _, step := range []int{len(zeros), 64, 1} {
		for len(value) >= step && bytes.Equal(value[len(value)-step:], zeros[:step]) {
			value = value[:len(value)-step]
		}
	}
	if len(value) == 0 {
		return nil, errors.New("no signature, zeros alone")
	}
	// The structure may itself end in zeros: what was taken away is put back as far as it reaches.
	size := (len(value) + 1) / 2
	b := make([]byte, size)
	if _, err := hex.Decode(b, digits[:2*size]); err != nil {
		return nil, errors.New("a byte that is no hexadecimal digit")
	}
	n, err := length(b, len(digits)/2)
	switch {
	case err != nil:
		return nil, err
	case n > len(digits)/2:
		return nil, errors.New("the structure is longer than its room")
	case n < size:
		return nil, errors.New("other bytes than zeros after the structure")
	}
	return append(b, make([]byte, n-size)...), nil
}

// length gives the length of the BER element that b begins with, as far as it is at hand: b may lack
// zeros at its end, up to room bytes.
func length(b []byte, room int) (int, error) {
	pos, open := 0, 0
	at := func(i int) byte {
		if i < len(b) {
			return b[i]
		}
		return 0
	}
	for steps := 0; ; steps++ {
		if pos+2 > room || steps > len(b)+2*maxNested {
			return 0, errors.New("the structure has no end")
		}
		id := at(pos)
		start := pos
		pos++
		if id&0x1f == 0x1f {
			for at(pos)&0x80 != 0 {
				pos++
			}
			pos++
		}
		first := at(pos)
		pos++
		switch {
		case id == 0 && first == 0 && open > 0 && pos == start+2:
			open--
		case first == 0x80:
			if id&0x20 == 0 || open == maxNested {
				return 0, errors.New("an indefinite length where none is allowed")
			}
			open++
		default:
			n := int(first)
			if first > 0x80 {
				n = 0
				for range first & 0x7f {
					if n > room {
						return 0, errors.New("a length that is longer than the room")
					}
					n = n<<8 | int(at(pos))
					pos++
				}
			}
			if n > room || pos+n > room {
				return 0, errors.New("the structure is longer than its room")
			}
			pos += n
		}
		if open == 0 {
			return pos, nil
		}
	}
}
