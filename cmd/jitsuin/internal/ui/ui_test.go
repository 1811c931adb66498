package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
)

func faceOf(t *testing.T, in io.Reader, env map[string]string) (f *Face, out, err *bytes.Buffer) {
	out, err = &bytes.Buffer{}, &bytes.Buffer{}
	return New(t.Context(), in, out, err, func(name string) string { return env[name] }), out, err
}

func TestExitCodes(t *testing.T) {
	_, noFile := os.Open("no such file")
	for _, c := range []struct {
		err  error
		code int
	}{
		{Status(2), 2},
		{fmt.Errorf("wrapped: %w", Status(4)), 4},
		{context.Canceled, 130},
		{fmt.Errorf("sign: %w", context.Canceled), 130},
		{Usage("no"), 64},
		{noFile, 74},
		{fmt.Errorf("wrapped: %w", noFile), 74},
		{jitsuin.Errorf(jitsuin.NotFound, "card-missing", "no card: %w", fs.ErrNotExist), 66},
		{jitsuin.Errorf(jitsuin.Invalid, "pin-wrong", "no"), 65},
		{jitsuin.Errorf(jitsuin.Unavailable, "x", "no"), 69},
		{jitsuin.Errorf(jitsuin.Conflict, "x", "no"), 75},
		{jitsuin.Errorf(jitsuin.Limited, "x", "no"), 75},
		{jitsuin.Errorf(jitsuin.Locked, "x", "no"), 77},
		{jitsuin.Errorf(jitsuin.Denied, "x", "no"), 77},
		{jitsuin.Errorf(jitsuin.Unauthenticated, "x", "no"), 77},
		{jitsuin.Errorf(jitsuin.Revoked, "x", "no"), 1},
		{jitsuin.Errorf(jitsuin.Expired, "x", "no"), 1},
		{jitsuin.Errorf(jitsuin.Unsupported, "x", "no"), 3},
		{jitsuin.Errorf(jitsuin.Internal, "x", "no"), 70},
		{errors.New("a surprise"), 70},
	} {
		if got := Exit(c.err); got != c.code {
			t.Errorf("%v: %d, not %d", c.err, got, c.code)
		}
	}
}

func TestTheLastWord(t *testing.T) {
	f, _, said := faceOf(t, nil, nil)
	code := f.Close(fmt.Errorf("open: %w", jitsuin.Errorf(jitsuin.NotFound, "x", "no card\x1b[2J\nhere").WithHint("look\rthere")))
	if code != 66 || said.String() != "jitsuin: open: no card [2J here\nhint: look there\n" {
		t.Errorf("%d %q", code, said)
	}
	for _, silent := range []error{nil, Status(1), context.Canceled} {
		f, _, said := faceOf(t, nil, nil)
		if f.Close(silent); said.Len() != 0 {
			t.Errorf("%v: %q", silent, said)
		}
	}
}

