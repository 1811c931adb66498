package explain_test

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/card/reader"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	selectJPKI   = "00 A4 04 0C 0A D392F000260100000001"
	selectText   = "00 A4 04 0C 0A D3921000310001010408"
	selectVisual = "00 A4 04 0C 0A D3921000310001010402"
	selectJuki   = "00 A4 04 0C 0A D3921000310001010401"
	number       = "313233343536373839303138" // twelve digits
)

// Every way in which a PIN or My Number goes over the contacts, and near ones that must stay to be read.
func TestSecretsAreTakenOut(t *testing.T) {
	for name, c := range map[string]struct {
		before         []string // commands that the card answered with 9000
		send, answer   string
		wantC, wantAns string
	}{
		"VERIFY":                             {[]string{selectJPKI}, "00 20 00 80 04 31323334", "63C2", "00200080", "63C2"},
		"VERIFY whose length is wrong":       {nil, "00 20 00 80 09 31323334", "6700", "00200080", "6700"},
		"VERIFY with extended length":        {nil, "00 20 00 80 00 00 04 31323334", "9000", "00200080", "9000"},
		"VERIFY without data":                {nil, "00 20 00 80", "63C3", "00200080", "63C3"},
		"CHANGE REFERENCE DATA":              {nil, "00 24 01 80 04 31323334", "9000", "00240180", "9000"},
		"CHANGE KEY":                         {nil, "80 32 00 80 04 31323334", "9000", "80320080", "9000"},
		"STORE DATA, which may set a PIN":    {nil, "80 E2 80 00 08 0018 04 31323334", "9000", "80E28000", "9000"},
		"RESET RETRY COUNTER":                {nil, "80 2C 00 80 04 31323334", "9000", "802C0080", "9000"},
		"My Number by its file":              {[]string{selectText, "00 A4 02 0C 02 0001"}, "00 B0 00 00 11", "FF100C" + number + "FFFF 9000", "00B0000011", "9000"},
		"a part of it":                       {[]string{selectText, "00 A4 02 0C 02 0001"}, "00 B0 00 03 04", "31323334 9000", "00B0000304", "9000"},
		"by its short identifier":            {[]string{selectText}, "00 B0 81 03 04", "31323334 9000", "00B0810304", "9000"},
		"and what is left of it":             {[]string{selectText, "00 B0 81 00 04|FF100C31 9000"}, "00 C0 00 00 04", "32333435 9000", "00C0000004", "9000"},
		"by the beginning of the name":       {[]string{"00 A4 04 0C 09 D39210003100010104", "00 A4 02 0C 02 0001"}, "00 B0 00 03 04", "31323334 9000", "00B0000304", "9000"},
		"wherever it turns up":               {nil, "00 CA 00 45 00", "0102FF100C" + number + "9000", "00CA004500", "9000"},
		"its picture":                        {[]string{selectVisual, "00 A4 02 0C 02 0005"}, "00 B0 00 00 00", "89504E47 9000", "00B0000000", "9000"},
		"writing it":                         {[]string{selectText, "00 A4 02 0C 02 0001"}, "80 D6 00 03 04 31323334", "9000", "80D60003", "9000"},
		"writing it as a whole":              {[]string{selectText, "00 A4 02 0C 02 0001"}, "80 D7 00 00 04 31323334", "9000", "80D70000", "9000"},
		"the hash of My Number":              {[]string{selectText, "00 A4 02 0C 02 0003"}, "00 B0 00 08 04", "31323334 9000", "00B0000804", "9000"},
		"the next card's hash of it":         {[]string{selectJPKI, "00 A4 02 0C 02 000E"}, "00 B0 00 08 04", "31323334 9000", "00B0000804", "9000"},
		"the next card's My Number":          {[]string{selectJPKI, "00 A4 02 0C 02 000C"}, "00 B0 00 03 04", "31323334 9000", "00B0000304", "9000"},
		"writing it anywhere":                {nil, "80 D6 00 00 0F FF100C" + number, "9000", "80D60000", "9000"},
		"the resident code":                  {[]string{selectJuki}, "00 B0 81 00 00", "3132 9000", "00B0810000", "9000"},
		"another application's file 0001":    {[]string{selectJPKI, "00 A4 02 0C 02 0001"}, "00 B0 00 00 04", "30820102 9000", "00B0000004", "308201029000"},
		"the four items":                     {[]string{selectText, "00 A4 02 0C 02 0002"}, "00 B0 00 00 04", "FF2065DF 9000", "00B0000004", "FF2065DF9000"},
		"after a selection that failed":      {[]string{selectJPKI, selectText + "|6A82", "00 A4 02 0C 02 0001"}, "00 B0 00 00 04", "30820102 9000", "00B0000004", "308201029000"},
		"selecting the file":                 {[]string{selectText}, "00 A4 02 0C 02 0001", "9000", "00A4020C020001", "9000"},
		"a digest to sign":                   {[]string{selectJPKI}, "80 2A 00 80 02 0102 00", "0102 9000", "802A008002010200", "01029000"},
		"too short for a command":            {nil, "00 20", "6700", "0020", "6700"},
		"FF 10 0C without the twelve digits": {nil, "00 CA 00 45 00", "FF100C" + "0102030405060708090A0B0C" + "9000", "00CA004500", "FF100C0102030405060708090A0B0C9000"},
	} {
		var r explain.Redactor
		for _, b := range c.before {
			command, answer, ok := strings.Cut(b, "|")
			if !ok {
				answer = "9000"
			}
			r.Show(unhex(t, command), unhex(t, answer))
		}
		e := r.Show(unhex(t, c.send), unhex(t, c.answer))
		if !bytes.Equal(e.Command, unhex(t, c.wantC)) || !bytes.Equal(e.Response, unhex(t, c.wantAns)) {
			t.Errorf("%s: shows %X, %X", name, e.Command, e.Response)
		}
		whole := len(unhex(t, c.wantC)) == len(unhex(t, c.send)) && len(unhex(t, c.wantAns)) == len(unhex(t, c.answer))
		if e.Masked == whole {
			t.Errorf("%s: masked %v", name, e.Masked)
		}
	}
}

