// Package webtest plays pages as a person does: a headless Chromium is told what to click by what is
// written on it, what to type by the label of the field, and what to wait for by what is to be read.
// It also plays by keyboard alone, asks axe whether the page can be used by everybody, and takes
// pictures to be looked at.
//
// It is for tests. It never reaches into a page by ids or classes: what a person cannot find, it
// does not find either.
package webtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Browser is one Chromium with one window and a profile of its own.
type Browser struct {
	t       testing.TB
	ctx     context.Context
	started bool
	// Wait is how long a page may take to show what is expected: a minute, for a machine that is busy.
	Wait time.Duration
}

// New starts a browser in a language ("ja" or "en") with a window of width by 800 pixels. Where there is
// no Chromium the test skips with a loud line, and fails under CI=true.
func New(t testing.TB, lang string, width int) *Browser {
	t.Helper()
	b := start(t, optionsOf(t, lang, headless...))
	b.Resize(width)
	return b
}

// Names of the program, the best first. Chromium without a window draws its own controls all the same, which takes most of its time; the
// shell, which is made of the same parts, has none.
var (
	windowed = []string{"chromium", "chromium-browser", "google-chrome"}
	headless = append([]string{"chromium-headless-shell"}, windowed...)
)

func optionsOf(t testing.TB, lang string, programs ...string) []chromedp.ExecAllocatorOption {
	t.Helper()
	return append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program(t, programs)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("lang", lang), chromedp.Flag("accept-lang", lang), chromedp.Flag("no-proxy-server", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(60*time.Second))
}

func start(t testing.TB, options []chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(func() { chromedp.Cancel(ctx); cancel() }) // ends the process before its profile is removed
	return &Browser{t: t, ctx: ctx, Wait: time.Minute}
}

func program(t testing.TB, names []string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "Chromium")
	return ""
}

func missing(t testing.TB, judge string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("JUDGE MISSING: %s is not installed (make judges)", judge)
	}
	t.Skipf("################ JUDGE MISSING: %s is not installed (make judges); SKIPPED ################", judge)
}

// Resize gives the window another width.
func (b *Browser) Resize(width int) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(int64(width), 800))
}

func (b *Browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	get(b, chromedp.Steps(actions...))
}

// get has the browser do something and gives what comes of it.
func get[T any](b *Browser, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, b.Wait)
	defer cancel()
	if !b.started {
		ctx, b.started = b.ctx, true // the first action starts the process, which lives as long as its context
	}
	out, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("browser: %v", err)
	}
	return out
}

// Open goes to an address. On a busy machine Chromium may never say that a page is there: it is asked for once more when half of Wait is over.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.URL() // the first action starts the process, which lives longer than this one
	for n := 1; ; n++ {
		ctx, cancel := context.WithTimeout(b.ctx, b.Wait/2)
		_, err := chromedp.Run(ctx, chromedp.Navigate(url))
		cancel()
		if err == nil {
			return
		}
		if n == 2 || !errors.Is(err, context.DeadlineExceeded) {
			b.t.Fatalf("browser: %s: %v", url, err)
		}
		b.t.Logf("%s is not there after %v: asked for again", url, b.Wait/2)
	}
}

// URL gives the address of the page.
func (b *Browser) URL() string {
	b.t.Helper()
	return get(b, chromedp.Location())
}

// Text gives what can be read on the page.
func (b *Browser) Text() string {
	b.t.Helper()
	return Eval[string](b, `document.body ? document.body.innerText : ""`)
}

// Eval gives the value of a script, or of the promise that it gives, for what cannot be read as text. A page
// that is just being left is asked again.
func Eval[T any](b *Browser, script string) T {
	b.t.Helper()
	for deadline := time.Now().Add(b.Wait); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, b.Wait)
		out, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
		cancel()
		if err == nil {
			return out
		}
		if time.Now().After(deadline) || b.ctx.Err() != nil || b.ended() {
			b.t.Fatalf("browser: %v", err)
		}
	}
}

// See waits until each text can be read on the page.
func (b *Browser) See(texts ...string) {
	b.t.Helper()
	for _, want := range texts {
		b.until(func() bool { return strings.Contains(flat(b.Text()), flat(want)) },
			func() string { return fmt.Sprintf("%q is not to be read on %s:\n%s", want, b.URL(), b.Text()) })
	}
}

// NotSee fails where the text can be read now.
func (b *Browser) NotSee(text string) {
	b.t.Helper()
	if strings.Contains(flat(b.Text()), flat(text)) {
		b.t.Fatalf("%q is to be read on %s", text, b.URL())
	}
}

// flat takes white space out: how a line breaks is not what the page says.
func flat(s string) string { return strings.Join(strings.Fields(s), "") }

