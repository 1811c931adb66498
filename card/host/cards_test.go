package host_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
)

const (
	token     = "0123456789abcdef"
	other     = "fedcba9876543210"
	createKey = "create-key-of-a-test"
	town      = host.Custodian("municipality:91201")
)

func newHost(t testing.TB, dir string) *host.Host {
	t.Helper()
	h, err := host.New(dir, host.Options{Wait: 50 * time.Millisecond, CreateKey: createKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// remote is the same host seen over HTTP.
func remote(t testing.TB, h *host.Host) host.Cards {
	t.Helper()
	server := httptest.NewServer(h.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(func() { h.Close() }) // ends the open channels, for which the server waits
	c, err := host.Client(server.URL, host.ClientOptions{CreateKey: createKey})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// onBoth runs a story on a host in this process and on one behind HTTP: they keep one contract.
func onBoth(t *testing.T, story func(t *testing.T, cards host.Cards)) {
	t.Run("in process", func(t *testing.T) { story(t, newHost(t, t.TempDir())) })
	t.Run("over HTTP", func(t *testing.T) { story(t, remote(t, newHost(t, t.TempDir()))) })
}

func order(t testing.TB) host.Order {
	return host.Order{ID: jitsuin.NewID(), Token: token, Custodian: "jlis", TerminalAuthority: cardtest.Issue(t).Blank().TerminalAuthority}
}

func create(t testing.TB, cards host.Cards) (jitsuin.ID, host.Handle) {
	t.Helper()
	o := order(t)
	handle, err := cards.Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return o.ID, handle
}

func mustOpen(t testing.TB, cards host.Cards, handle host.Handle) reader.Card {
	t.Helper()
	// The other side of a channel that was just closed may take a moment.
	for range 40 {
		c, err := cards.Open(t.Context(), handle)
		if err == nil {
			return c
		}
		if jitsuin.CodeOf(err) != "card-in-use" {
			t.Fatal(err)
		}
	}
	t.Fatal("the card does not become free")
	return nil
}

func mustTransfer(t testing.TB, cards host.Cards, handle host.Handle, to host.Custodian, token string) host.Handle {
	t.Helper()
	next, err := cards.Transfer(t.Context(), handle, to, token)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func wantCode(t testing.TB, err error, kind jitsuin.Kind, code string) {
	t.Helper()
	if jitsuin.KindOf(err) != kind || jitsuin.CodeOf(err) != code {
		t.Errorf("error %v (%v %q), want %v %q", err, jitsuin.KindOf(err), jitsuin.CodeOf(err), kind, code)
	}
}

// Production, the municipality and the holder, one after another, each with its own handle.
func TestACardIsMadeAndPassedOn(t *testing.T) {
	onBoth(t, func(t *testing.T, cards host.Cards) {
		issuer := cardtest.Issue(t).Issuer
		id, produced := create(t, cards)

		channel := mustOpen(t, cards, produced)
		j, err := reader.SelectJPKI(t.Context(), channel)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Authenticate(t.Context(), issuer.Production); err != nil {
			t.Fatal(err)
		}
		if _, err := issuer.Reissue(t.Context(), j, jitsuin.AuthCert); err != nil {
			t.Fatal(err)
		}
		if err := channel.Close(); err != nil {
			t.Fatal(err)
		}

		arrived := mustTransfer(t, cards, produced, town, token)
		_, err = cards.Open(t.Context(), produced)
		wantCode(t, err, jitsuin.Denied, "stale-handle")
		_, err = cards.Transfer(t.Context(), produced, "holder", other)
		wantCode(t, err, jitsuin.Denied, "stale-handle")
		channel = mustOpen(t, cards, arrived)
		if j, err = reader.SelectJPKI(t.Context(), channel); err != nil {
			t.Fatal(err)
		}
		wantCode(t, j.ResetPIN(t.Context(), jitsuin.AuthCert, "1234"), jitsuin.Denied, "card-security-status")
		if err := j.Authenticate(t.Context(), issuer.Counter); err != nil {
			t.Fatal(err)
		}
		if err := j.ResetPIN(t.Context(), jitsuin.AuthCert, "1234"); err != nil {
			t.Fatal(err)
		}
		channel.Close()

		held := mustTransfer(t, cards, arrived, host.Holder, other)
		info, err := cards.Info(t.Context(), held)
		if err != nil || info != (host.Info{ID: id, Custodian: host.Holder}) {
			t.Errorf("%+v %v", info, err)
		}
		channel = mustOpen(t, cards, held)
		defer channel.Close()
		if atr, err := channel.ATR(t.Context()); err != nil || len(atr) != 9 {
			t.Errorf("ATR %x %v", atr, err)
		}
		if j, err = reader.SelectJPKI(t.Context(), channel); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Signer(t.Context(), jitsuin.AuthCert, "1234"); err != nil {
			t.Error(err)
		}
	})
}

func TestOneOpenerAtATime(t *testing.T) {
	onBoth(t, func(t *testing.T, cards host.Cards) {
		_, handle := create(t, cards)
		first := mustOpen(t, cards, handle)
		_, err := cards.Open(t.Context(), handle)
		wantCode(t, err, jitsuin.Conflict, "card-in-use")
		if _, err := reader.SelectJPKI(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		second := mustOpen(t, cards, handle)
		defer second.Close()
		if r, err := second.Transmit(t.Context(), card.Command{INS: 0xB0, P1: 0x86, Le: 4}.Bytes()); err != nil || fmt.Sprintf("%x", r) != "6a82" {
			t.Errorf("the second opener finds the first's selection: %x %v", r, err)
		}
		if _, err := first.Transmit(t.Context(), card.Command{INS: 0xA4}.Bytes()); jitsuin.CodeOf(err) != "card-gone" {
			t.Errorf("a closed channel: %v", err)
		}
	})
}

// The channel of a custodian who passes the card on is dead in that moment, without a word to it.
func TestTransferTakesTheCardAway(t *testing.T) {
	onBoth(t, func(t *testing.T, cards host.Cards) {
		_, handle := create(t, cards)
		channel := mustOpen(t, cards, handle)
		defer channel.Close()
		next := mustTransfer(t, cards, handle, town, token)
		_, err := reader.SelectJPKI(t.Context(), channel)
		wantCode(t, err, jitsuin.Unavailable, "card-gone")
		mustOpen(t, cards, next).Close()
	})
}

func TestTransferCanBeRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, cards host.Cards) {
		_, handle := create(t, cards)
		next := mustTransfer(t, cards, handle, town, token)
		if again := mustTransfer(t, cards, handle, town, token); again != next {
			t.Error("the repetition gave another handle")
		}
		for _, c := range []struct {
			to    host.Custodian
			token string
		}{{town, other}, {"municipality:91202", token}} {
			_, err := cards.Transfer(t.Context(), handle, c.to, c.token)
			wantCode(t, err, jitsuin.Denied, "stale-handle")
		}
		// Who has lost the answer to an earlier transfer gets it again, and it opens nothing any more.
		last := mustTransfer(t, cards, next, host.Holder, other)
		if again := mustTransfer(t, cards, handle, town, token); again != next {
			t.Error("the repetition of an earlier transfer gave another handle")
		}
		_, err := cards.Open(t.Context(), next)
		wantCode(t, err, jitsuin.Denied, "stale-handle")
		if again := mustTransfer(t, cards, next, host.Holder, other); again != last {
			t.Error("the repetition of the last transfer gave another handle")
		}
		for _, c := range []struct {
			from  host.Handle
			to    host.Custodian
			token string
		}{{handle, town, other}, {handle, host.Holder, other}, {next, town, token}, {next, host.Holder, token}} {
			_, err := cards.Transfer(t.Context(), c.from, c.to, c.token)
			wantCode(t, err, jitsuin.Denied, "stale-handle")
		}
	})
}

func TestCreateCanBeRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, cards host.Cards) {
		o := order(t)
		first, err := cards.Create(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := cards.Create(t.Context(), o); err != nil || again != first {
			t.Errorf("the repetition: %v, same %v", err, again == first)
		}
		stranger := o
		stranger.Token = other
		_, err = cards.Create(t.Context(), stranger)
		wantCode(t, err, jitsuin.Conflict, "card-exists")
		mustTransfer(t, cards, first, town, token)
		_, err = cards.Create(t.Context(), o)
		wantCode(t, err, jitsuin.Conflict, "card-exists")
	})
}

func TestLoan(t *testing.T) {
	onBoth(t, func(t *testing.T, cards host.Cards) {
		id, produced := create(t, cards)
		held := mustTransfer(t, cards, produced, host.Holder, token)
		own := mustOpen(t, cards, held)
		lent, err := cards.Lend(t.Context(), held)
		if err != nil {
			t.Fatal(err)
		}
		_, err = own.ATR(t.Context())
		wantCode(t, err, jitsuin.Unavailable, "card-gone")
		own.Close()

		if info, err := cards.Info(t.Context(), lent); err != nil || info != (host.Info{ID: id, Custodian: host.Holder, Lent: true, Loan: true}) {
			t.Errorf("%+v %v", info, err)
		}
		_, err = cards.Open(t.Context(), held)
		wantCode(t, err, jitsuin.Conflict, "card-lent")
		_, err = cards.Lend(t.Context(), held)
		wantCode(t, err, jitsuin.Conflict, "card-lent")
		_, err = cards.Transfer(t.Context(), held, town, other)
		wantCode(t, err, jitsuin.Conflict, "card-lent")
		_, err = cards.Lend(t.Context(), lent)
		wantCode(t, err, jitsuin.Denied, "not-custodian")
		_, err = cards.Transfer(t.Context(), lent, town, other)
		wantCode(t, err, jitsuin.Denied, "not-custodian")
		wantCode(t, cards.Retract(t.Context(), lent), jitsuin.Denied, "not-custodian")

		onCounter := mustOpen(t, cards, lent)
		if _, err := reader.SelectJPKI(t.Context(), onCounter); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := cards.Retract(t.Context(), held); err != nil {
				t.Fatal(err)
			}
		}
		_, err = onCounter.ATR(t.Context())
		wantCode(t, err, jitsuin.Unavailable, "card-gone")
		onCounter.Close()
		_, err = cards.Open(t.Context(), lent)
		wantCode(t, err, jitsuin.Denied, "stale-handle")
		mustOpen(t, cards, held).Close()
	})
}

func TestWhatIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, cards host.Cards) {
		id, handle := create(t, cards)
		for _, bad := range []host.Handle{"", "x", host.Handle(id), host.Handle(id) + ".", host.Handle(id) + "." + host.Handle(jitsuin.NewID()),
			host.Handle(jitsuin.NewID()) + "." + host.Handle(jitsuin.NewID()), "../../../../etc/passwd.x", handle + "0"} {
			_, err := cards.Open(t.Context(), bad)
			wantCode(t, err, jitsuin.Denied, "stale-handle")
			_, err = cards.Transfer(t.Context(), bad, town, token)
			wantCode(t, err, jitsuin.Denied, "stale-handle")
		}
		_, err := cards.Transfer(t.Context(), handle, "No Such/Name", token)
		wantCode(t, err, jitsuin.Invalid, "custodian-form")
		_, err = cards.Transfer(t.Context(), handle, town, "short")
		wantCode(t, err, jitsuin.Invalid, "token-form")
		for _, change := range []func(*host.Order){
			func(o *host.Order) { o.ID = "../x" },
			func(o *host.Order) { o.Token = "" },
			func(o *host.Order) { o.Custodian = "" },
			func(o *host.Order) { o.TerminalAuthority = nil },
		} {
			o := order(t)
			change(&o)
			if _, err := cards.Create(t.Context(), o); jitsuin.KindOf(err) != jitsuin.Invalid {
				t.Errorf("%+v: %v", o, err)
			}
		}
	})
}

