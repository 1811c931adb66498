//go:build unix

package country_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
)

// living is a country that runs in this process.
type living struct {
	country.Folder
	stop func()
	log  *safeBuffer
}

// live runs the country in a folder until stop, or until the test ends.
func live(t *testing.T, o country.Options) *living {
	t.Helper()
	l := &living{Folder: country.Folder(o.Data), log: &safeBuffer{}}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	o.Log = slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o.Ready = func(country.Folder) { close(ready) }
	go func() { ended <- country.Up(ctx, o) }()
	stopped := false
	l.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the country ended: %v", err)
		}
	}
	t.Cleanup(l.stop)
	select {
	case <-ready:
	case err := <-ended:
		stopped = true
		t.Fatalf("the country did not come to life: %v\n%s", err, l.log)
	case <-time.After(time.Minute):
		t.Fatalf("the country is not ready after a minute\n%s", l.log)
	}
	return l
}

func pin(p jitsuin.PIN) holder.PINSource { return holder.Lines(strings.NewReader(p.Reveal() + "\n")) }

// withCard opens a resident's card as the holder does.
func (l *living) withCard(t *testing.T, card string, use func(c *holder.Card, now time.Time) error) {
	t.Helper()
	now, err := country.CivilNow(t.Context(), l.Folder)
	if err != nil {
		t.Fatal(err)
	}
	c, err := holder.CardsIn(string(l.Folder)).Open(t.Context(), card)
	if err != nil {
		t.Fatalf("card %s: %v", card, err)
	}
	defer c.Close()
	if err := use(c, now.Now); err != nil {
		t.Fatalf("card %s: %v", card, err)
	}
}

// tenant is the securities firm's own client of the platform.
func (l *living) tenant(t *testing.T) (c *client.Client, origin string) {
	t.Helper()
	d, err := l.Directory()
	if err != nil {
		t.Fatal(err)
	}
	platform, err := d.Lookup(country.Platform)
	if err != nil {
		t.Fatal(err)
	}
	firm, err := d.Lookup(country.Securities)
	if err != nil {
		t.Fatal(err)
	}
	self, err := l.Identity(country.TenantFirm)
	if err != nil {
		t.Fatal(err)
	}
	c, err = client.New(platform.Origin, country.Platform, self.ID, self.Key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, firm.Origin
}

// sign has a card sign a document and the platform check it.
func (l *living) sign(t *testing.T, card string) client.Verification {
	t.Helper()
	return l.verify(t, l.signature(t, card))
}

var letter = []byte("%PDF-1.7 a letter that is signed")

func (l *living) signature(t *testing.T, card string) (sig []byte) {
	t.Helper()
	l.withCard(t, card, func(c *holder.Card, now time.Time) (err error) {
		sig, err = c.Document(t.Context(), bytes.NewReader(letter), holder.Act{PINs: pin(country.SignPassword), At: now})
		return err
	})
	return sig
}

func (l *living) verify(t *testing.T, sig []byte) client.Verification {
	t.Helper()
	c, _ := l.tenant(t)
	v, err := c.Verify(t.Context(), "", client.VerificationRequest{Document: letter, Signature: sig, Purpose: "contract"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// login logs in with a card.
func (l *living) login(t *testing.T, card string) (in client.Login, err error) {
	t.Helper()
	c, origin := l.tenant(t)
	ch, err := c.Challenge(t.Context(), origin, "login")
	if err != nil {
		t.Fatal(err)
	}
	var answer client.LoginRequest
	l.withCard(t, card, func(card *holder.Card, now time.Time) error {
		a, err := card.Login(t.Context(), ch.Challenge.ToSign(), holder.Act{PINs: pin(country.AuthPIN), At: now})
		if err == nil {
			answer = client.LoginRequest{Challenge: ch.ID, Certificate: a.Certificate.Raw, Signature: a.Signature, DigestAlg: a.DigestAlg}
		}
		return err
	})
	return c.Login(t.Context(), answer)
}
