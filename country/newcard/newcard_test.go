package newcard_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/country/newcard"
	"github.com/jitsuin/jitsuin/holder"
)

var (
	now  = time.Date(2026, 11, 26, 9, 0, 0, 0, jitsuin.JST)
	pins = map[jitsuin.CertKind]jitsuin.PIN{jitsuin.SignCert: "SAMPLE1", jitsuin.AuthCert: "1234"}
)

var batch *card.BatchKeys

func TestMain(m *testing.M) {
	var err error
	if batch, err = newcard.ShareKeys(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func order(t *testing.T, profile string) newcard.Order {
	t.Helper()
	p, err := card.ProfileNamed(profile)
	if err != nil {
		t.Fatal(err)
	}
	who, place, err := newcard.Invent(p, 7, jitsuin.DateOf(now))
	if err != nil {
		t.Fatal(err)
	}
	return newcard.Order{Dir: filepath.Join(t.TempDir(), "card"), Profile: profile, Person: who, Place: place, Now: now, PINs: pins, Keys: batch}
}

// Cards of many kinds are made, their certificates lint, and their keys sign.
func TestCardsOfManyKinds(t *testing.T) {
	for _, name := range []string{card.ProfileCard, card.ProfileInfant, card.ProfileOld, card.ProfileAndroid, card.ProfileNext} {
		p, err := card.ProfileNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			o := order(t, p.Name)
			made, err := newcard.Make(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if len(made.Certificates) != len(p.Kinds) {
				t.Errorf("%d certificates", len(made.Certificates))
			}
			for kind, c := range made.Certificates {
				if is, ok := cert.KindOf(c); !ok || is != kind || !slices.Contains(p.Kinds, kind) {
					t.Errorf("%s is %s", kind, is)
				}
				if findings, err := cert.Lint(c.Raw, cert.Profile(kind)); err != nil || len(findings) > 0 {
					t.Errorf("%s: %v %v", kind, findings, err)
				}
			}
			if _, err := newcard.Make(t.Context(), o); jitsuin.CodeOf(err) != "chip-exists" {
				t.Errorf("a second time: %v", err)
			}
			use(t, o.Dir, p, made.Certificates)
		})
	}
}

// use does with the card what its kind can.
func use(t *testing.T, dir string, p card.Profile, certificates map[jitsuin.CertKind]*x509.Certificate) {
	ctx := t.Context()
	cards := holder.CardsIn(t.TempDir())
	c, err := cards.Open(ctx, dir)
	if p.Name == card.ProfileOld {
		if jitsuin.CodeOf(err) != "card-old" {
			t.Errorf("%v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	status, err := c.Status(ctx)
	c.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range status.Keys {
		if k.Certificate != (certificates[k.Kind] != nil) || p.PIN && k.Certificate && k.TriesLeft == 0 {
			t.Errorf("%+v", k)
		}
	}
	if !p.PIN {
		return
	}
	channel, err := cards.Channel(ctx, holder.Place{Folder: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer channel.Close()
	j, err := reader.SelectJPKI(ctx, channel)
	if err != nil {
		t.Fatal(err)
	}
	hash, digest := crypto.SHA256, make([]byte, 32)
	if p.Algorithm == card.P384 {
		hash, digest = crypto.SHA384, make([]byte, 48)
	}
	for kind, c := range certificates {
		s, err := j.Signer(ctx, kind, pins[kind])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sign(nil, digest, hash); err != nil { // checks the signature against the certificate
			t.Errorf("%s: %v", kind, err)
		}
		if string(s.Certificate()) != string(c.Raw) {
			t.Errorf("%s: another certificate", kind)
		}
	}
}

// What stands on the face stands in the chip: read with PIN and check numbers, and the signatures hold.
func TestTheFaceIsInTheChip(t *testing.T) {
	o := order(t, card.ProfileChild)
	var trace strings.Builder
	o.Wrap = func(c reader.Card) reader.Card { return explain.Trace(c, &trace, "en") }
	if _, err := newcard.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	number12 := o.Person.MyNumber.Reveal()
	for _, secret := range []string{number12, fmt.Sprintf("%X", number12), fmt.Sprintf("%X", "1234") + "\n"} {
		if strings.Contains(trace.String(), secret) {
			t.Error("the trace of the making has My Number or a PIN in it")
		}
	}
	if !strings.Contains(trace.String(), "# Write as a whole: My Number\n> 80D70000 ***") {
		t.Error("the trace does not tell of the writing")
	}
	var printed struct {
		Expiry       string
		SecurityCode string `json:"security_code"`
		Authority    string `json:"face_authority"`
	}
	b, err := os.ReadFile(filepath.Join(o.Dir, "printed.json"))
	if err == nil {
		err = json.Unmarshal(b, &printed)
	}
	if err != nil || strings.Contains(string(b), o.Person.MyNumber.Reveal()) {
		t.Fatalf("%v %s", err, b)
	}
	n, _ := new(big.Int).SetString(printed.Authority, 16)
	anchor := contents.Anchor{ID: contents.NewKeyID('A', "00000001"), Key: &rsa.PublicKey{N: n, E: 65537}}
	channel, err := holder.CardsIn(t.TempDir()).Channel(t.Context(), holder.Place{Folder: o.Dir})
	if err != nil {
		t.Fatal(err)
	}
	defer channel.Close()
	read := func(a *reader.Application, id uint16) []byte {
		t.Helper()
		b, err := a.ReadFile(t.Context(), id, 0x7000)
		if err != nil {
			t.Fatalf("%04X: %v", id, err)
		}
		return b
	}
	published, err := os.ReadFile(filepath.Join(o.Dir, "anchors", "face.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := contents.ParseAnchor(published); err != nil || got.ID != anchor.ID || !got.Key.Equal(anchor.Key) {
		t.Errorf("the anchor in the folder: %v", err)
	}
	text, err := reader.Select(t.Context(), channel, card.AIDText)
	if err == nil {
		err = text.VerifyFile(t.Context(), card.FileTextPIN, pins[jitsuin.AuthCert])
	}
	if err != nil {
		t.Fatal(err)
	}
	number, items, cvc := read(text, card.FileTextMyNumber), read(text, card.FileTextItems), read(text, card.FileTextCVC)
	if err := anchor.VerifyText(number, items, read(text, card.FileTextAuthentic), cvc); err != nil {
		t.Error(err)
	}
	if got, err := contents.ParseItems(items); err != nil || got != o.Person.Items {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := contents.ParseMyNumber(number); err != nil || got != o.Person.MyNumber {
		t.Error("another My Number", err)
	}
	visual, err := reader.Select(t.Context(), channel, card.AIDVisual)
	if err != nil {
		t.Fatal(err)
	}
	var expiry jitsuin.Date
	if err := expiry.UnmarshalText([]byte(printed.Expiry)); err != nil {
		t.Fatal(err)
	}
	numberB, err := contents.NumberB(o.Person.Items.BirthDate, expiry, printed.SecurityCode)
	if err == nil {
		err = visual.VerifyFile(t.Context(), card.FileVisualB, numberB)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := anchor.VerifyFace(read(visual, card.FileVisualFace), read(visual, card.FileVisualCVC))
	if err != nil || f.BirthDate != o.Person.Items.BirthDate || len(f.Photo) == 0 || f.Expiry != expiry {
		t.Errorf("%v %v %d", err, f.Expiry, len(f.Photo))
	}
	if _, err := visual.ReadFile(t.Context(), card.FileVisualMyNumber, 100); jitsuin.CodeOf(err) != "card-security-status" {
		t.Errorf("the picture of My Number with check number B: %v", err)
	}
	common, err := reader.Select(t.Context(), channel, card.AIDCommon)
	if err != nil {
		t.Fatal(err)
	}
	record, err := common.ReadRecord(t.Context(), card.FileCommonNumber, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := contents.ParseCardNumber(record); err != nil || c.Municipality != o.Person.Municipality || c.Expiry != expiry {
		t.Errorf("%+v %v", c, err)
	}
}

func TestAPINThatIsBlockedIsSetAgain(t *testing.T) {
	o := order(t, card.ProfileChild)
	if _, err := newcard.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	channel, err := holder.CardsIn(t.TempDir()).Channel(t.Context(), holder.Place{Folder: o.Dir})
	if err != nil {
		t.Fatal(err)
	}
	defer channel.Close()
	j, err := reader.SelectJPKI(t.Context(), channel)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err = j.Verify(t.Context(), jitsuin.AuthCert, "9999")
	}
	if jitsuin.CodeOf(err) != "pin-blocked" {
		t.Fatal(err)
	}
	terminal, err := newcard.TerminalOf(o.Dir)
	if err == nil {
		err = newcard.SetPIN(t.Context(), channel, terminal, jitsuin.AuthCert, "4321")
	}
	if err == nil {
		err = j.Verify(t.Context(), jitsuin.AuthCert, "4321")
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := newcard.TerminalOf(t.TempDir()); jitsuin.CodeOf(err) != "terminal-missing" {
		t.Errorf("%v", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	wrong := order(t, card.ProfileCard)
	wrong.PINs = map[jitsuin.CertKind]jitsuin.PIN{jitsuin.SignCert: "ABCDEF", jitsuin.AuthCert: "1234"}
	child := order(t, card.ProfileChild)
	child.Profile = card.ProfileCard
	unknown := order(t, card.ProfileCard)
	unknown.Profile = "paper"
	for code, o := range map[string]newcard.Order{"pin-form": wrong, "card-person": child, "card-profile": unknown} {
		if _, err := newcard.Make(t.Context(), o); jitsuin.CodeOf(err) != code {
			t.Errorf("%s: %v", code, err)
		}
		if left, _ := filepath.Glob(o.Dir + "*"); len(left) > 0 {
			t.Errorf("%s leaves %v", code, left)
		}
	}
}
