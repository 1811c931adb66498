package tour

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Text is a text in both languages.
type Text struct{ JA, EN string }

func (t Text) in(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.JA
}

// Step is one line of steps.jsonl.
type Step struct {
	N        int    `json:"n"`
	Step     string `json:"step"`
	Actor    string `json:"actor"`
	Checked  string `json:"checked"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
	OK       bool   `json:"ok"`
	TookMS   int64  `json:"took_ms"`
}

// recorder prints steps for people and keeps them for programs.
type recorder struct {
	out   io.Writer
	lang  string
	color bool
	dir   string // of the evidence; "" for none
	file  io.WriteCloser
	n     int
	bad   int
	last  time.Time
}

func newRecorder(o Options) (*recorder, error) {
	r := &recorder{out: o.Writer, lang: o.Lang, color: o.Color, dir: o.Out, last: time.Now()}
	if r.dir == "" {
		return r, nil
	}
	for _, d := range []string{"ca", "resident", "reports"} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("evidence folder: %w", err)
		}
	}
	var err error
	r.file, err = os.Create(filepath.Join(r.dir, "steps.jsonl"))
	return r, err
}

func (r *recorder) paint(code, s string) string {
	if !r.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// chapter prints a heading.
func (r *recorder) chapter(t Text) {
	fmt.Fprintf(r.out, "\n%s\n", r.paint("1", t.in(r.lang)))
}

// tell prints a sentence that checks nothing.
func (r *recorder) tell(t Text) { fmt.Fprintf(r.out, "    %s\n", t.in(r.lang)) }

// step records one check: got must be what was expected.
func (r *recorder) step(name, actor string, checked Text, expected, got string) bool {
	r.n++
	ok := expected == got
	mark := r.paint("32", "✓")
	if !ok {
		r.bad++
		mark = r.paint("31", "✕")
	}
	now := time.Now()
	s := Step{r.n, name, actor, checked.EN, expected, got, ok, now.Sub(r.last).Milliseconds()}
	r.last = now
	fmt.Fprintf(r.out, "  %s %2d %-22s %s: %s\n", mark, r.n, actor, checked.in(r.lang), got)
	if !ok {
		fmt.Fprintf(r.out, "       %s\n", r.paint("31", Text{"期待: ", "expected: "}.in(r.lang)+expected))
	}
	if r.file != nil {
		line, err := json.Marshal(s)
		if err == nil {
			_, err = r.file.Write(append(line, '\n'))
		}
		if err != nil {
			fmt.Fprintln(r.out, "steps.jsonl:", err)
			r.bad++
		}
	}
	return ok
}

// save writes one file of evidence.
func (r *recorder) save(name string, content []byte) error {
	if r.dir == "" {
		return nil
	}
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

func (r *recorder) saveJSON(name string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("evidence %s: %w", name, err)
	}
	return r.save(name, append(raw, '\n'))
}

func (r *recorder) close() {
	if r.file != nil {
		r.file.Close()
	}
}