// Many at once: every transfer has exactly one winner.
func TestTransfersRace(t *testing.T) {
	h := newHost(t, t.TempDir())
	_, handle := create(t, h)
	var wins sync.Map
	var group sync.WaitGroup
	for n := range 20 {
		group.Go(func() {
			if next, err := h.Transfer(t.Context(), handle, town, fmt.Sprintf("%s-%d", token, n)); err == nil {
				wins.Store(next, n)
			} else if jitsuin.CodeOf(err) != "stale-handle" {
				t.Error(err)
			}
		})
	}
	group.Wait()
	count := 0
	wins.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("%d winners", count)
	}
}

func TestHandlesDoNotPrint(t *testing.T) {
	_, handle := create(t, newHost(t, t.TempDir()))
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "handle", handle)
	if s := fmt.Sprintf("%v %s %+v %#v", handle, handle, handle, handle) + log.String(); strings.Contains(s, handle.Reveal()) {
		t.Errorf("a handle prints: %s", s)
	}
}

func TestRemoteCreationNeedsItsKey(t *testing.T) {
	h := newHost(t, t.TempDir())
	server := httptest.NewServer(h.Handler())
	defer server.Close()
	for _, key := range []string{"", "wrong"} {
		c, err := host.Client(server.URL, host.ClientOptions{CreateKey: key})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Create(t.Context(), order(t))
		wantCode(t, err, jitsuin.Unauthenticated, "create-key")
	}
}

func TestClientAddresses(t *testing.T) {
	for address, ok := range map[string]bool{"https://cards.example": true, "http://127.0.0.1:1": true, "http://localhost:1/x": true,
		"http://[::1]:1": true, "http://cards.example": false, "http://127.0.0.1.example": false, "ftp://localhost": false, "": false, "https://u:p@h": false} {
		if _, err := host.Client(address, host.ClientOptions{}); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
	c, err := host.Client("http://127.0.0.1:1", host.ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Info(t.Context(), "x"); jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Errorf("%v", err)
	}
	if _, err := c.Open(t.Context(), "x"); jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Errorf("%v", err)
	}
}
