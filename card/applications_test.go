package card_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

// selectAID is the command that selects an application.
func selectAID(aid string) string { return fmt.Sprintf("00A4040C%02X%X", len(aid), aid) }

// verifyEF selects an IEF and presents a PIN.
func verifyEF(fid string, pin jitsuin.PIN) string {
	return "00A4020C02" + fid + fmt.Sprintf(";00200080%02X%X", len(pin.Reveal()), pin.Reveal())
}

// play sends commands separated by semicolons and gives what the last one got.
func play(t *testing.T, chip *card.Chip, script string) (data, sw string) {
	t.Helper()
	for _, command := range strings.Split(script, ";") {
		data, sw = transmit(t, chip, command)
	}
	return data, sw
}

// Which secret opens which file, in every application: each secret is tried on each file.
func TestWhatOpensWhat(t *testing.T) {
	const pin, a, b, birth = "PIN", "A", "B", "birth"
	apps := []struct {
		name, aid string
		secrets   map[string]string // to its file
		files     map[string]string // to the secrets that open it, "free" for a free one
	}{
		{"text", card.AIDText, map[string]string{pin: "0011", a: "0014", b: "0015"}, map[string]string{
			"0001": pin + a, "0002": pin + b, "0003": pin + a + b, "0004": "free", "0005": "free", "0006": pin + a + b, "0007": pin + a + b, "0008": "free"}},
		{"visual", card.AIDVisual, map[string]string{birth: "0011", a: "0013", b: "0012"}, map[string]string{
			"0001": birth, "0002": a + b, "0003": "free", "0004": "free", "0005": a, "0006": a + b}},
		{"resident", card.AIDResident, map[string]string{pin: "001C"}, map[string]string{"0002": "free"}},
		{"common", card.AIDCommon, map[string]string{pin: "001C"}, map[string]string{"0002": "free"}},
	}
	value := map[string]jitsuin.PIN{pin: cardtest.AuthPIN, a: cardtest.NumberA, b: cardtest.NumberB, birth: cardtest.Birth}
	for _, numbers := range []bool{false, true} {
		chip := cardtest.Whole(t, "", card.Switches{VisualNeedsCheckNumber: numbers}).Chip
		for _, app := range apps {
			for file, opened := range app.files {
				if numbers && app.name == "visual" && (file == "0003" || file == "0004") {
					opened = a + b
				}
				read := ";00A4020C02" + file + ";00B0000000"
				for secret, at := range app.secrets {
					want := "6982"
					if opened == "free" || strings.Contains(opened, secret) {
						want = "9000"
					}
					if _, sw := play(t, chip, selectAID(app.aid)+";"+verifyEF(at, value[secret])+read); sw != want {
						t.Errorf("%s %s with %s: %s, want %s", app.name, file, secret, sw, want)
					}
					chip.Reset()
				}
				want := map[bool]string{true: "9000", false: "6982"}[opened == "free"]
				if _, sw := play(t, chip, selectAID(app.aid)+read); sw != want {
					t.Errorf("%s %s without a secret: %s, want %s", app.name, file, sw, want)
				}
				chip.Reset()
			}
		}
	}
}

