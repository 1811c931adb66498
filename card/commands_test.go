package card_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

// transmit sends a command in hex and gives data and status word in hex.
func transmit(t failer, chip *card.Chip, command string) (data, sw string) {
	t.Helper()
	apdu, err := hex.DecodeString(strings.ReplaceAll(command, " ", ""))
	if err != nil {
		t.Fatalf("test APDU %q: %v", command, err)
	}
	body, word, ok := card.SplitResponse(chip.Transmit(apdu))
	if !ok {
		t.Fatalf("%s: no status word", command)
	}
	return hex.EncodeToString(body), word.String()
}

func ascii(s string) string { return hex.EncodeToString([]byte(s)) }

const (
	selectJPKI = "00A4040C0A D392F000260100000001"
	selectISD  = "00A4040C08 A000000151000000"
)

// Every line is a command and the status word that it must get, in a session of its own after
// the commands before "|".
func TestStatusWords(t *testing.T) {
	sel := func(fid string) string { return "00A4020C02" + fid }
	authOK := sel("0018") + " ; 0020008004" + ascii("1234")
	signOK := sel("001B") + " ; 0020008006" + ascii("ABC123")
	info := "3031300d060960864801650304020105000420" + strings.Repeat("5A", 32)
	for _, c := range []struct{ name, before, command, want string }{
		// Form of a command.
		{"empty", "", "", "6700"},
		{"three bytes", "", "00A404", "6700"},
		{"Lc beyond the end", selectJPKI, "00A4020C03 0018", "6700"},
		{"bytes left over", selectJPKI, "00A4020C02 0018 00 00", "6700"},
		{"extended Lc zero", selectJPKI, "00A4020C 000000 00 00", "6700"},
		{"zero Lc and one byte", selectJPKI, "00A4020C 00 00", "6700"},
		{"extended SELECT", selectJPKI, "00A4020C 000002 0018", "9000"},
		{"logical channel 1", "", "01A4040C0A D392F000260100000001", "6881"},
		{"logical channel of our class", "", "83A4040C0A D392F000260100000001", "6881"},
		{"secure messaging", "", "0CA4040C0A D392F000260100000001", "6882"},
		{"chaining", "", "10A4040C0A D392F000260100000001", "6E00"},
		{"unknown class", "", "FFA4040C0A D392F000260100000001", "6E00"},
		{"unknown instruction", selectJPKI, "0012000005", "6D00"},
		{"data object that OpenSC's setcos driver looks for", "", "00CADF3005", "6A88"},
		{"unknown instruction of our class", selectJPKI, "80F40000", "6D00"},
		{"our instruction in the common class", selectJPKI, "002C008004" + ascii("1234"), "6D00"},
		{"common instruction in our class", selectJPKI, "80B0000004", "6D00"},

		// SELECT.
		{"application", "", selectJPKI, "9000"},
		{"beginning of its name", "", "00A4040C05 D392F00026", "9000"},
		{"one byte of its name", "", "00A4040C01 D3", "9000"},
		{"name longer than the application's", "", "00A4040C0B D392F00026010000000100", "6A82"},
		{"next occurrence", "", "00A404020A D392F000260100000001", "6A82"},
		{"foreign application", "", "00A4040007 6276 01FF000000", "6A82"},
		{"text application", "", "00A4040C0A D3921000310001010408", "9000"},
		{"no name", "", "00A4040C", "6700"},
		{"name of 17 bytes", "", "00A4040C11 D392F000260100000001 00000000000000", "6700"},
		{"issuer domain", "", selectISD, "9000"},
		{"seven bytes of the issuer domain", "", "00A4040C07 A0000001510000", "9000"},
		{"P1 unknown", "", "00A4080C02 3F00", "6A86"},
		{"P2 unknown", "", "00A404010A D392F000260100000001", "6A86"},
		{"P2 asks for FCP", "", "00A404040A D392F000260100000001", "6A86"},
		{"no master file after reset", "", "00A40000", "6A86"},
		{"nothing happens with an application", selectJPKI, "00A40000", "9000"},
		{"master file by identifier", "", "00A4000C023F00", "6A82"},
		{"EF.DIR", "", sel("2F00"), "6A82"},
		{"EF before any application", "", sel("0018"), "6A82"},
		{"EF 001E of the issuer domain", "", sel("001E"), "9000"},
		{"reading it", sel("001E"), "00B0000000", "6981"},
		{"PIN file", selectJPKI, sel("0018"), "9000"},
		{"file that does not exist", selectJPKI, sel("0003"), "6A82"},
		{"identifier of one byte", selectJPKI, "00A4020C0118", "6700"},

		// READ BINARY.
		{"no current EF", selectJPKI, "00B0000004", "6986"},
		{"no current EF after selecting the application again", selectJPKI + ";" + sel("000A") + ";" + selectJPKI, "00B0000004", "6986"},
		{"authentication certificate", selectJPKI + ";" + sel("000A"), "00B0000004", "9000"},
		{"the same by short identifier", selectJPKI, "00B08A0004", "9000"},
		{"short identifier is current afterwards", selectJPKI + "; 00B08A0004", "00B0000404", "9000"},
		{"short identifier not there", selectJPKI, "00B0830004", "6A82"},
		{"P1 with reserved bits", selectJPKI, "00B0EA0004", "6A86"},
		{"signature certificate without password", selectJPKI + ";" + sel("0001"), "00B0000004", "6982"},
		{"the same by short identifier, refused", selectJPKI, "00B0810004", "6982"},
		{"with the other PIN", selectJPKI + ";" + authOK + ";" + sel("0001"), "00B0000004", "6982"},
		{"with its password", selectJPKI + ";" + signOK + ";" + sel("0001"), "00B0000004", "9000"},
		{"at the end", selectJPKI + ";" + sel("0006"), "00B000A004", "6B00"},
		{"last byte", selectJPKI + ";" + sel("0006"), "00B0009F00", "9000"},
		{"far beyond", selectJPKI + ";" + sel("0006"), "00B07FFF00", "6B00"},
		{"PIN file, read", selectJPKI + ";" + authOK, "00B0000000", "6981"},
		{"key file, read", selectJPKI + ";" + authOK + ";" + sel("0017"), "00B0000000", "6981"},
		{"key file by short identifier", selectJPKI + ";" + authOK, "00B0970000", "6981"},
		{"without Le", selectJPKI + ";" + sel("0006"), "00B00000", "6700"},
		{"with data", selectJPKI + ";" + sel("0006"), "00B000000101 00", "6700"},

		// VERIFY and its query.
		{"query", selectJPKI + ";" + sel("0018"), "00200080", "63C3"},
		{"query of the password", selectJPKI + ";" + sel("001B"), "00200080", "63C5"},
		{"query when verified", selectJPKI + ";" + authOK, "00200080", "63C3"},
		{"query by short identifier", selectJPKI, "0020009B", "63C5"},
		{"query without EF", selectJPKI, "00200080", "6986"},
		{"query of a certificate", selectJPKI + ";" + sel("000A"), "00200080", "6981"},
		{"P1 of VERIFY", selectJPKI + ";" + sel("0018"), "00200180", "6A86"},
		{"P2 of VERIFY", selectJPKI + ";" + sel("0018"), "0020000004" + ascii("1234"), "6A86"},
		{"right", selectJPKI + ";" + sel("0018"), "0020008004" + ascii("1234"), "9000"},
		{"right by short identifier", selectJPKI, "0020009804" + ascii("1234"), "9000"},
		{"wrong", selectJPKI + ";" + sel("0018"), "0020008004" + ascii("1235"), "63C2"},
		{"right with a byte more", selectJPKI + ";" + sel("0018"), "0020008005" + ascii("12340"), "63C2"},
		{"lower case is another password", selectJPKI + ";" + sel("001B"), "0020008006" + ascii("abc123"), "63C4"},

		// CHANGE REFERENCE DATA.
		{"change without VERIFY", selectJPKI + ";" + sel("0018"), "0024018004" + ascii("5678"), "6982"},
		{"change after VERIFY", selectJPKI + ";" + authOK, "0024018004" + ascii("5678"), "9000"},
		{"change after a wrong try", selectJPKI + ";" + authOK + "; 002000800439393939", "0024018004" + ascii("5678"), "6982"},
		{"P1 00 of change", selectJPKI + ";" + authOK, "0024008004" + ascii("5678"), "6A86"},
		{"change without data", selectJPKI + ";" + authOK, "00240180", "6700"},
		{"five digits", selectJPKI + ";" + authOK, "0024018005" + ascii("56789"), "6A80"},
		{"letters", selectJPKI + ";" + authOK, "0024018004" + ascii("567A"), "6A80"},
		{"password in lower case", selectJPKI + ";" + signOK, "0024018006" + ascii("abc124"), "6A80"},
		{"password of five", selectJPKI + ";" + signOK, "0024018005" + ascii("ABC12"), "6A80"},
		{"password of sixteen", selectJPKI + ";" + signOK, "0024018010" + ascii("ABC1234567890XYZ"), "9000"},
		{"password of seventeen", selectJPKI + ";" + signOK, "0024018011" + ascii("ABC1234567890XYZ1"), "6A80"},

		// COMPUTE DIGITAL SIGNATURE.
		{"sign without PIN", selectJPKI + ";" + sel("0017"), "802A008033" + info + "00", "6982"},
		{"sign", selectJPKI + ";" + authOK + ";" + sel("0017"), "802A008033" + info + "00", "9000"},
		{"sign by short identifier", selectJPKI + ";" + authOK, "802A009733" + info + "00", "9000"},
		{"other key with this PIN", selectJPKI + ";" + authOK + ";" + sel("001A"), "802A008033" + info + "00", "6982"},
		{"signature key", selectJPKI + ";" + signOK + ";" + sel("001A"), "802A008033" + info + "00", "9000"},
		{"after selecting the application again", selectJPKI + ";" + authOK + ";" + selectJPKI, "802A009733" + info + "00", "9000"},
		{"after another application", selectJPKI + ";" + authOK + ";" + selectISD + ";" + selectJPKI, "802A009733" + info + "00", "6982"},
		{"after an application that is not there", selectJPKI + ";" + authOK + ";00A4040C0F D2330000004573744549442076333530", "802A009733" + info + "00", "9000"},
		{"after a wrong try", selectJPKI + ";" + authOK + ";002000800439393939", "802A009733" + info + "00", "6982"},
		{"P1 06", selectJPKI + ";" + authOK, "802A069733" + info + "00", "6A86"},
		{"no key of the application's own", selectJPKI + ";" + authOK, "802A000033" + info + "00", "6A86"},
		{"PIN file as key", selectJPKI + ";" + authOK, "802A009833" + info + "00", "6981"},
		{"no data", selectJPKI + ";" + authOK, "802A009700", "6700"},
		{"no Le", selectJPKI + ";" + authOK, "802A009733" + info, "6700"},
		{"small Le", selectJPKI + ";" + authOK, "802A009733" + info + "80", "6700"},
		{"245 bytes", selectJPKI + ";" + authOK, "802A0097F5" + strings.Repeat("11", 245) + "00", "9000"},
		{"246 bytes", selectJPKI + ";" + authOK, "802A0097F6" + strings.Repeat("11", 246) + "00", "6700"},
		{"digest of 31 bytes", selectJPKI + ";" + authOK, "802A02971F" + strings.Repeat("11", 31) + "00", "6700"},
		{"PSS digest of 33 bytes", selectJPKI + ";" + authOK, "802A049721" + strings.Repeat("11", 33) + "00", "6700"},
		{"extended: 1000 bytes to hash", selectJPKI + ";" + authOK, "802A0397 0003E8" + strings.Repeat("22", 1000) + "0000", "9000"},

		// GET CHALLENGE and terminals.
		{"challenge before any application", "", "0084000008", "9000"},
		{"challenge of 256", "", "0084000000", "9000"},
		{"challenge without Le", "", "00840000", "6700"},
		{"challenge, extended", "", "00840000 000010", "6985"},
		{"challenge, P1", "", "0084010008", "6A86"},
		{"authenticate without challenge", selectJPKI, "80820000C3" + strings.Repeat("00", 195), "6985"},
		{"authenticate with rubbish", selectJPKI + ";0084000010", "80820000C3" + strings.Repeat("01", 195), "6300"},
		{"authenticate after a short challenge", selectJPKI + ";008400000F", "80820000C3" + strings.Repeat("01", 195), "6985"},
		{"authenticate too short", selectJPKI + ";0084000010", "80820000C2" + strings.Repeat("01", 194), "6700"},
		{"generate without terminal", selectJPKI, "80460097", "6982"},
		{"public key without terminal", selectJPKI, "80460197020000 00", "6982"},
		{"update without terminal", selectJPKI, "80D68A000430820100", "6982"},
		{"reset counter without terminal", selectJPKI, "802C009804" + ascii("1234"), "6982"},
		{"reset counter with the PIN instead", selectJPKI + ";" + authOK, "802C009804" + ascii("1234"), "6982"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chip := cardtest.Issue(t).Chip
			if c.before != "" {
				for _, command := range strings.Split(c.before, ";") {
					transmit(t, chip, command)
				}
			}
			if _, got := transmit(t, chip, c.command); got != c.want {
				t.Errorf("%s answered %s, want %s", c.command, got, c.want)
			}
		})
	}
}