func (b *Browser) until(is func() bool, why func() string) {
	b.t.Helper()
	for deadline := time.Now().Add(b.Wait); !is(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatal(why())
		}
	}
}

// findScript marks the one visible control with an accessible name and gives how many there are.
const findScript = `((want, kinds, mark) => {
  const flat = s => (s || "").replace(/\s+/g, "");
  const name = e => {
    if (e.getAttribute("aria-label")) return e.getAttribute("aria-label");
    if (e.labels && e.labels.length) return [...e.labels].map(l => l.innerText).join(" ");
    const by = e.getAttribute("aria-labelledby");
    if (by) return by.split(" ").map(i => document.getElementById(i)?.innerText || "").join(" ");
    if (e.tagName === "FIELDSET") return e.querySelector("legend")?.innerText;
    return e.innerText || e.value || e.getAttribute("title");
  };
  const seen = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== "hidden"; };
  const all = [...document.querySelectorAll(kinds)].filter(seen);
  let found = all.filter(e => flat(name(e)) === flat(want));
  if (!found.length) found = all.filter(e => flat(name(e)).startsWith(flat(want)));
  for (const e of document.querySelectorAll("[data-webtest]")) e.removeAttribute("data-webtest");
  if (found.length) found[0].setAttribute("data-webtest", mark);
  return {n: found.length, names: all.map(e => (name(e) || "").trim())};
})`

type found struct {
	N     int      `json:"n"`
	Names []string `json:"names"`
}

var marks atomic.Int64

const (
	controls = `a[href], button, input[type=submit], summary, [role=button], [role=tab], area[href]`
	fields   = `input:not([type=hidden]), select, textarea, fieldset`
)

// find waits for exactly one control called name and gives a selector for it.
func (b *Browser) find(kinds, name string) string {
	b.t.Helper()
	var f found
	mark := fmt.Sprint(marks.Add(1))
	b.until(func() bool {
		arg, _ := json.Marshal([]string{name, kinds, mark})
		f = Eval[found](b, findScript+`(...`+string(arg)+`)`)
		return f.N > 0
	}, func() string {
		return fmt.Sprintf("nothing called %q on %s; there is: %s\n%s", name, b.URL(), strings.Join(f.Names, " | "), b.Text())
	})
	if f.N > 1 {
		b.t.Fatalf("%d things are called %q on %s", f.N, name, b.URL())
	}
	return `[data-webtest="` + mark + `"]`
}

// with does something with the one control that is called name. A page that is just being left may have one of that name too, which is gone
// when its turn comes: then it is looked for again.
func (b *Browser) with(kinds, name string, do func(ctx context.Context, sel string) error) {
	b.t.Helper()
	for deadline := time.Now().Add(b.Wait); ; {
		sel := b.find(kinds, name)
		ctx, cancel := context.WithTimeout(b.ctx, b.Wait/4)
		err := do(ctx, sel)
		cancel()
		if err == nil {
			return
		}
		there := Eval[bool](b, `document.querySelector('`+sel+`') !== null`)
		if there && !errors.Is(err, context.DeadlineExceeded) || time.Now().After(deadline) {
			b.t.Fatalf("browser: %q on %s: %v", name, b.URL(), err)
		}
		b.t.Logf("%q is looked for again: %v", name, err)
	}
}

func (b *Browser) click(kinds, name string) {
	b.t.Helper()
	b.with(kinds, name, func(ctx context.Context, sel string) error {
		_, err := chromedp.Run(ctx, chromedp.Steps(chromedp.ScrollIntoView(sel), chromedp.Click(sel)))
		return err
	})
}

// Click clicks the link or button with that name, whole or its beginning.
func (b *Browser) Click(name string) {
	b.t.Helper()
	b.click(controls, name)
}

// Has tells whether a link or button with that name is there now.
func (b *Browser) Has(name string) bool {
	b.t.Helper()
	return b.count(controls, name) > 0
}

// Fill types into the field with that label, in the place of what stands there.
func (b *Browser) Fill(label, value string) {
	b.t.Helper()
	b.with(fields, label, func(ctx context.Context, sel string) error {
		arg, _ := json.Marshal([]string{sel, value})
		kind, err := chromedp.Run(ctx, chromedp.Evaluate[string](`((sel, v) => { const e = document.querySelector(sel); e.focus(); e.value = e.type === "date" ? v : ""; e.dispatchEvent(new Event("input", {bubbles: true})); return e.type; })(...`+string(arg)+`)`))
		if err == nil && kind != "date" {
			_, err = chromedp.Run(ctx, chromedp.SendKeys(sel, value))
		}
		return err
	})
}

