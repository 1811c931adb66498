package card_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

// met is one status word of one command, as a client meets it: what is sent before, on a card with some switches.
type met struct {
	command  string
	sw       string
	script   string // the last command gets sw
	switches card.Switches
	profile  string
}

const (
	selectText   = "00A4040C0A" + "D3921000310001010408"
	selectVisual = "00A4040C0A" + "D3921000310001010402"
	selectCommon = "00A4040C0A" + "D3921000310001010100"
	selectHome   = "00A4040C0A" + "D3921000310001010401"
)

// everyWord is the command table: each command of a client with each status word that it can meet.
var everyWord = []met{
	{command: "SELECT DF", sw: "9000", script: selectJPKI},
	{command: "SELECT DF", sw: "6A82", script: "00A4040C05 A000000003"},
	{command: "SELECT DF", sw: "6A86", script: "00A40000"},
	{command: "SELECT DF", sw: "6700", script: "00A4040C"},
	{command: "SELECT EF", sw: "9000", script: selectJPKI + ";00A4020C02000A"},
	{command: "SELECT EF", sw: "6A82", script: selectJPKI + ";00A4020C020003"},
	{command: "READ BINARY", sw: "9000", script: selectJPKI + ";00A4020C020006;00B0000000"},
	{command: "READ BINARY", sw: "6B00", script: selectJPKI + ";00A4020C020006;00B000A000"},
	{command: "READ BINARY", sw: "6982", script: selectJPKI + ";00A4020C020001;00B0000000"},
	{command: "READ BINARY", sw: "6986", script: selectJPKI + ";00B0000000"},
	{command: "READ BINARY", sw: "6981", script: selectJPKI + ";00A4020C020018;00B0000000"},
	{command: "READ BINARY", sw: "6981", script: selectCommon + ";00A4020C020001;00B0000000"},
	{command: "READ RECORD", sw: "9000", script: selectCommon + ";00B2010C00"},
	{command: "READ RECORD", sw: "6A83", script: selectCommon + ";00B2020C00"},
	{command: "READ RECORD", sw: "6A81", script: selectCommon + ";00B2010D00"},
	{command: "READ RECORD", sw: "6981", script: selectCommon + ";00B2011400"},
	{command: "VERIFY", sw: "9000", script: selectJPKI + ";00A4020C020018;0020008004" + "31323334"},
	{command: "VERIFY", sw: "63C2", script: selectJPKI + ";00A4020C020018;0020008004" + "30303030"},
	{command: "VERIFY", sw: "63C9", script: selectText + ";002000940C" + "303030303030303030303030"},
	{command: "VERIFY", sw: "63C0", script: selectJPKI + ";" + strings.Repeat("002000980430303030;", 2) + "002000980430303030"},
	{command: "VERIFY", sw: "6984", script: selectJPKI + ";" + strings.Repeat("002000980430303030;", 3) + "002000980431323334"},
	{command: "VERIFY", sw: "6983", script: selectJPKI + ";" + strings.Repeat("002000980430303030;", 3) + "002000980431323334", switches: card.Switches{Blocked6983: true}},
	{command: "VERIFY", sw: "6984", script: selectText + ";0020009204" + "31323334"}, // 0012, always blocked
	{command: "VERIFY", sw: "6986", script: selectJPKI + ";002000800431323334"},
	{command: "VERIFY", sw: "6981", script: selectJPKI + ";0020008A0431323334"},
	{command: "query", sw: "63C3", script: selectJPKI + ";00A4020C020018;00200080"},
	{command: "query", sw: "63C5", script: selectJPKI + ";00A4020C02001B;00200080"},
	{command: "query", sw: "63CA", script: selectVisual + ";00200093"},
	{command: "query", sw: "63C0", script: selectText + ";00200092"},
	{command: "query", sw: "6984", script: selectText + ";00200092", switches: card.Switches{BlockedQuery: true}},
	{command: "query", sw: "9000", script: selectJPKI + ";002000980431323334;00200098", switches: card.Switches{VerifiedQuery: true}},
	{command: "CHANGE REFERENCE DATA", sw: "9000", script: selectJPKI + ";002000980431323334;002401980435363738"},
	{command: "CHANGE REFERENCE DATA", sw: "6982", script: selectJPKI + ";002401980435363738"},
	{command: "CHANGE REFERENCE DATA", sw: "6A80", script: selectJPKI + ";002000980431323334;00240198053536373839"},
	{command: "CHANGE REFERENCE DATA", sw: "6985", script: selectText + ";002401940C" + "303030303030303030303030"},
	{command: "CHANGE KEY", sw: "9000", script: selectHome + ";0020009C0431323334;8032009C0435363738"},
	{command: "CHANGE KEY", sw: "6982", script: selectHome + ";8032009C0435363738"},
	{command: "COMPUTE DIGITAL SIGNATURE", sw: "9000", script: selectJPKI + ";002000980431323334;802A0097040102030400"},
	{command: "COMPUTE DIGITAL SIGNATURE", sw: "9000", script: selectText + ";802A0000040102030400"},
	{command: "COMPUTE DIGITAL SIGNATURE", sw: "6982", script: selectJPKI + ";802A0097040102030400"},
	{command: "COMPUTE DIGITAL SIGNATURE", sw: "6A86", script: selectJPKI + ";002000980431323334;802A0697040102030400"},
	{command: "COMPUTE DIGITAL SIGNATURE", sw: "6700", script: selectJPKI + ";002000980431323334;802A0297040102030400"},
	{command: "COMPUTE DIGITAL SIGNATURE", sw: "6981", script: selectCommon + ";802A0099040102030400"},
	{command: "COMPUTE DIGITAL SIGNATURE", sw: "6A88", script: selectJPKI + ";002000980431323334;802A0097040102030400", profile: "blank"},
	{command: "GET CHALLENGE", sw: "9000", script: "0084000008"},
	{command: "GET CHALLENGE", sw: "6985", script: "00840000000010"},
	{command: "INTERNAL AUTHENTICATE", sw: "9000", script: selectCommon + ";00880099040102030400"},
	{command: "INTERNAL AUTHENTICATE", sw: "6981", script: selectJPKI + ";00880097040102030400"},
	{command: "GET DATA", sw: "9000", script: "00CA5F5100"},
	{command: "GET DATA", sw: "6A88", script: "00CADF3000"},
	{command: "GET DATA", sw: "6700", script: "00CA5F5104"},
	{command: "SET PUBLIC IC KEY", sw: "6A86", script: selectJPKI + ";80A20000000133" + strings.Repeat("00", 307)},
	{command: "SET PUBLIC IC KEY", sw: "6700", script: selectJPKI + ";80A20000040102030400"},
	{command: "SET SESSION KEY", sw: "6982", script: selectText + ";80AE0000000100" + strings.Repeat("00", 256)},
	{command: "SET SESSION KEY", sw: "6982", script: selectJPKI + ";80AE0000000100" + strings.Repeat("00", 256)},
	{command: "SET SESSION KEY", sw: "66F1", script: selectCommon + ";80AE0000000100" + strings.Repeat("00", 256)},
	{command: "SET SESSION KEY", sw: "66F1", script: selectVisual + ";80AE0000000100" + strings.Repeat("00", 256)},
	{command: "SET SESSION KEY", sw: "6A80", script: selectText + ";002000910431323334;80AE0000000100" + strings.Repeat("00", 256)},
	{command: "80 FC", sw: "6700", script: selectJPKI + ";80FC0000"},
	{command: "80 FC", sw: "9000", script: selectJPKI + ";80FC0000", profile: card.ProfileIPhone},
	{command: "logical channel", sw: "6881", script: "01A4040C0AD392F000260100000001"},
	{command: "secure messaging", sw: "6882", script: "0CB0000000"},
	{command: "unknown INS", sw: "6D00", script: "0012000000"},
	{command: "unknown CLA", sw: "6E00", script: "40A4000000"},
	{command: "EXTERNAL AUTHENTICATE", sw: "6300", script: selectJPKI + ";0084000010;80820000C3" + strings.Repeat("01", 195)},
	{command: "EXTERNAL AUTHENTICATE", sw: "6985", script: selectJPKI + ";80820000C3" + strings.Repeat("01", 195)},
	{command: "UPDATE BINARY", sw: "6982", script: selectJPKI + ";80D68A000430820100"},
}

