package probe_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/probe"
	"github.com/jitsuin/jitsuin/card/reader"
)

// watched remembers what was sent to a card.
type watched struct {
	reader.Card
	sent [][]byte
}

func (w *watched) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	w.sent = append(w.sent, bytes.Clone(apdu))
	return w.Card.Transmit(ctx, apdu)
}

func TestAProbeSeesTheFormAndNothingElse(t *testing.T) {
	issued := cardtest.Issue(t)
	stores := issued.Memory.Stores()
	w := &watched{Card: reader.Local(issued.Chip)}
	report, err := probe.Card(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if report.ATRName != "contact" || report.Token == nil || report.Token.Kind != "individual-number-card" || report.Token.Size != 160 {
		t.Errorf("%+v", report)
	}
	j := report.Applications[0]
	files := map[string]probe.File{}
	for _, f := range j.Files {
		files[f.ID] = f
	}
	if f := files["000A"]; f.Read != "9000" || f.Size != len(issued.Certificates[jitsuin.AuthCert].Raw) || f.AtEnd != "6B00" {
		t.Errorf("the authentication certificate: %+v", f)
	}
	if f := files["0001"]; f.Read != "6982" || f.Size != 0 {
		t.Errorf("the signature certificate: %+v", f)
	}
	if files["0018"].Tries != "63C3" || files["001B"].Tries != "63C5" {
		t.Errorf("PINs: %+v %+v", files["0018"], files["001B"])
	}
	if len(report.Certificates) != 3 || report.Certificates[0].Key != "RSA 2048, e = 65537" && report.Certificates[1].Key != "RSA 2048, e = 65537" {
		t.Errorf("certificates: %+v", report.Certificates)
	}
	var text bytes.Buffer
	for _, lang := range []string{"ja", "en"} {
		if err := report.WriteText(&text, lang); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	nothingPersonal(t, text.String()+string(whole), issued)
	// Nothing that can change a card was sent, and nothing did.
	for _, apdu := range w.sent {
		if !probe.Harmless(apdu) || apdu[1] == 0x20 && len(apdu) != 4 {
			t.Errorf("it sent %X", apdu)
		}
	}
	if n := issued.Memory.Stores() - stores; n != 0 {
		t.Errorf("the card wrote its memory %d times", n)
	}
}

// nothingPersonal looks for what identifies the card or its holder, in plain and in hex.
func nothingPersonal(t *testing.T, report string, issued *cardtest.Issued) {
	t.Helper()
	report = strings.ToLower(report)
	for _, c := range issued.Certificates {
		for _, s := range []string{c.Subject.CommonName, c.SerialNumber.Text(16), c.SerialNumber.String(), c.NotAfter.Format("2006-01-02"), fmt.Sprintf("%x", c.Raw[300:320])} {
			if strings.Contains(report, strings.ToLower(s)) || strings.Contains(report, hex.EncodeToString([]byte(s))) {
				t.Errorf("the report says %q", s)
			}
		}
	}
	if strings.Contains(report, cardtest.Serial) {
		t.Error("the report says the card's serial number")
	}
}

func TestWhatAProbeNeverSends(t *testing.T) {
	for _, s := range []string{"002000800431323334", "0020008000", "00240180041234", "802C00800431323334", "80320080 0431323334", "80D6000001AA", "00D6000001AA",
		"802A00800131", "8046008000", "80820000", "00220000", "00E00000", "80E40000", "00200080 000004 31323334", "00", ""} {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if probe.Harmless(b) {
			t.Errorf("%s is called harmless", s)
		}
	}
}

// A card of another kind: everything is refused.
type foreign struct{ reader.Card }

func (foreign) Transmit(context.Context, []byte) ([]byte, error) { return []byte{0x6A, 0x82}, nil }

func TestAForeignCard(t *testing.T) {
	report, err := probe.Card(t.Context(), foreign{reader.Local(cardtest.Issue(t).Chip)})
	if err != nil || report.Token != nil || len(report.Certificates) > 0 || report.Applications[0].SW != "6A82" {
		t.Errorf("%+v %v", report, err)
	}
}

// raving answers with anything, to see that a probe ends and does not panic.
type raving struct {
	reader.Card
	n *int
}

func (r raving) Transmit(_ context.Context, apdu []byte) ([]byte, error) {
	*r.n++
	b := bytes.Repeat([]byte{byte(*r.n * 37), 0x30, 0x82, byte(*r.n)}, *r.n%70)
	if apdu[1] == 0xA4 || *r.n%3 > 0 {
		return append(b, 0x90, 0), nil
	}
	return b[:len(b)/2], nil
}

func TestARavingCard(t *testing.T) {
	n := 0
	report, err := probe.Card(t.Context(), raving{reader.Local(cardtest.Issue(t).Chip), &n})
	if err == nil && report == nil || n > 200_000 {
		t.Errorf("%d commands, %v", n, err)
	}
}
