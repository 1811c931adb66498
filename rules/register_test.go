package rules

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/jitsuin/jitsuin"
)

func TestEveryRuleIsCitedAndInBothLanguages(t *testing.T) {
	confidences := map[Confidence]bool{Primary: true, Ancestor: true, Official: true, Secondary: true, OurReading: true, Unverified: true, Plan: true}
	japanese := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) })
	}
	for _, r := range Register() {
		c := r.Source.Citation()
		switch {
		case r.ID == "" || strings.Trim(r.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			t.Errorf("ID %q is not lower-case words", r.ID)
		case !japanese(r.Text.JA) || r.Text.EN == "":
			t.Errorf("%s: a language is missing: %q, %q", r.ID, r.Text.JA, r.Text.EN)
		case c.JA == "" || c.EN == "" || !confidences[r.Source.Confidence]:
			t.Errorf("%s: source %q / %q, confidence %q", r.ID, c.JA, c.EN, r.Source.Confidence)
		case (r.Source.Article.JA == "") != (r.Source.Article.EN == ""):
			t.Errorf("%s: the article is named in one language only", r.ID)
		case !r.InForce.From.IsZero() && !r.InForce.Until.IsZero() && r.InForce.Until.Before(r.InForce.From):
			t.Errorf("%s: in force %v", r.ID, r.InForce)
		case (r.Unit == NoUnit) != (r.Value() == ""):
			t.Errorf("%s: value %q", r.ID, r.Value())
		}
	}
}

// A rule through time has no day with two versions and, once begun, no day without one.
func TestTimesOfARuleJoin(t *testing.T) {
	last := map[string]Rule{}
	for _, r := range Register() {
		if before, ok := last[r.ID]; ok {
			if before.InForce.Until.IsZero() || r.InForce.From != before.InForce.Until.AddDays(1) {
				t.Errorf("%s: %v is followed by %v", r.ID, before.InForce, r.InForce)
			}
			if before.InForce.Covers(r.InForce.From) || r.InForce.Covers(before.InForce.Until) {
				t.Errorf("%s: two versions on one day", r.ID)
			}
		}
		last[r.ID] = r
	}
	eras := Eras()
	for i, e := range eras[1:] {
		if e.InForce.From != eras[i].InForce.Until.AddDays(1) {
			t.Errorf("%s begins %v, %s ended %v", e.Name, e.InForce.From, eras[i].Name, eras[i].InForce.Until)
		}
	}
}

// The edges of every time: the first day is in, the day before is out, likewise at the end.
func TestInForceEdges(t *testing.T) {
	for _, r := range Register() {
		if f := r.InForce.From; !f.IsZero() && (!r.InForce.Covers(f) || r.InForce.Covers(f.AddDays(-1))) {
			t.Errorf("%s: begins wrongly around %v", r.ID, f)
		}
		if u := r.InForce.Until; !u.IsZero() && (!r.InForce.Covers(u) || r.InForce.Covers(u.AddDays(1))) {
			t.Errorf("%s: ends wrongly around %v", r.ID, u)
		}
	}
	if (InForce{}) != always() || !always().Covers(jitsuin.Date{Year: 1600, Month: 1, Day: 1}) {
		t.Error("a time without ends covers every day")
	}
}

// Nothing that the package calls a rule is missing from the register: every ID that is written
// out in the source stands there.
func TestRegisterIsComplete(t *testing.T) {
	registered := map[string]bool{}
	for _, r := range Register() {
		registered[r.ID] = true
	}
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	look := func(n ast.Node) bool {
		field, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, isName := field.Key.(*ast.Ident)
		value, isText := field.Value.(*ast.BasicLit)
		if !isName || !isText || key.Name != "ID" {
			return true
		}
		id, err := strconv.Unquote(value.Value)
		if err != nil || !registered[id] {
			t.Errorf("%s: the rule %s is not in the register", files.Position(field.Pos()), value.Value)
		}
		found++
		return true
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	if found < 60 {
		t.Errorf("only %d IDs were found in the source: the search is broken", found)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteRegister(t *testing.T) {
	var b bytes.Buffer
	if err := WriteRegister(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"card-adult-age  18 years  from 2022-04-01  [secondary]",
		"letter-proceeds  2025-06-24 – 2027-03-31  [primary text]",
		"  犯罪収益移転防止法施行規則6条1項1号カ / Regulation for the Act on Prevention of Transfer of Criminal Proceeds, art. 6(1)(i) カ",
		"pin-sign  5 tries  from 2016-01-01  [official page]",
		"leap-birthday  always  [our reading]",
	} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("the printed register lacks the line %q", line)
		}
	}
	if got := strings.Count(b.String(), "  ["); got < len(Register()) {
		t.Errorf("%d paragraphs for %d rules", got, len(Register()))
	}
	if err := WriteRegister(fullDisk{}); err == nil {
		t.Error("a failed write goes unnoticed")
	}
}