// ofTheFacts is what the facts' command table says that a card answers; more may be met.
var ofTheFacts = map[string][]string{
	"SELECT DF": {"9000", "6A82"}, "SELECT EF": {"9000", "6A82"}, "READ BINARY": {"9000", "6B00", "6982", "6986", "6981"}, "READ RECORD": {"9000", "6A83", "6A81"},
	"VERIFY": {"9000", "63C2", "63C0", "6984"}, "query": {"63C3", "63C5", "63CA", "63C0", "6984", "9000"}, "CHANGE REFERENCE DATA": {"9000", "6982"}, "CHANGE KEY": {"9000", "6982"},
	"COMPUTE DIGITAL SIGNATURE": {"9000", "6A86", "6700", "6982"}, "GET CHALLENGE": {"9000", "6985"}, "INTERNAL AUTHENTICATE": {"9000"}, "GET DATA": {"9000", "6A88", "6700"},
	"SET PUBLIC IC KEY": {"6A86"}, "SET SESSION KEY": {"6982", "66F1"}, "80 FC": {"6700"}, "logical channel": {"6881"}, "unknown INS": {"6D00"}, "unknown CLA": {"6E00"},
}

// elsewhere are the words that a client meets only when something else happens than a command: the tests that
// produce them.
var elsewhere = map[string]string{
	"6581": "the memory fails: TestPINCountersAgainstModel, TestPowerCutsWithinVerify",
	"6F00": "the card has no power: TestPowerAndReset",
	"6A84": "a terminal writes more than a file holds: TestRoles, TestCertificateWritesThatAreRefused",
}