// Status words of the applications beside JPKI; TestStatusWords has the rest.
func TestStatusWordsOfApplications(t *testing.T) {
	text, visual, common, resident := selectAID(card.AIDText), selectAID(card.AIDVisual), selectAID(card.AIDCommon), selectAID(card.AIDResident)
	number := verifyEF("0014", cardtest.NumberA)
	session := strings.Repeat("11", 256)
	for _, c := range []struct{ name, script, data, want string }{
		{"retry counters: PIN", text + ";00A4020C020011;00200080", "", "63C3"},
		{"check number A", text + ";00A4020C020014;00200080", "", "63CA"},
		{"a wrong check number", text + ";" + verifyEF("0014", "123456789012"), "", "63C9"},
		{"a check number of another length", text + ";" + verifyEF("0015", cardtest.NumberA), "", "63C9"},
		{"the file that is always blocked", text + ";00A4020C020012;00200080", "", "63C0"},
		{"and a try at it", text + ";" + verifyEF("0012", "1234"), "", "6984"},
		{"its own counters in each application", text + ";" + verifyEF("0014", "000000000000") + ";" + visual + ";00A4020C020013;00200080", "", "63CA"},
		{"a file of unknown use", text + ";00A4020C020010", "", "9000"},
		{"read", text + ";00A4020C020010;00B0000000", "", "6981"},

		{"security status ends with the application", text + ";" + number + ";" + visual + ";" + text + ";00B0810011", "", "6982"},
		{"My Number by short identifier", text + ";" + number + ";00B0810011", "0001", "9000"},

		{"record", common + ";00A4020C020001;00B2010400", "", "9000"},
		{"record by short identifier, as myna reads it", common + ";00B2010C00", "", "9000"},
		{"record that is not there", common + ";00B2020C00", "", "6A83"},
		{"record 0", common + ";00B2000C00", "", "6A83"},
		{"all records", common + ";00B2010D00", "", "6A81"},
		{"P2 of records", common + ";00B2010A00", "", "6A86"},
		{"a record in a small Le", common + ";00B2010C04", "", "6700"},
		{"a record without Le", common + ";00B2010C", "", "6700"},
		{"a record of a file without", common + ";00B2011400", "", "6981"},
		{"READ BINARY of records", common + ";00B0810000", "", "6981"},
		{"a record without current EF", common + ";00B2010400", "", "6986"},

		{"CHANGE KEY", common + ";" + verifyEF("001C", "1234") + ";8032008004" + ascii("5678"), "", "9000"},
		{"CHANGE KEY of the resident register's", resident + ";" + verifyEF("001C", "1234") + ";8032008004" + ascii("5678"), "", "9000"},
		{"CHANGE KEY without VERIFY", common + ";00A4020C02001C;8032008004" + ascii("5678"), "", "6982"},
		{"CHANGE KEY, P1", common + ";" + verifyEF("001C", "1234") + ";8032018004" + ascii("5678"), "", "6A86"},
		{"CHANGE REFERENCE DATA there", common + ";" + verifyEF("001C", "1234") + ";0024018004" + ascii("5678"), "", "6985"},
		{"CHANGE KEY where it is not used", text + ";" + verifyEF("0011", "1234") + ";8032008004" + ascii("5678"), "", "6985"},
		{"CHANGE REFERENCE DATA of the text application", text + ";" + verifyEF("0011", "1234") + ";0024018004" + ascii("5678"), "", "9000"},
		{"a check number is not changed", text + ";" + number + ";002401800C" + ascii("210987654321"), "", "6985"},

		{"INTERNAL AUTHENTICATE", common + ";0088009908" + "0102030405060708" + "00", "", "9000"},
		{"without challenge", common + ";0088009900", "", "6700"},
		{"P1 of INTERNAL AUTHENTICATE", common + ";0088019908010203040506070800", "", "6A86"},
		{"with a file that is no key", common + ";0088009C08010203040506070800", "", "6981"},
		{"with a key that signs", text + ";0088009308010203040506070800", "", "6981"},
		{"a signature by the key of INTERNAL AUTHENTICATE", common + ";802A029920" + strings.Repeat("22", 32) + "00", "", "6981"},
		{"own key of the text application, P2 00", text + ";802A020020" + strings.Repeat("22", 32) + "00", "", "9000"},
		{"own key of the visual application", visual + ";802A020020" + strings.Repeat("22", 32) + "00", "", "9000"},
		{"own key of the common application", common + ";802A020020" + strings.Repeat("22", 32) + "00", "", "6A86"},

		{"SET SESSION KEY without PIN", text + ";80AE0000000100" + session, "", "6982"},
		{"with rubbish", text + ";" + number + ";80AE0000000100" + session, "", "6A80"},
		{"too short", text + ";" + number + ";80AE000004 01020304", "", "6700"},
		{"P1 of it", text + ";" + number + ";80AE0100000100" + session, "", "6A86"},
		{"in the common application", common + ";80AE0000000100" + session, "", "66F1"},
		{"in the visual application", visual + ";80AE0000000100" + session, "", "66F1"},
		{"in the JPKI application", selectJPKI + ";80AE0000000100" + session, "", "6982"},
		{"in the resident register's", resident + ";80AE0000000100" + session, "", "6982"},
		{"SET PUBLIC IC KEY", selectJPKI + ";80A20000000133" + strings.Repeat("7F", 307), "", "6A86"},
		{"in short form", selectJPKI + ";80A2000004 7F210000", "", "6700"},
		{"the iPhone's last command", selectJPKI + ";80FC0000", "", "6700"},

		{"the contacts' ATR", "00CA5F5100", "e000ff8131fe4514", "9000"},
		{"in a small Le", "00CA5F5104", "", "6700"},
		{"without Le", "00CA5F51", "", "6700"},
		{"a data object that is not there", "00CA00F700", "", "6A88"},
		{"in another application", text + ";00CA5F5100", "", "6A88"},
		{"PUT DATA without terminal", "80DA004502 3030", "", "6982"},
		{"UPDATE RECORD without terminal", common + ";80DC010C02 3030", "", "6982"},
		{"UPDATE BINARY in whole without terminal", text + ";00A4020C020001;80D7000002 3030", "", "6982"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, sw := play(t, cardtest.Whole(t, "", card.Switches{}).Chip, c.script)
			if sw != c.want || c.data != "" && data != c.data {
				t.Errorf("%s answered %s %s, want %s %s", c.script, data, sw, c.data, c.want)
			}
		})
	}
}