func TestAResetEndsWhatWasSelected(t *testing.T) {
	var r explain.Redactor
	r.Show(unhex(t, selectText), unhex(t, "9000"))
	r.Reset()
	if e := r.Show(unhex(t, "00 B0 81 00 04"), unhex(t, "30820102 9000")); e.Masked {
		t.Error("a file of no application is masked")
	}
}

// Of a response that is masked nothing is said that is not so.
func TestWhatIsMaskedIsSaidToBe(t *testing.T) {
	var r explain.Redactor
	var d explain.Dialogue
	for _, c := range []string{selectText, "00 A4 02 0C 02 0001"} {
		d.Say(r.Show(unhex(t, c), unhex(t, "9000")))
	}
	w := d.Say(r.Show(unhex(t, "00 B0 00 00 11"), unhex(t, "FF100C"+number+"FFFF 9000")))
	if w.Command.EN != "Read: My Number" || w.Detail.EN != "the response is not shown" || !w.OK {
		t.Errorf("%+v", w)
	}
}

// The words for a whole conversation with our chip.
func TestAConversationInWords(t *testing.T) {
	var trace strings.Builder
	ctx := t.Context()
	c := explain.Trace(reader.Local(cardtest.Issue(t).Chip), &trace, "en")
	j, err := reader.SelectJPKI(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	s, err := j.Signer(ctx, jitsuin.SignCert, cardtest.SignPIN)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(nil, make([]byte, 32), crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	if err := j.Verify(ctx, jitsuin.AuthCert, "9999"); err == nil {
		t.Fatal("a wrong PIN is right")
	}
	if err := c.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	text := trace.String()
	for _, want := range []string{"# Select: the JPKI application\n> 00A4040C0AD392F000260100000001\n< 9000 OK\n", "# Have a PIN checked: signature password\n> 00200080 ***\n< 9000 OK\n",
		"# Read: signature certificate (from byte 0, at most 4; 4 came)\n> 00B0000004\n< 3082", "# Have it sign: signature key (PKCS #1 v1.5 over the data as they are (a DigestInfo of SHA-256))\n",
		"# Have a PIN checked: authentication PIN\n> 00200080 ***\n< 63C2 2 tries left\n", "# Reset\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the trace lacks %q:\n%s", want, text)
		}
	}
	for _, secret := range []string{"ABC123", hex.EncodeToString([]byte("ABC123")), "39393939"} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			t.Errorf("the trace has a PIN in it:\n%s", text)
		}
	}
}

// Whatever is said, there are words for it in both languages, and nothing panics.
func FuzzSay(f *testing.F) {
	f.Add(unhex(f, selectJPKI), unhex(f, "9000"))
	f.Add(unhex(f, "00 20 00 80 04 31323334"), unhex(f, "63C2"))
	f.Add(unhex(f, "80 46 01 80"), []byte{})
	f.Fuzz(func(t *testing.T, command, response []byte) {
		var r explain.Redactor
		var d explain.Dialogue
		for range 2 {
			e := r.Show(command, response)
			w := d.Say(e)
			if w.Command.JA == "" || w.Command.EN == "" || len(response) >= 2 && w.Answer.EN == "" {
				t.Errorf("%x: %+v", command, w)
			}
			if len(command) > 5 && command[1] == 0x20 && len(e.Command) != 4 {
				t.Errorf("%x is shown", command)
			}
		}
	})
}

func TestEveryStatusWordOfTheChipHasWords(t *testing.T) {
	for _, sw := range []card.SW{card.SWOK, card.SWNotVerified, card.SWMemoryFailure, card.SWWrongLength, card.SWChannel, card.SWSecureMessaging, card.SWIncompatibleFile,
		card.SWSecurityStatus, card.SWBlocked, card.SWConditions, card.SWNoCurrentEF, card.SWWrongData, card.SWFunction, card.SWFileNotFound, card.SWNoSpace,
		card.SWWrongP1P2, card.SWReferencedNotFound, card.SWWrongOffset, card.SWUnknownINS, card.SWUnknownCLA, card.SWNoPower, card.SWTries | 1, card.SWTries | 5} {
		if text := explain.SayStatus(sw); text.EN == "refused" || text.JA == "" {
			t.Errorf("%s: %+v", sw, text)
		}
	}
}