func TestAResultThatIsNotWrittenIsAnError(t *testing.T) {
	_, full := os.Create(filepath.Join(t.TempDir(), "none", "x"))
	f, _, said := faceOf(t, nil, nil)
	f.Out = &Checked{w: failing{full}}
	if _, err := fmt.Fprint(f.Out, "result"); err == nil {
		t.Error("the write went well")
	}
	if code := f.Close(nil); code != 74 || !strings.Contains(said.String(), "write the result") {
		t.Errorf("%d %q", code, said)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestLanguageFollowsTheLocale(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		lang string
	}{
		{nil, "en"},
		{map[string]string{"LANG": "ja_JP.UTF-8"}, "ja"},
		{map[string]string{"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"},
		{map[string]string{"LANG": "de_DE", "LC_MESSAGES": "ja"}, "ja"},
	} {
		if f, _, _ := faceOf(t, nil, c.env); f.Lang != c.lang {
			t.Errorf("%v: %s", c.env, f.Lang)
		}
	}
}

func TestNoColourButAtATerminal(t *testing.T) {
	f, _, _ := faceOf(t, nil, map[string]string{"TERM": "xterm"})
	if f.ColorOut || f.ColorErr || f.Progress || f.IsTerminal() || f.Judged("good", 0) != "good" {
		t.Error("a buffer was taken for a terminal")
	}
	f.ColorOut = true
	seen := map[string]bool{}
	for code := range 3 {
		line := f.Judged("line", code)
		if !strings.Contains(line, "line") || !strings.HasSuffix(line, "\x1b[0m") {
			t.Errorf("%d: %q", code, line)
		}
		seen[line] = true
	}
	if len(seen) != 3 {
		t.Error("verdicts share a colour")
	}
}

func TestLogs(t *testing.T) {
	f, out, said := faceOf(t, nil, nil)
	f.SetLog("json", slog.LevelInfo)
	f.Log.Info("hello", "n", 1)
	f.Log.Debug("not this")
	if out.Len() != 0 || !strings.HasPrefix(said.String(), `{"time"`) || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("%q", said)
	}
	f.SetLog("text", slog.LevelDebug)
	f.Log.Debug("this")
	if !strings.Contains(said.String(), "level=DEBUG msg=this") {
		t.Errorf("%q", said)
	}
}

func TestProgress(t *testing.T) {
	f, _, said := faceOf(t, nil, nil)
	if r, done := f.Reading(strings.NewReader("x"), 1); r == nil {
		t.Error("no reader")
	} else if done(); said.Len() != 0 {
		t.Errorf("progress without a terminal: %q", said)
	}
	p := &progress{r: strings.NewReader(strings.Repeat("x", 3<<20)), w: said, size: 4 << 20, next: time.Now().Add(-time.Second)}
	if _, err := io.CopyN(io.Discard, p, 3<<20); err != nil {
		t.Fatal(err)
	}
	p.done()
	if s := said.String(); !strings.Contains(s, "of 4 MiB") || !strings.HasSuffix(s, "\r\x1b[K") || strings.Contains(s, "\n") {
		t.Errorf("%q", s)
	}
}

func TestFilesAreBoundedAndWrittenWhole(t *testing.T) {
	f, out, _ := faceOf(t, strings.NewReader("piped"), nil)
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := f.WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteFile(path, []byte("newer")); err != nil {
		t.Fatal(err)
	}
	if b, err := f.ReadFile(path, 5); err != nil || string(b) != "newer" {
		t.Errorf("%q %v", b, err)
	}
	if _, err := f.ReadFile(path, 4); jitsuin.CodeOf(err) != "too-large" {
		t.Errorf("five bytes of four: %v", err)
	}
	if b, err := f.ReadFile("-", 5); err != nil || string(b) != "piped" {
		t.Errorf("%q %v", b, err)
	}
	if err := f.WriteFile("-", []byte("out")); err != nil || out.String() != "out" {
		t.Errorf("%q %v", out, err)
	}
	if _, err := f.ReadFile(dir, 5); Exit(err) != 74 {
		t.Errorf("a folder: %v", err)
	}
	if err := f.WriteFile(filepath.Join(dir, "none", "x"), nil); Exit(err) != 74 {
		t.Errorf("no folder: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files were left", len(entries))
	}
}

func TestReadingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer w.Close()
	in := until(ctx, r)
	go w.Write([]byte("ab"))
	b := make([]byte, 10)
	if n, err := in.Read(b); string(b[:n]) != "ab" || err != nil {
		t.Errorf("%q %v", b[:n], err)
	}
	time.AfterFunc(10*time.Millisecond, cancel)
	for range 2 {
		if _, err := in.Read(b); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	}
	whole, err := io.ReadAll(until(t.Context(), strings.NewReader(strings.Repeat("x", 1<<20))))
	if err != nil || len(whole) != 1<<20 {
		t.Errorf("%d bytes, %v", len(whole), err)
	}
}