// The next card's keys sign with P-384, and every profile says what it is.
func TestProfiles(t *testing.T) {
	for _, p := range card.Profiles {
		t.Run(p.Name, func(t *testing.T) {
			chip := cardtest.Whole(t, p.Name, card.Switches{}).Chip
			j, err := reader.SelectJPKI(t.Context(), reader.Local(chip))
			if err != nil {
				t.Fatal(err)
			}
			info, err := j.TokenInfo(t.Context())
			if err != nil || info.Label != p.Label || info.Model != p.Model {
				t.Errorf("token %+v, %v", info, err)
			}
			for aid, has := range map[string]bool{card.AIDText: p.Face && !p.Merged, card.AIDVisual: p.Face, card.AIDResident: p.Face && !p.Merged, card.AIDCommon: p.Face && !p.Merged} {
				if _, sw := transmit(t, chip, selectAID(aid)); (sw == "9000") != has {
					t.Errorf("application %X: %s", aid, sw)
				}
			}
			want := map[bool]string{true: "6982", false: "6B00"}[p.AuthCertNeedsPIN]
			if _, sw := play(t, chip, selectJPKI+";00B08A0004"); sw != want {
				t.Errorf("the authentication certificate: %s, want %s", sw, want)
			}
			want = map[bool]string{true: "9000", false: "6700"}[p.LastCommand]
			if _, sw := transmit(t, chip, "80FC0000"); sw != want {
				t.Errorf("the last command: %s, want %s", sw, want)
			}
		})
	}
	if _, err := card.New(&cardtest.Memory{}, card.Blank{Serial: cardtest.Serial, TerminalAuthority: &cardtest.Issue(t).Authority.PublicKey, Profile: "gold"}); jitsuin.CodeOf(err) != "card-profile" {
		t.Errorf("a profile that is not there: %v", err)
	}
}

func TestTheNextCardSigns(t *testing.T) {
	ctx := t.Context()
	issued := cardtest.Whole(t, card.ProfileNext, card.Switches{})
	j := session(t, issued.Chip)
	if err := j.Authenticate(ctx, issued.Production); err != nil {
		t.Fatal(err)
	}
	if _, err := issued.Reissue(ctx, j, jitsuin.AuthCert); err != nil {
		t.Fatal(err)
	}
	signer, err := j.Signer(ctx, jitsuin.AuthCert, cardtest.AuthPIN)
	if err != nil {
		t.Fatal(err)
	}
	digest := make([]byte, 48)
	if _, err := signer.Sign(nil, digest, crypto.SHA384); err != nil { // checked against the certificate
		t.Error(err)
	}
	if _, err := signer.Sign(nil, digest[:32], crypto.SHA256); jitsuin.CodeOf(err) != "digest-algorithm" {
		t.Errorf("SHA-256: %v", err)
	}
	for script, want := range map[string]string{
		"802A029720" + strings.Repeat("11", 32) + "00": "6700", "802A009730" + strings.Repeat("11", 48) + "00": "6A86",
		"802A049730" + strings.Repeat("11", 48) + "00": "6A86", "802A039703 616263 60": "9000", "802A039703 616263 5F": "6700",
	} {
		if _, sw := transmit(t, issued.Chip, script); sw != want {
			t.Errorf("%s: %s, want %s", script, sw, want)
		}
	}
}