// Upload puts files into the field with that label, as if they had been dropped on it.
func (b *Browser) Upload(label string, paths ...string) {
	b.t.Helper()
	b.with(`input[type=file]`, label, func(ctx context.Context, sel string) error {
		_, err := chromedp.Run(ctx, chromedp.SetUploadFiles(sel, paths))
		return err
	})
}

// Choose takes the option with that text in the choice with that label.
func (b *Browser) Choose(label, option string) {
	b.t.Helper()
	ok := false
	b.with(fields, label, func(ctx context.Context, sel string) (err error) {
		arg, _ := json.Marshal([]string{sel, option})
		ok, err = chromedp.Run(ctx, chromedp.Evaluate[bool](`((sel, text) => { const e = document.querySelector(sel), flat = s => s.replace(/\s+/g, ""); const o = [...e.options].find(o => flat(o.text) === flat(text)) || [...e.options].find(o => flat(o.text).startsWith(flat(text))); if (!o) return false; e.value = o.value; e.dispatchEvent(new Event("change", {bubbles: true})); return true; })(...`+string(arg)+`)`))
		return err
	})
	if !ok {
		b.t.Fatalf("the choice %q has no option %q", label, option)
	}
}

// Tick clicks the radio button or check box with that label.
func (b *Browser) Tick(label string) {
	b.t.Helper()
	b.click(`input[type=radio], input[type=checkbox]`, label)
}

// focusScript gives the accessible name of what has the focus.
const focusScript = `(() => { const e = document.activeElement; if (!e || e === document.body) return ""; return (e.getAttribute("aria-label") || (e.labels && e.labels.length ? [...e.labels].map(l => l.innerText).join(" ") : (e.innerText || e.value || ""))).trim(); })()`

const mostTabs = 300

// TabTo presses Tab until the control with that name, whole or its beginning, has the focus, as a
// person without a mouse does, and fails where it is never reached.
func (b *Browser) TabTo(name string) {
	b.t.Helper()
	b.until(func() bool { return strings.Contains(flat(b.Text()), flat(name)) || b.Has(name) || b.hasField(name) },
		func() string { return fmt.Sprintf("nothing called %q on %s:\n%s", name, b.URL(), b.Text()) })
	var had []string
	for range mostTabs {
		has := Eval[string](b, focusScript)
		if strings.HasPrefix(flat(has), flat(name)) {
			return
		}
		had = append(had, has)
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.t.Fatalf("the keyboard never reaches %q on %s; it reached: %s", name, b.URL(), strings.Join(had[:min(len(had), 60)], " | "))
}

func (b *Browser) hasField(label string) bool {
	b.t.Helper()
	return b.count(fields, label) > 0
}

func (b *Browser) count(kinds, name string) int {
	b.t.Helper()
	arg, _ := json.Marshal([]string{name, kinds, "0"})
	return Eval[found](b, findScript+`(...`+string(arg)+`)`).N
}

// Press presses keys: kb.Enter, or text to be typed into what has the focus.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// Keyboard reaches a control by Tab and presses Enter.
func (b *Browser) Keyboard(name string) {
	b.t.Helper()
	b.TabTo(name)
	b.Press(kb.Enter)
}

// Axe asks axe-core (WCAG 2.2 AA) about the page, once it is there in full, and fails for each finding.
func (b *Browser) Axe() {
	b.t.Helper()
	raw := Eval[string](b, axeSource(b.t)+`; (document.readyState === "complete" ? Promise.resolve() : new Promise(r => addEventListener("load", r))).then(() => axe.run(document, `+
		`{resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})).then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.help + " — " + v.nodes.map(n => n.target.join(" ") + " " + (n.failureSummary || "")).join("; "))))`)
	var findings []string
	if err := json.Unmarshal([]byte(raw), &findings); err != nil {
		b.t.Fatalf("axe: %v", err)
	}
	for _, f := range findings {
		b.t.Errorf("axe on %s: %s", b.URL(), f)
	}
}

// Shots takes pictures of the whole page at 360 and 1280 pixels into the folder JITSUIN_SHOTS, where it is set.
func (b *Browser) Shots(name string) {
	b.t.Helper()
	dir := os.Getenv("JITSUIN_SHOTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	for _, width := range []int{360, 1280} {
		b.Resize(width)
		png := get(b, chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

// FitsWidth fails where the page is wider than its window, so that a person would have to scroll sideways.
func (b *Browser) FitsWidth(width int) {
	b.t.Helper()
	b.Resize(width)
	if over := Eval[int](b, `document.documentElement.scrollWidth - window.innerWidth`); over > 0 {
		b.t.Errorf("%s is %d pixels wider than a window of %d", b.URL(), over, width)
	}
}
