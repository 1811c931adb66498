package holder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/jitsuin/jitsuin"
)

func TestADescriptorGivesOnePINALine(t *testing.T) {
	from := strings.NewReader("1234\r\nabc123\nrest of the file")
	d := Lines(from)
	for _, want := range []string{"1234", "abc123"} {
		got, err := d.PIN(t.Context(), Question{Kind: jitsuin.AuthCert})
		if err != nil || string(got) != want {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	if rest, _ := io.ReadAll(from); string(rest) != "rest of the file" {
		t.Errorf("it took bytes that are not its own; left is %q", rest)
	}
	for name, r := range map[string]io.Reader{"nothing": strings.NewReader(""), "an empty line": strings.NewReader("\n1234\n"),
		"a broken pipe": iotest.ErrReader(io.ErrClosedPipe)} {
		if _, err := Lines(r).PIN(t.Context(), Question{}); jitsuin.KindOf(err) != jitsuin.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	long, err := Lines(strings.NewReader(strings.Repeat("9", 1<<20))).PIN(t.Context(), Question{})
	if err != nil || len(long) != maxPIN {
		t.Errorf("an endless line: %d bytes, %v", len(long), err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Lines(strings.NewReader("1234")).PIN(ended, Question{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestADescriptorMustBeOpen(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := NewDescriptor(int(w.Fd())); err != nil {
		t.Errorf("an open one: %v", err)
	}
	for _, fd := range []int{-1, 987654} {
		if _, err := NewDescriptor(fd); jitsuin.CodeOf(err) != "pin-fd" {
			t.Errorf("%d: %v", fd, err)
		}
	}
}

// fakeConsole plays a terminal and the person in front of it.
type fakeConsole struct {
	bytes.Buffer
	typed    []byte
	err      error
	wait     chan struct{} // nil: types at once
	restored chan struct{}
}

func (f *fakeConsole) Close() error { return nil }
func (f *fakeConsole) restore()     { close(f.restored) }
func (f *fakeConsole) readSecret() ([]byte, error) {
	if f.wait != nil {
		<-f.wait
	}
	return f.typed, f.err
}

func terminalOf(f *fakeConsole) *Terminal {
	return &Terminal{open: func() (console, error) { return f, nil }}
}

func TestATerminalSaysWhatItAsksFor(t *testing.T) {
	f := &fakeConsole{typed: []byte("abc123")}
	got, err := terminalOf(f).PIN(t.Context(), Question{Kind: jitsuin.SignCert, TriesLeft: 4})
	if err != nil || string(got) != "abc123" {
		t.Fatal(err)
	}
	if said := f.String(); !strings.Contains(said, "署名用パスワード") || !strings.Contains(said, "4 tries left") || strings.Contains(said, "abc123") {
		t.Errorf("it says %q", said)
	}
	f = &fakeConsole{typed: []byte("1234")}
	if _, err := terminalOf(f).PIN(t.Context(), Question{Kind: jitsuin.AuthCert, TriesLeft: 1}); err != nil || !strings.Contains(f.String(), "1 try left") {
		t.Errorf("%v, it says %q", err, f.String())
	}
	for _, q := range []Question{{Kind: jitsuin.SignCert, Role: New}, {Kind: jitsuin.AuthCert, Role: Again}} {
		if s := q.String(); !strings.HasPrefix(s, "new ") || strings.Contains(s, "left") {
			t.Errorf("a new PIN is asked for with %q", s)
		}
	}
}

func TestATerminalWithoutAPersonGivesNoPIN(t *testing.T) {
	for name, f := range map[string]*fakeConsole{"just Enter": {}, "gone": {typed: []byte("12"), err: io.EOF}} {
		if _, err := terminalOf(f).PIN(t.Context(), Question{}); jitsuin.CodeOf(err) != "pin-missing" {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := &Terminal{open: func() (console, error) { return nil, os.ErrNotExist }}
	if _, err := none.PIN(t.Context(), Question{}); jitsuin.CodeOf(err) != "pin-source" {
		t.Errorf("no terminal: %v", err)
	}
}

func TestATerminalGetsItsEchoBackWhenInterrupted(t *testing.T) {
	f := &fakeConsole{wait: make(chan struct{}), restored: make(chan struct{})}
	defer close(f.wait)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := terminalOf(f).PIN(ctx, Question{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	<-f.restored
}
