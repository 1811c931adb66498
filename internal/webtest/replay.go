package webtest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

const replays = 4

// Replay plays a piece that has a browser with a window on a Desktop. Chromium there now and then ends by a trap of its own, up to once in
// five pieces, which says nothing about us: then the piece is played again from its beginning, four times at most, with a loud
// line each time. Whatever else goes wrong fails the test at once. What the piece makes it makes anew each time, and tells a what is wrong.
func Replay(t *testing.T, piece func(a testing.TB)) {
	t.Helper()
	for left := replays; ; left-- {
		a, done := &attempt{TB: t}, make(chan struct{})
		go func() { defer close(done); piece(a) }()
		<-done
		said, ended := a.outcome()
		switch {
		case t.Skipped() || t.Failed() || said == "":
			return
		case !ended || left == 0:
			t.Fatal(said)
		}
		t.Logf("################ THE BROWSER ENDED BY ITSELF; the piece is played again ################\n%s", said)
	}
}

// attempt keeps what a piece found wrong, until it is known whether the browser was there all the time.
type attempt struct {
	testing.TB
	mu      sync.Mutex
	said    []string
	browser *Browser
}

func (a *attempt) outcome() (said string, ended bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.said, "\n"), a.browser != nil && a.browser.ended()
}

func (a *attempt) say(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, file, line, _ := runtime.Caller(2)
	a.said = append(a.said, fmt.Sprintf("%s:%d: %s", file, line, text))
}

func (a *attempt) Errorf(format string, args ...any) { a.say(fmt.Sprintf(format, args...)) }
func (a *attempt) Error(args ...any)                 { a.say(fmt.Sprint(args...)) }

func (a *attempt) Fatalf(format string, args ...any) {
	a.say(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (a *attempt) Fatal(args ...any) {
	a.say(fmt.Sprint(args...))
	runtime.Goexit()
}

func (a *attempt) Failed() bool {
	said, _ := a.outcome()
	return said != "" || a.TB.Failed()
}

// ended tells whether the browser's process is no longer there.
func (b *Browser) ended() bool {
	c := chromedp.FromContext(b.ctx)
	if c == nil || c.Browser == nil {
		return false
	}
	select {
	case <-c.Browser.LostConnection:
		return true
	default:
		return false
	}
}