// A chip before production: everything is there and empty, nothing can be verified.
func TestBlankChip(t *testing.T) {
	chip, err := card.New(&cardtest.Memory{}, cardtest.Issue(t).Blank())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ command, data, sw string }{
		{selectJPKI, "", "9000"},
		{"00B0880000", "000000", "9000"},
		{"00B08A0004", "", "6B00"},
		{"00B0810004", "", "6982"},
		{"00200098", "", "63C0"},
		{"0020009804" + ascii("1234"), "", "6984"},
		{"0020009B06" + ascii("ABC123"), "", "6984"},
		{"802A009704 01020304 00", "", "6A88"},
		{"00B0860020", hex.EncodeToString([]byte("JPKIAPICCTOKEN2                 ")), "9000"},
	} {
		if data, sw := transmit(t, chip, c.command); data != c.data || sw != c.sw {
			t.Errorf("%s answered %s %s, want %s %s", c.command, data, sw, c.data, c.sw)
		}
	}
}

func TestTokenInfoAndPresence(t *testing.T) {
	chip := cardtest.Issue(t).Chip
	transmit(t, chip, selectJPKI)
	data, _ := transmit(t, chip, "00B0860000")
	raw, _ := hex.DecodeString(data)
	if len(raw) != 160 || !bytes.HasPrefix(raw[80:], []byte(cardtest.Serial)) ||
		!bytes.Equal(raw[96:100], []byte{0, 0, 4, 0x0D}) || string(raw[140:]) != "0301"+strings.Repeat("9", 16) {
		t.Errorf("EF 0006 = %s", data)
	}
	if data, _ := transmit(t, chip, "00B0880000"); data != "8f8f00" {
		t.Errorf("EF 0008 = %s", data)
	}
}

