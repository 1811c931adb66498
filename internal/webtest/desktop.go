package webtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Desktop is a screen of the test's own (Xvfb) with a window manager and a home folder, for what a browser asks in windows of its own and
// not on a page: which certificate to show, and the PIN of a card. A headless browser has no such windows.
type Desktop struct {
	t       testing.TB
	Home    string // with .pki/nssdb, where the browser keeps certificates and modules
	display string
	env     []string
	browser *Browser
}

// NewDesktop starts one for the time of the test. Programs in it have env beside the test's own environment.
func NewDesktop(t testing.TB, env ...string) *Desktop {
	t.Helper()
	for _, tool := range []string{"Xvfb", "openbox", "xdotool", "certutil", "modutil"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool)
		}
	}
	d := &Desktop{t: t, Home: t.TempDir()}
	d.env = append(env, "HOME="+d.Home, "XDG_CONFIG_HOME="+filepath.Join(d.Home, "config"), "XDG_CACHE_HOME="+filepath.Join(d.Home, "cache"))
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	x := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset") // or it throws the window manager out when another program leaves
	x.ExtraFiles = []*os.File{write}
	d.run(x)
	write.Close()
	if err := read.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 16)
	n, err := read.Read(said)
	if err != nil {
		t.Fatalf("Xvfb does not come up: %v", err)
	}
	d.display = ":" + strings.TrimSpace(string(said[:n]))
	d.env = append(d.env, "DISPLAY="+d.display)
	d.run(d.command(context.Background(), "openbox"))
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := d.try("xdotool", "get_num_desktops"); err == nil { // a window manager is there, and a browser need not change to it
			break
		}
		if time.Now().After(end) {
			t.Fatal("openbox does not come up")
		}
	}
	if err := os.MkdirAll(filepath.Join(d.Home, ".pki", "nssdb"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.Do("certutil", "-N", "-d", d.NSS(), "--empty-password")
	return d
}

// run starts a program that ends with the test.
func (d *Desktop) run(cmd *exec.Cmd) {
	d.t.Helper()
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

func (d *Desktop) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), d.env...)
	return cmd
}

// NSS is the browser's store of certificates and modules, as certutil and modutil name it.
func (d *Desktop) NSS() string { return "sql:" + filepath.Join(d.Home, ".pki", "nssdb") }

// Do runs a program that must succeed and gives what it said.
func (d *Desktop) Do(name string, args ...string) string {
	d.t.Helper()
	out, err := d.try(name, args...)
	if err != nil {
		d.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

func (d *Desktop) try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.t.Context()), time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := d.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// Await waits for a window whose title has a text, and gives its number.
func (d *Desktop) Await(title string) string {
	d.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if out, err := d.try("xdotool", "search", "--onlyvisible", "--name", title); err == nil {
			return strings.Fields(out)[0]
		}
		if d.gone() || time.Now().After(end) {
			d.t.Fatalf("no window %q; there is:\n%s", title, d.Windows())
		}
	}
}

// Has tells whether a window whose title has a text is to be seen now.
func (d *Desktop) Has(title string) bool {
	if d.gone() {
		d.t.Fatal("the browser ended by itself")
	}
	out, err := d.try("xdotool", "search", "--onlyvisible", "--name", title)
	return err == nil && strings.TrimSpace(out) != ""
}

func (d *Desktop) gone() bool { return d.browser != nil && d.browser.ended() }

// Windows gives the titles of all windows that are to be seen.
func (d *Desktop) Windows() string {
	out, _ := d.try("xdotool", "search", "--onlyvisible", "--name", ".")
	var titles []string
	for _, id := range strings.Fields(out) {
		title, _ := d.try("xdotool", "getwindowname", id)
		titles = append(titles, strings.TrimSpace(title))
	}
	return strings.Join(titles, "\n")
}

// Type types into a window, and presses Return.
func (d *Desktop) Type(window, text string) {
	d.t.Helper()
	d.Do("xdotool", "windowfocus", "--sync", window)
	if text != "" {
		d.Do("xdotool", "type", "--delay", "30", text)
	}
	d.Do("xdotool", "key", "Return")
}

// Shot takes a picture of the whole screen into the folder JITSUIN_SHOTS, where it is set.
func (d *Desktop) Shot(name string) {
	d.t.Helper()
	dir := os.Getenv("JITSUIN_SHOTS")
	if dir == "" {
		return
	}
	d.Do("import", "-window", "root", filepath.Join(dir, name+".png"))
}

// Browser starts a browser with a window on the desktop, in a language; flags are further options of it, such as "test-type".
func (d *Desktop) Browser(lang string, flags ...string) *Browser {
	d.t.Helper()
	options := append(optionsOf(d.t, lang, windowed...), chromedp.Flag("headless", false), chromedp.Flag("hide-scrollbars", false), chromedp.Flag("window-size", "1200,850"),
		chromedp.Flag("window-position", "0,0"), chromedp.Env(append(os.Environ(), d.env...)...))
	for _, f := range flags {
		name, value, given := strings.Cut(f, "=")
		if !given {
			value = "true"
		}
		options = append(options, chromedp.Flag(name, value))
	}
	said := new(output)
	b := start(d.t, append(options, chromedp.CombinedOutput(said)))
	d.browser = b
	if a, ok := d.t.(*attempt); ok {
		a.browser = b
	}
	d.t.Cleanup(func() {
		if d.t.Failed() {
			d.t.Logf("windows at the end:\n%s\nthe browser said:\n%s", d.Windows(), said)
			d.Shot("failed-" + lang)
		}
	})
	return b
}

// output is what a program says, as far as it is worth reading.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p[:min(len(p), 64<<10-len(o.text))]...)
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// Trust has the browser trust a server's certificate in a PEM file as it is.
func (d *Desktop) Trust(name, path string) {
	d.t.Helper()
	d.Do("certutil", "-A", "-d", d.NSS(), "-n", name, "-t", "P,,", "-i", path)
}

// Module gives the browser a PKCS#11 module, by a pattern of its path: its folder is named for the machine's kind.
func (d *Desktop) Module(name, pattern string) {
	d.t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		missing(d.t, fmt.Sprintf("%s (%s)", name, pattern))
	}
	d.Do("modutil", "-dbdir", d.NSS(), "-add", name, "-libfile", found[0], "-force")
}
