package holder

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/jitsuin/jitsuin"
)

// Terminal asks a person, without echo. It uses the terminal that controls the process, so that
// standard input and output stay free for documents.
type Terminal struct {
	open func() (console, error)
}

// console is one conversation with a terminal.
type console interface {
	io.Writer
	io.Closer
	readSecret() ([]byte, error)
	restore() // gives the echo back, also while readSecret waits
}

// NewTerminal gives the terminal that controls the process; it is opened when it is needed.
func NewTerminal() *Terminal { return &Terminal{openTTY} }

// PIN asks for one PIN and says before how many tries are left; see PINSource. When ctx ends, the
// echo is switched on again and its error is given.
func (t *Terminal) PIN(ctx context.Context, q Question) ([]byte, error) {
	c, err := t.open()
	if err != nil {
		return nil, errNoSource()
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "%s: ", q); err != nil {
		return nil, fmt.Errorf("ask for the PIN: %w", err)
	}
	type answer struct {
		typed []byte
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		typed, err := c.readSecret()
		answered <- answer{typed, err}
	}()
	select {
	case <-ctx.Done():
		c.restore()
		fmt.Fprintln(c)
		return nil, ctx.Err()
	case a := <-answered:
		fmt.Fprintln(c)
		if a.err != nil || len(a.typed) == 0 {
			clear(a.typed)
			return nil, jitsuin.Errorf(jitsuin.Unauthenticated, "pin-missing", "no PIN was typed")
		}
		return a.typed, nil
	}
}

// Confirms is true: people mistype.
func (t *Terminal) Confirms() bool { return true }

// tty is the controlling terminal.
type tty struct {
	*os.File
	before *term.State
}

func openTTY() (console, error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		f.Close()
		return nil, err
	}
	return &tty{f, before}, nil
}

func (t *tty) readSecret() ([]byte, error) { return term.ReadPassword(int(t.Fd())) }

func (t *tty) restore() {
	// Where it fails the terminal is gone, and with it the person.
	_ = term.Restore(int(t.Fd()), t.before)
}
