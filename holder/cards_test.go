package holder_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/holdertest"
)

func TestCardsAreFoundWithAndWithoutAHost(t *testing.T) {
	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "none"))
	data, w := t.TempDir(), world(t)
	one := w.Card(t, data, holdertest.Order{Without: jitsuin.SignCert})
	two := w.Card(t, data, holdertest.Order{Without: jitsuin.AuthCert})
	kept := w.Card(t, data, holdertest.Order{Without: jitsuin.AuthCert, Kept: true})
	cards := holder.CardsIn(data)
	check := func(t *testing.T) {
		listed, err := cards.List(t.Context())
		if err != nil || len(listed) != 2 || !slices.IsSortedFunc(listed, func(a, b holder.Listed) int { return strings.Compare(string(a.ID), string(b.ID)) }) {
			t.Fatalf("%d cards, %v", len(listed), err)
		}
		for _, l := range listed {
			if s := l.Status.Of(jitsuin.SignCert); l.Err != nil || s.Certificate != (l.ID == two.ID) {
				t.Errorf("card %s: %+v, %v", l.ID, s, l.Err)
			}
		}
		for name, want := range map[string]jitsuin.ID{string(one.ID): one.ID, string(one.ID[:20]): one.ID, string(two.ID[:20]): two.ID} {
			c, err := cards.Open(t.Context(), name)
			if err != nil || c.ID != want {
				t.Fatalf("open %s: %v", name, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		for name, code := range map[string]string{"": "card-ambiguous", string(kept.ID): "card-not-handed-over", string(kept.ID[:20]): "card-missing",
			string(jitsuin.NewID()): "card-missing", "A reader": "card-missing", "../cards": "card-missing", "pcsc:A reader": "pcsc-missing"} {
			if _, err := cards.Open(t.Context(), name); jitsuin.CodeOf(err) != code {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	t.Run("in this process", check)
	h, err := host.New(filepath.Join(data, "cards"), host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("through sockets", check)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("after the host has died", func(t *testing.T) {
		for _, id := range []jitsuin.ID{one.ID, two.ID} { // it left its sockets behind
			if err := os.WriteFile(filepath.Join(data, "cards", string(id)+".sock"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		check(t)
	})
}

func TestNoCards(t *testing.T) {
	data := t.TempDir()
	if _, err := holder.CardsIn(filepath.Join(data, "none")).Open(t.Context(), ""); jitsuin.CodeOf(err) != "card-missing" {
		t.Errorf("no folder: %v", err)
	}
	if err := os.Mkdir(filepath.Join(data, "cards"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.CardsIn(data).Open(t.Context(), ""); jitsuin.CodeOf(err) != "card-missing" {
		t.Errorf("empty folder: %v", err)
	}
}

func TestACardInUseIsSaidToBe(t *testing.T) {
	data := t.TempDir()
	made := world(t).Card(t, data, holdertest.Order{Without: jitsuin.SignCert})
	h, err := host.New(filepath.Join(data, "cards"), host.Options{Wait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	cards := holder.CardsIn(data)
	c, err := cards.Open(t.Context(), string(made.ID))
	if err != nil {
		t.Fatal(err)
	}
	if listed, err := cards.List(t.Context()); err != nil || len(listed) != 1 || jitsuin.CodeOf(listed[0].Err) != "card-in-use" {
		t.Errorf("list: %+v, %v", listed, err)
	}
	if _, err := cards.Open(t.Context(), string(made.ID)); jitsuin.CodeOf(err) != "card-in-use" {
		t.Errorf("open: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := cards.Open(t.Context(), string(made.ID))
	for end := time.Now().Add(20 * time.Second); jitsuin.CodeOf(err) == "card-in-use" && time.Now().Before(end); { // the host sees the end a moment later
		again, err = cards.Open(t.Context(), string(made.ID))
	}
	if err != nil {
		t.Fatalf("after it was given back: %v", err)
	}
	again.Close()
}
