// Package ui is the manner in which the command line speaks with people.
//
// It owns the rules and nothing that a command does:
//
//   - Results go to standard output, everything else to standard error. A result is complete or the
//     exit code says so.
//   - An error is one line "jitsuin: MESSAGE", in small letters, and where it helps one line
//     "hint: WHAT TO DO". The exit code follows from the error's kind, in one table (Exit).
//   - Colour, progress and questions are for terminals. NO_COLOR and TERM=dumb are respected; a
//     word always says what a colour says.
//   - No secret is ever printed, nor asked for on standard input.
package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/jitsuin/jitsuin"
)

// Face is the program's side towards its user.
type Face struct {
	In  io.Reader
	Out *Checked  // results
	Err io.Writer // everything else
	Log *slog.Logger
	// Lang is ja or en.
	Lang string
	// ColorOut, ColorErr and Progress tell what the two outputs can show.
	ColorOut, ColorErr, Progress bool
}

// New makes the face of a process with these three streams. Reading from in ends with ctx. env looks
// environment variables up.
func New(ctx context.Context, in io.Reader, out, err io.Writer, env func(string) string) *Face {
	colour := env("NO_COLOR") == "" && env("TERM") != "dumb"
	return &Face{In: until(ctx, in), Out: &Checked{w: out}, Err: err, Log: slog.New(slog.DiscardHandler), Lang: language(env),
		ColorOut: colour && isTerminal(out), ColorErr: colour && isTerminal(err), Progress: isTerminal(err)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// language reads the locale as POSIX orders it; Japanese for ja…, English for everything else.
func language(env func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			if strings.HasPrefix(v, "ja") {
				return "ja"
			}
			break
		}
	}
	return "en"
}

// SetLog makes the log on standard error, in the form text or json, from a level on.
func (f *Face) SetLog(form string, level slog.Level) {
	options := &slog.HandlerOptions{Level: level}
	if form == "json" {
		f.Log = slog.New(slog.NewJSONHandler(f.Err, options))
		return
	}
	f.Log = slog.New(slog.NewTextHandler(f.Err, options))
}

// IsTerminal tells whether results go to a person.
func (f *Face) IsTerminal() bool { return isTerminal(f.Out.w) }

// Warn prints one line for the user.
func (f *Face) Warn(format string, args ...any) {
	fmt.Fprintf(f.Err, "%s %s\n", paint(f.ColorErr, yellow, "warning:"), oneLine(fmt.Sprintf(format, args...)))
}

// Note prints one line for the user that is no cause for worry.
func (f *Face) Note(format string, args ...any) {
	fmt.Fprintln(f.Err, oneLine(fmt.Sprintf(format, args...)))
}

// Close ends the program: it prints the error, if there is one to print, and gives the exit code. A
// result that could not be written to its end is an error too.
func (f *Face) Close(err error) int {
	if err == nil && f.Out.err != nil {
		err = fmt.Errorf("write the result: %w", f.Out.err)
	}
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[Status](err); !ok && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(f.Err, "%s %s\n", paint(f.ColorErr, red, "jitsuin:"), oneLine(err.Error()))
		if e, ok := errors.AsType[*jitsuin.Error](err); ok && e.Hint != "" {
			fmt.Fprintf(f.Err, "%s %s\n", paint(f.ColorErr, yellow, "hint:"), oneLine(e.Hint))
		}
	}
	return Exit(err)
}

// oneLine keeps a message on its line, and what an input says from steering the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// Checked is a writer that remembers its first error, so that a full disk is not taken for success.
type Checked struct {
	w   io.Writer
	err error
}

func (c *Checked) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	var n int
	n, c.err = c.w.Write(b)
	return n, c.err
}
