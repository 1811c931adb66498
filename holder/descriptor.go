package holder

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/jitsuin/jitsuin"
)

// Descriptor reads PINs from an open file, one a line, in the order in which they are asked for.
// It reads no byte beyond a line's end, so that what follows stays for others.
type Descriptor struct{ from io.Reader }

// NewDescriptor takes the file descriptor fd of this process (--pin-fd). Invalid "pin-fd" where it
// is not open.
func NewDescriptor(fd int) (*Descriptor, error) {
	if fd >= 0 {
		f := os.NewFile(uintptr(fd), "pin-fd")
		if _, err := f.Stat(); err == nil {
			return &Descriptor{f}, nil
		}
	}
	return nil, jitsuin.Errorf(jitsuin.Invalid, "pin-fd", "file descriptor %d is not open", fd).
		WithHint("open it for the command: jitsuin … --pin-fd 3 3<FILE").At("pin-fd")
}

// Lines is a Descriptor that reads from r.
func Lines(r io.Reader) *Descriptor { return &Descriptor{r} }

// PIN reads the next line; see PINSource. When ctx ends a read that waits is left behind, and the
// Descriptor is of no more use.
func (d *Descriptor) PIN(ctx context.Context, q Question) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	type answer struct {
		line []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		line, err := d.line()
		read <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case a := <-read:
		if a.err != nil {
			return nil, jitsuin.Errorf(jitsuin.Unauthenticated, "pin-read", "the PIN cannot be read: %w", a.err)
		}
		if len(a.line) == 0 {
			return nil, jitsuin.Errorf(jitsuin.Unauthenticated, "pin-missing", "no line was there for the %s", roleName(q)).
				WithHint("the file descriptor gives one PIN a line, in the order in which they are asked for")
		}
		return a.line, nil
	}
}

// line reads up to the end of a line, or of what could be a PIN.
func (d *Descriptor) line() ([]byte, error) {
	line := make([]byte, 0, maxPIN)
	var one [1]byte
	defer clear(one[:])
	for len(line) < maxPIN {
		n, err := d.from.Read(one[:])
		if n == 1 && one[0] == '\n' || n == 0 && errors.Is(err, io.EOF) {
			break
		}
		if n == 1 {
			line = append(line, one[0])
			continue
		}
		if err != nil {
			clear(line)
			return nil, err
		}
	}
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line, nil
}

// Confirms is false: a file does not mistype.
func (d *Descriptor) Confirms() bool { return false }

func roleName(q Question) string {
	if q.Role == New {
		return "new PIN"
	}
	return "PIN"
}