// A copy of a card's files without its keys is known by the own keys; the card itself proves them.
func TestACopyIsKnown(t *testing.T) {
	ctx := t.Context()
	public := func(c *cardtest.Issued, aid string, file uint16) *rsa.PublicKey {
		app, err := reader.Select(ctx, reader.Local(c.Chip), aid)
		if err != nil {
			t.Fatal(err)
		}
		if err := app.Authenticate(ctx, c.Production); err != nil {
			t.Fatal(err)
		}
		key, err := app.PublicKey(ctx, file)
		if err != nil {
			t.Fatal(err)
		}
		return key.(*rsa.PublicKey)
	}
	real := cardtest.Whole(t, "", card.Switches{})
	common, text := public(real, card.AIDCommon, card.FileCommonKey), public(real, card.AIDText, card.FileTextKey)
	prove := func(chip *card.Chip) (byCommon, byText error) {
		app, err := reader.Select(ctx, reader.Local(chip), card.AIDCommon)
		if err != nil {
			t.Fatal(err)
		}
		byCommon = app.ProveCommon(ctx, common)
		if app, err = reader.Select(ctx, reader.Local(chip), card.AIDText); err != nil {
			t.Fatal(err)
		}
		return byCommon, app.ProveOwn(ctx, text)
	}
	if a, b := prove(real.Chip); a != nil || b != nil {
		t.Errorf("the card: %v, %v", a, b)
	}
	other, err := card.NewBatchKeys()
	if err != nil {
		t.Fatal(err)
	}
	blank := real.Blank()
	blank.Keys = other
	clone, err := card.New(&cardtest.Memory{}, blank)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := prove(clone); jitsuin.CodeOf(a) != "card-copied" || jitsuin.CodeOf(b) != "card-copied" {
		t.Errorf("the copy: %v, %v", a, b)
	}
	// The session key is taken when it is encrypted to the card.
	app, err := reader.Select(ctx, reader.Local(real.Chip), card.AIDText)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Authenticate(ctx, real.Production); err != nil {
		t.Fatal(err)
	}
	key, err := app.SessionKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.VerifyFile(ctx, card.FileTextPIN, cardtest.AuthPIN); err != nil {
		t.Fatal(err)
	}
	for template, want := range map[string]string{"\xA0\x22\x80\x20": "9000", "\xA0\x22\x81\x20": "6A80"} {
		sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key.(*rsa.PublicKey), append([]byte(template), make([]byte, 32)...), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, sw := transmit(t, real.Chip, "80AE0000000100"+hex.EncodeToString(sealed)); sw != want {
			t.Errorf("a session key in %X: %s, want %s", template, sw, want)
		}
	}
}

// Switches choose between what sources say.
func TestSwitches(t *testing.T) {
	for _, c := range []struct {
		name     string
		switches card.Switches
		script   string
		plain    string // the status word without the switch
		want     string
	}{
		{"tries of check numbers", card.Switches{CheckNumberTries: 5}, selectAID(card.AIDText) + ";00A4020C020014;00200080", "63CA", "63C5"},
		{"query of a blocked PIN", card.Switches{BlockedQuery: true}, selectAID(card.AIDText) + ";00A4020C020012;00200080", "63C0", "6984"},
		{"try at a blocked PIN", card.Switches{Blocked6983: true}, selectAID(card.AIDText) + ";" + verifyEF("0012", "1234"), "6984", "6983"},
		{"both", card.Switches{Blocked6983: true, BlockedQuery: true}, selectAID(card.AIDText) + ";00A4020C020012;00200080", "63C0", "6983"},
		{"query while verified", card.Switches{VerifiedQuery: true}, selectJPKI + ";" + verifyEF("0018", cardtest.AuthPIN) + ";00200080", "63C3", "9000"},
		{"at the end of a file", card.Switches{EmptyAtEnd: true}, selectJPKI + ";00A4020C020006;00B000A004", "6B00", "9000"},
		{"beyond the end", card.Switches{EmptyAtEnd: true}, selectJPKI + ";00A4020C020006;00B000A104", "6B00", "6B00"},
		{"selecting again", card.Switches{ReselectClears: true}, selectAID(card.AIDText) + ";" + verifyEF("0011", cardtest.AuthPIN) + ";" + selectAID(card.AIDText) + ";00B0810011", "9000", "6982"},
		{"the signature certificate", card.Switches{FreeSignCertificate: true}, selectJPKI + ";00B0810004", "6982", "6B00"},
		{"of which the signature key is no part", card.Switches{FreeSignCertificate: true}, selectJPKI + ";802A009A04 01020304 00", "6A88", "6A88"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, sw := play(t, cardtest.Whole(t, "", card.Switches{}).Chip, c.script); sw != c.plain {
				t.Errorf("without the switch: %s, want %s", sw, c.plain)
			}
			if _, sw := play(t, cardtest.Whole(t, "", c.switches).Chip, c.script); sw != c.want {
				t.Errorf("with the switch: %s, want %s", sw, c.want)
			}
		})
	}
	blank := cardtest.Issue(t).Blank()
	for _, n := range []int{-1, 16} {
		blank.Switches.CheckNumberTries = n
		if _, err := card.New(&cardtest.Memory{}, blank); jitsuin.CodeOf(err) != "card-switch" {
			t.Errorf("%d tries: %v", n, err)
		}
	}
}

