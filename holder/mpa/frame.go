package mpa

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/jitsuin/jitsuin"
)

// MaxFrame is the longest message in bytes: what browsers take from a host.
const MaxFrame = 1 << 20

// ReadFrame reads one message. io.EOF where the browser has closed the pipe between two messages; Invalid "mpa-frame" where the length
// is 0 or more than MaxFrame, before anything of it is kept, or where the message is cut off.
func ReadFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	n, err := io.ReadFull(r, head[:])
	switch {
	case errors.Is(err, io.EOF) && n == 0:
		return nil, io.EOF
	case err != nil:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "mpa-frame", "the length of a message is cut off")
	}
	length := binary.NativeEndian.Uint32(head[:])
	if length == 0 || length > MaxFrame {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "mpa-frame", "a message has 1 to %d bytes, not %d", MaxFrame, length)
	}
	message := make([]byte, length)
	if _, err := io.ReadFull(r, message); err != nil {
		clear(message)
		return nil, jitsuin.Errorf(jitsuin.Invalid, "mpa-frame", "a message of %d bytes is cut off", length)
	}
	return message, nil
}

// WriteFrame writes one message, in one piece.
func WriteFrame(w io.Writer, message []byte) error {
	if len(message) == 0 || len(message) > MaxFrame {
		return jitsuin.Errorf(jitsuin.Invalid, "mpa-frame", "a message has 1 to %d bytes, not %d", MaxFrame, len(message))
	}
	_, err := w.Write(append(binary.NativeEndian.AppendUint32(make([]byte, 0, 4+len(message)), uint32(len(message))), message...))
	return err
}