func TestFileControlInformation(t *testing.T) {
	chip := cardtest.Issue(t).Chip
	if data, sw := transmit(t, chip, "00A404000A D392F000260100000001 00"); data != "6f0c840ad392f000260100000001" || sw != "9000" {
		t.Errorf("application: %s %s", data, sw)
	}
	if data, sw := transmit(t, chip, "00A4020002 000A 00"); data != "6f048302000a" || sw != "9000" {
		t.Errorf("EF: %s %s", data, sw)
	}
	if data, sw := transmit(t, chip, "00A4020C02 000A 00"); data != "" || sw != "9000" {
		t.Errorf("EF without information: %s %s", data, sw)
	}
}

func TestPowerAndReset(t *testing.T) {
	chip := cardtest.Issue(t).Chip
	login := func() {
		transmit(t, chip, selectJPKI)
		if _, sw := transmit(t, chip, "0020009804"+ascii("1234")); sw != "9000" {
			t.Fatalf("VERIFY: %s", sw)
		}
	}
	login()
	chip.Reset()
	if _, sw := transmit(t, chip, "00200098"); sw != "6A82" {
		t.Errorf("after a reset the JPKI application is still selected: %s", sw)
	}
	login()
	chip.Power(false)
	if _, sw := transmit(t, chip, "00200098"); sw != "6F00" {
		t.Errorf("without power: %s", sw)
	}
	chip.Power(true)
	transmit(t, chip, selectJPKI)
	if _, sw := transmit(t, chip, "802A009704 01020304 00"); sw != "6982" {
		t.Errorf("after power off and on the PIN still counts: %s", sw)
	}
	if hex.EncodeToString(chip.ATR()) != "3be000ff8131fe4514" {
		t.Errorf("ATR %x", chip.ATR())
	}
}

func TestBlockedPIN(t *testing.T) {
	chip := cardtest.Issue(t).Chip
	transmit(t, chip, selectJPKI)
	wrong, right := "0020009804"+ascii("0000"), "0020009804"+ascii("1234")
	for _, c := range []struct{ command, sw string }{
		{wrong, "63C2"}, {wrong, "63C1"}, {right, "9000"}, {"00200098", "63C3"},
		{wrong, "63C2"}, {wrong, "63C1"}, {wrong, "63C0"}, {right, "6984"}, {"00200098", "63C0"},
		{"0024019804" + ascii("5678"), "6982"}, {"0020009B06" + ascii("ABC123"), "9000"},
	} {
		if _, sw := transmit(t, chip, c.command); sw != c.sw {
			t.Fatalf("%s answered %s, want %s", c.command, sw, c.sw)
		}
	}
}

// failer is the part of testing.TB that transmit needs; rapid.T has it too.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}