// A terminal that compares the face uses the authentication key without a PIN, and nothing else.
func TestAFaceTerminalNeedsNoPIN(t *testing.T) {
	ctx := t.Context()
	issued := cardtest.Issue(t)
	terminal, err := issued.Terminal(card.RoleFace)
	if err != nil {
		t.Fatal(err)
	}
	j := session(t, issued.Chip)
	if err := j.Authenticate(ctx, terminal); err != nil {
		t.Fatal(err)
	}
	info := "3031300d060960864801650304020105000420" + strings.Repeat("5A", 32)
	for command, want := range map[string]string{
		"802A009733" + info + "00": "9000", "802A009A33" + info + "00": "6982", "00B0810004": "6982",
		"802C009804" + ascii("1234"): "6982", "80460097": "6982", "80D68A000430820100": "6982",
	} {
		if _, sw := transmit(t, issued.Chip, command); sw != want {
			t.Errorf("%s: %s, want %s", command, sw, want)
		}
	}
}

// What production writes stays, and what others write is refused.
func TestProductionWrites(t *testing.T) {
	ctx := t.Context()
	issued := cardtest.Whole(t, "", card.Switches{})
	app, err := reader.Select(ctx, reader.Local(issued.Chip), card.AIDText)
	if err != nil {
		t.Fatal(err)
	}
	long, short := bytes.Repeat([]byte{0xAB}, 700), []byte("short")
	for _, terminal := range []reader.Terminal{issued.Counter, issued.Production} {
		if err := app.Authenticate(ctx, terminal); err != nil {
			t.Fatal(err)
		}
		for _, content := range [][]byte{long, short} {
			if err := app.Replace(ctx, card.FileTextItems, content); err != nil {
				t.Fatal(err)
			}
			if err := app.VerifyFile(ctx, card.FileTextPIN, cardtest.AuthPIN); err != nil {
				t.Fatal(err)
			}
			if got, err := app.ReadFile(ctx, card.FileTextItems, 4096); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes were written, %d are there: %v", len(content), len(got), err)
			}
		}
		err := app.Replace(ctx, card.FileTextMyNumber, short)
		if byCounter := &terminal.Certificate[0] == &issued.Counter.Certificate[0]; (jitsuin.CodeOf(err) == "card-security-status") != byCounter || (err == nil) == byCounter {
			t.Errorf("My Number, by counter %v: %v", byCounter, err)
		}
		if err := app.Replace(ctx, card.FileTextItems, bytes.Repeat([]byte{1}, 1025)); jitsuin.CodeOf(err) != "card-data" {
			t.Errorf("too long: %v", err)
		}
	}
	domain, err := reader.Select(ctx, reader.Local(issued.Chip), card.AIDIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if err := domain.Authenticate(ctx, issued.Production); err != nil {
		t.Fatal(err)
	}
	for _, value := range [][]byte{long, short} {
		if err := domain.PutData(ctx, card.ObjectCVC, value); err != nil {
			t.Fatal(err)
		}
		if got, err := domain.GetData(ctx, card.ObjectCVC); err != nil || !bytes.Equal(got, value) {
			t.Errorf("a data object of %d bytes: %d, %v", len(value), len(got), err)
		}
	}
	if err := domain.PutData(ctx, card.ObjectCVC, make([]byte, 1025)); jitsuin.CodeOf(err) != "card-data" {
		t.Errorf("a data object too long: %v", err)
	}
	for tag := uint16(0x0100); ; tag++ {
		if err := domain.PutData(ctx, tag, short); err != nil {
			if jitsuin.CodeOf(err) != "card-data" || tag > 0x0110 {
				t.Errorf("object %X: %v", tag, err)
			}
			break
		}
	}
}

// A chip that an earlier version made goes on: PINs, certificates and keys.
func TestAnOlderImage(t *testing.T) {
	raw, err := os.ReadFile("testdata/image-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	memory := &cardtest.Memory{}
	if err := memory.Store(raw); err != nil {
		t.Fatal(err)
	}
	chip, err := card.Open(memory)
	if err != nil {
		t.Fatal(err)
	}
	j := session(t, chip)
	if err := j.ChangePIN(t.Context(), jitsuin.AuthCert, "1234", "5678"); err != nil {
		t.Error(err)
	}
	if chip, err = card.Open(memory); err != nil { // as it was stored again
		t.Fatal(err)
	}
	signer, err := session(t, chip).Signer(t.Context(), jitsuin.AuthCert, "5678")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Sign(nil, make([]byte, 32), crypto.SHA256); err != nil {
		t.Error(err)
	}
	if _, sw := transmit(t, chip, selectAID(card.AIDText)); sw != "6A82" {
		t.Errorf("an application that it never had: %s", sw)
	}
}