// jicsapUnused are the status words of JICSAP's list that this chip never gives, and why.
var jicsapUnused = map[string]string{
	"6281": "a damaged image is noticed by its checksum and the chip does not come up; single EFs are never damaged",
	"6283": "no command deactivates a file",
	"6381": "no file is filled up by the last write: it is refused before, with 6A84",
	"6400": "a command that fails has changed nothing and says why, or the memory failed (6581)",
	"6987": "secure messaging is refused as a whole (6882)",
	"6988": "secure messaging is refused as a whole (6882)",
	"6A85": "the form of data is judged with its length (6700) or its content (6A80)",
	"6A87": "Lc and P1-P2 never disagree: lengths are judged with 6700",
}

// jicsapWords is JICSAP's list.
var jicsapWords = []string{"6281", "6283", "6300", "6381", "6400", "6581", "6700", "6881", "6882", "6981", "6982", "6984", "6985", "6986", "6987", "6988",
	"6A80", "6A81", "6A82", "6A83", "6A84", "6A85", "6A86", "6A87", "6A88", "6B00", "6D00", "6E00", "6F00"}

func TestEveryStatusWordIsMet(t *testing.T) {
	masters := map[string]*cardtest.Memory{}
	produced, byCommand := map[string]bool{}, map[string][]string{}
	for _, m := range everyWord {
		chip := m.chip(t, masters)
		commands := strings.Split(m.script, ";")
		sw := ""
		for _, c := range commands {
			_, sw = transmit(t, chip, c)
		}
		if sw != m.sw {
			t.Errorf("%s: %s answered %s, want %s", m.command, commands[len(commands)-1], sw, m.sw)
			continue
		}
		produced[sw], byCommand[m.command] = true, append(byCommand[m.command], sw)
	}
	for command, words := range ofTheFacts {
		for _, sw := range words {
			if !slices.Contains(byCommand[command], sw) {
				t.Errorf("%s: no client meets %s, which the facts have", command, sw)
			}
		}
	}
	declared := declaredWords(t)
	for _, sw := range declared {
		if !produced[sw] && elsewhere[sw] == "" {
			t.Errorf("%s is declared, and no client meets it", sw)
		}
		if jicsapUnused[sw] != "" {
			t.Errorf("%s is declared, and said to be unused", sw)
		}
	}
	for sw, tests := range elsewhere {
		for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(tests, -1) {
			if !hasTest(t, name) {
				t.Errorf("%s is said to be produced by %s, which there is not", sw, name)
			}
		}
	}
	for _, sw := range slices.Sorted(maps.Keys(produced)) {
		if !slices.Contains(declared, sw) && !strings.HasPrefix(sw, "63C") {
			t.Errorf("%s is met, and not declared", sw)
		}
	}
	for _, sw := range jicsapWords {
		if !slices.Contains(declared, sw) && jicsapUnused[sw] == "" {
			t.Errorf("JICSAP's %s is neither declared nor explained", sw)
		}
	}
}

// hasTest tells whether this package has a test of that name.
func hasTest(t *testing.T, name string) bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "func "+name+"(") {
			return true
		}
	}
	return false
}

// chip gives a chip of its own; those of a kind are copies of one.
func (m met) chip(t *testing.T, masters map[string]*cardtest.Memory) *card.Chip {
	t.Helper()
	key := fmt.Sprintf("%+v %s", m.switches, m.profile)
	issued := strings.HasPrefix(m.script, selectJPKI) && m.profile == "" && m.switches == card.Switches{}
	if issued {
		key = "with JPKI keys"
	}
	if masters[key] == nil {
		switch {
		case issued:
			masters[key] = cardtest.Issue(t).Memory
		case m.profile == "blank": // a PIN, and no key
			masters[key] = cardtest.Whole(t, card.ProfileCard, m.switches).Memory
		default:
			masters[key] = cardtest.Whole(t, m.profile, m.switches).Memory
		}
	}
	chip, err := card.Open(masters[key].Copy())
	if err != nil {
		t.Fatal(err)
	}
	return chip
}

// declaredWords reads the constants of status.go.
func declaredWords(t *testing.T) (words []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "status.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || !strings.HasPrefix(spec.Names[0].Name, "SW") || len(spec.Values) != 1 {
			return true
		}
		if value, ok := spec.Values[0].(*ast.BasicLit); ok {
			n, err := strconv.ParseUint(value.Value, 0, 16)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, card.SW(n).String())
		}
		return true
	})
	if len(words) < 20 {
		t.Fatalf("only %d status words are declared: the test does not see them", len(words))
	}
	return words
}
