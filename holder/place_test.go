package holder_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/holder"
)

// lone lays a chip with certificates into a folder of its own.
func lone(t *testing.T) (string, *cardtest.Issued) {
	t.Helper()
	issued := cardtest.Issue(t)
	image, err := issued.Memory.Load()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "my card")
	memory, err := card.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := memory.Store(image); err != nil {
		t.Fatal(err)
	}
	return dir, issued
}

func TestALoneChipIsUsedByItsFolder(t *testing.T) {
	dir, _ := lone(t)
	cards := holder.CardsIn(t.TempDir())
	var trace strings.Builder
	c, err := cards.Wrapped(func(c reader.Card) reader.Card { return explain.Trace(c, &trace, "en") }).Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.Place.String() != dir || c.ID != "" || !c.Place.Ours() {
		t.Errorf("%+v", c.Place)
	}
	if _, err := cards.Open(t.Context(), dir); jitsuin.CodeOf(err) != "card-in-use" {
		t.Errorf("a second time: %v", err)
	}
	if err := c.Verify(t.Context(), jitsuin.AuthCert, holder.Lines(strings.NewReader("1234\n"))); err != nil {
		t.Error(err)
	}
	c.Close()
	if !strings.Contains(trace.String(), "Have a PIN checked: authentication PIN") || strings.Contains(trace.String(), "31323334") {
		t.Errorf("trace: %s", trace.String())
	}
	if _, err := cards.Open(t.Context(), t.TempDir()); jitsuin.CodeOf(err) != "card-missing" {
		t.Errorf("an empty folder: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 2 {
		t.Errorf("it leaves things behind: %v", entries)
	}
}

// A card in a reader is found by the reader's name, whole or in part, and named when it is none of ours.
func TestACardInAReaderIsFoundAndNamed(t *testing.T) {
	p := pcscdtest.Start(t)
	t.Setenv("PCSCLITE_CSOCK_NAME", p.Socket())
	cards := holder.CardsIn(t.TempDir())
	if _, err := cards.Open(t.Context(), "pcsc:"); jitsuin.CodeOf(err) != "card-missing" {
		t.Errorf("no card: %v", err)
	}
	issued := cardtest.Issue(t)
	remove := p.Insert(0, reader.Local(issued.Chip))
	pcscdtest.AwaitCard(t)
	for _, name := range []string{"pcsc:", "pcsc:Virtual PCD 00 00", "Virtual PCD 00 00", "virtual pcd 00 00"} {
		c, err := cards.Open(t.Context(), name)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		der, err := c.Certificate(t.Context(), jitsuin.AuthCert, nil)
		if err != nil || !bytes.Equal(der.Raw, issued.Certificates[jitsuin.AuthCert].Raw) {
			t.Errorf("%q: %v", name, err)
		}
		if c.Place.String() != "pcsc:Virtual PCD 00 00" || c.Place.Ours() {
			t.Errorf("%+v", c.Place)
		}
		c.Close()
	}
	for name, code := range map[string]string{"pcsc:Virtual": "reader-ambiguous", "pcsc:Other": "reader-missing", "Other": "card-missing", "Virtual PCD 00 01": "card-missing"} {
		if _, err := cards.Open(t.Context(), name); jitsuin.CodeOf(err) != code {
			t.Errorf("%q: %v", name, err)
		}
	}
	remove()
}

// dressed is a card whose token information says something else.
type dressed struct {
	reader.Card
	label string
	file  *bool
}

func (d dressed) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if len(apdu) > 5 && apdu[1] == 0xA4 {
		*d.file = bytes.HasSuffix(apdu, []byte{0, 6})
	}
	response, err := d.Card.Transmit(ctx, apdu)
	if err == nil && *d.file && apdu[1] == 0xB0 && len(response) > 34 {
		copy(response, strings.Repeat(" ", 32))
		copy(response, d.label)
	}
	return response, err
}

// foreign is a card without any application of ours.
type foreign struct{ reader.Card }

func (foreign) Transmit(context.Context, []byte) ([]byte, error) { return []byte{0x6A, 0x82}, nil }

func TestCardsOfOtherKindsAreNamed(t *testing.T) {
	local := reader.Local(cardtest.Issue(t).Chip)
	for label, code := range map[string]string{"JPKIAPICCTOKEN2": "", "JPKIAPICCTOKEN": "card-old", "JPKIAPGPSETOKEN": "", "JPKIAPIOSTOKEN": "", "SOMETHINGELSE": "card-unknown"} {
		c, err := holder.On(t.Context(), "", dressed{local, label, new(bool)})
		if jitsuin.CodeOf(err) != code {
			t.Errorf("%s: %v", label, err)
		}
		if code == "card-unknown" && (!strings.Contains(err.Error(), label) || !strings.Contains(err.Error(), "3BE000FF8131FE4514")) {
			t.Errorf("it is not named: %v", err)
		}
		if err != nil {
			continue
		}
		status, err := c.Status(t.Context())
		if err != nil || status.Token.Label != label {
			t.Errorf("%s: %+v %v", label, status.Token, err)
		}
		// An Android telephone shows even the authentication certificate after its PIN only.
		if free := c.Free(jitsuin.AuthCert); free == (label == "JPKIAPGPSETOKEN") {
			t.Errorf("%s: free %v", label, free)
		}
	}
	if _, err := holder.On(t.Context(), "", foreign{local}); jitsuin.CodeOf(err) != "card-application" || !strings.Contains(err.Error(), "ATR 3BE0") {
		t.Errorf("%v", err)
	}
}
