package matching

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/jitsuin/jitsuin"
)

var hanako = jitsuin.FourItems{Name: "髙𣘺　花子", Address: "東海県砂丘市三田一丁目２番３号　渚ハイツ２０１号室", BirthDate: jitsuin.Date{Year: 1989, Month: 3, Day: 31}, Sex: jitsuin.Female}

// one gives the comparison of one item.
func one(t *testing.T, verified jitsuin.FourItems, file CustomerRecord) (Result, []string) {
	t.Helper()
	c, err := Compare(verified, file)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Items) != 1 || c.Items[0].Result != c.Result {
		t.Fatalf("not one item: %+v", c)
	}
	var codes []string
	for _, r := range c.Items[0].Reasons {
		if r.JA == "" || r.EN == "" {
			t.Errorf("%s has no words", r.Code)
		}
		codes = append(codes, r.Code)
	}
	return c.Result, codes
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		verified, file string
		want           Result
		codes          string
	}{
		{"霞　太郎", "霞　太郎", Same, ""},
		{"霞　太郎", " 霞　太郎 ", Same, ""},
		{"霞　太郎", "霞太郎", Notation, "spaces"},
		{"霞　太郎", "霞 太郎", Notation, "width"},
		{"髙山　太郎", "高山　太郎", Variant, "variant-kanji"},
		{"髙山　太郎", "高山太郎", Variant, "variant-kanji spaces"},
		{"﨑田　太郎", "崎田　太郎", Variant, "variant-kanji"},
		{"澤田　國男", "沢田　国男", Variant, "old-form"},
		{"渡邊　亘", "渡辺　亙", Variant, "old-form"},
		{"𠮷田　太郎", "吉田　太郎", Variant, "variant-kanji"},
		{"葛\U000E0100城　太郎", "葛城　太郎", Variant, "glyph"},
		{"神\uFE00田　太郎", "神田　太郎", Variant, "glyph"},
		{"神田　太郎", "\uFA19田　太郎", Variant, "compatibility-kanji"},
		{"佐々木　太郎", "佐佐木　太郎", Notation, "iteration-mark"},
		{"霞　さくら", "霞　サクラ", Notation, "kana"},
		{"霞　ﾊﾅ", "霞　ハナ", Notation, "width"},
		{"ＳＭＩＴＨ　ＪＯＨＮ", "John Smith", Notation, "width letter-case word-order"},
		{"ＳＭＩＴＨ　ＪＯＨＮ", "SMITH, JOHN", Notation, "width punctuation"},
		{"斎藤　太郎", "斉藤　太郎", Different, "name-differs lookalike"},
		{"荻野　太郎", "萩野　太郎", Different, "name-differs lookalike"},
		{"霞　花子", "山田　花子", Different, "name-differs surname-only"},
		{"霞　花子", "霞　華子", Different, "name-differs given-name-only"},
		{"霞　花子", "霞　花", Different, "name-differs given-name-only"},
		{"霞　花子", "山田　太郎", Different, "name-differs"},
		{"霞　花子", "山田太郎", Different, "name-differs"},
		{"杉山　太郎", "椙山　太郎", Different, "name-differs surname-only"},
		{"ＳＭＩＴＨ　ＪＯＨＮ", "John Smyth", Different, "name-differs"},
	} {
		v := hanako
		v.Name = c.verified
		got, codes := one(t, v, CustomerRecord{Name: c.file})
		if got != c.want || strings.Join(codes, " ") != c.codes {
			t.Errorf("%s and %s: %s %v, want %s [%s]", c.verified, c.file, got, codes, c.want, c.codes)
		}
		if back, _ := alikeBothWays(c.verified, c.file, nameFolds); !back {
			t.Errorf("%s and %s: not the same the other way round", c.verified, c.file)
		}
	}
}

// alikeBothWays tells whether two texts compare alike in both directions.
func alikeBothWays(a, b string, folds []fold) (same bool, r Result) {
	r1, _, ok1 := alike(a, b, folds)
	r2, _, ok2 := alike(b, a, folds)
	return r1 == r2 && ok1 == ok2, r1
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		verified, file string
		want           Result
		codes          string
	}{
		{"東海県砂丘市三田一丁目２番３号", "東海県砂丘市三田一丁目２番３号", Same, ""},
		{"東海県砂丘市三田一丁目２番３号", "東海県砂丘市三田1-2-3", Notation, "width kanji-numerals block-numbers"},
		{"東海県砂丘市三田１丁目２番３号", "東海県砂丘市三田１－２－３", Notation, "block-numbers"},
		{"東海県砂丘市三田１丁目２番３号", "東海県砂丘市三田１−２−３", Notation, "hyphen block-numbers"},
		{"東海県砂丘市三田１丁目２番３号", "東海県砂丘市三田１丁目２番３", Notation, "block-numbers"},
		{"東海県砂丘市三田１丁目２番地の３", "東海県砂丘市三田1-2-3", Notation, "width block-numbers"},
		{"東海県砂丘市三田二丁目十五番地", "東海県砂丘市三田２－１５", Notation, "width kanji-numerals block-numbers"},
		{"東海県砂丘市三田１丁目２番３号", "砂丘市三田１丁目２番３号", Notation, "prefecture-left-out"},
		{"東海県砂丘市三田１丁目２番３号", "砂丘市三田1-2-3", Notation, "prefecture-left-out width block-numbers"},
		{"東海県砂丘市大字三田１２番地", "東海県砂丘市三田１２番地", Notation, "leading-words"},
		{"東海県砂丘市霞ヶ関１番", "東海県砂丘市霞ケ関１番", Notation, "small-kana"},
		{"東海県砂丘市霞ヶ関１番", "東海県砂丘市霞が関１番", Notation, "kana small-kana place-particle"},
		{"東海県砂丘市澤田１番", "東海県砂丘市沢田１番", Variant, "old-form"},
		{"東海県砂丘市三田１丁目２番３号　渚ハイツ２０１号室", "東海県砂丘市三田１丁目２番３号渚ハイツ２０１", Notation, "spaces block-numbers"},
		{"東海県砂丘市三田１丁目２番３号　ハイタワー２０１", "東海県砂丘市三田１丁目２番３号", Different, "file-shorter"},
		{"東海県砂丘市三田１丁目２番３号", "東海県砂丘市三田１丁目２番３号　渚ハイツ２０１", Different, "file-longer"},
		{"東海県砂丘市三田１丁目２番３号", "東海県砂丘市三田１丁目２番４号", Different, "numbers-differ"},
		{"東海県砂丘市三田１丁目２３番", "東海県砂丘市三田１丁目２番３", Different, "numbers-differ"},
		{"東海県砂丘市三田１２丁目３番", "東海県砂丘市三田１丁目２３番", Different, "numbers-differ"},
		{"東海県砂丘市三田１丁目２番３号", "東海県砂丘市二田１丁目２番３号", Different, "address-differs"},
		{"東海県砂丘市三田１丁目２番３号", "西海県砂丘市三田１丁目２番３号", Different, "address-differs"},
		{"東海県砂丘市三田１番", "東海県岬町三田１番", Different, "address-differs"},
	} {
		v := hanako
		v.Address = c.verified
		got, codes := one(t, v, CustomerRecord{Address: c.file})
		if got != c.want || !sameWords(codes, c.codes) {
			t.Errorf("%s and %s: %s %v, want %s [%s]\n%s\n%s", c.verified, c.file, got, codes, c.want, c.codes, through(c.verified, addressFolds, -1), through(c.file, addressFolds, -1))
		}
	}
}

func sameWords(codes []string, want string) bool {
	w := strings.Fields(want)
	slices.Sort(w)
	codes = slices.Sorted(slices.Values(codes))
	return slices.Equal(codes, w)
}

func TestDatesAndSexes(t *testing.T) {
	for _, c := range []struct {
		file  string
		want  Result
		codes string
	}{
		{"1989-03-31", Same, ""}, {"1989/3/31", Notation, "date-notation"}, {"19890331", Notation, "date-notation"}, {"１９８９年３月３１日", Notation, "date-notation"},
		{"平成元年3月31日", Notation, "date-notation"}, {"H1.3.31", Notation, "date-notation"}, {"h1-03-31", Notation, "date-notation"},
		{"1989-03-30", Different, "date-differs"}, {"1988-03-31", Different, "date-differs"},
	} {
		if got, codes := one(t, hanako, CustomerRecord{BirthDate: c.file}); got != c.want || strings.Join(codes, " ") != c.codes {
			t.Errorf("%s: %s %v, want %s", c.file, got, codes, c.want)
		}
	}
	swapped := hanako
	swapped.BirthDate = jitsuin.Date{Year: 1989, Month: 3, Day: 4}
	if _, codes := one(t, swapped, CustomerRecord{BirthDate: "1989-04-03"}); !slices.Contains(codes, "day-and-month-swapped") {
		t.Errorf("swapped: %v", codes)
	}
	for file, want := range map[string]Result{"2": Same, "女": Notation, "female": Notation, "Ｆ": Notation, "1": Different, "男": Different, "0": Different} {
		if got, _ := one(t, hanako, CustomerRecord{Sex: file}); got != want {
			t.Errorf("sex %s: %s, want %s", file, got, want)
		}
	}
}

func TestTheWholeIsItsWorstItem(t *testing.T) {
	c, err := Compare(hanako, CustomerRecord{Name: "髙𣘺 花子", Address: hanako.Address, BirthDate: "H1.3.31", Sex: "2"})
	if err != nil || c.Result != Notation || len(c.Items) != 4 || c.Items[1].Result != Same {
		t.Errorf("%+v, %v", c, err)
	}
	if c, _ = Compare(hanako, CustomerRecord{Name: "高𣘺　花子", BirthDate: "H1.3.31"}); c.Result != Variant || len(c.Items) != 2 {
		t.Errorf("%+v", c)
	}
	if c, _ = Compare(hanako, CustomerRecord{Name: "高𣘺　花子", Sex: "男"}); c.Result != Different {
		t.Errorf("%+v", c)
	}
}

func TestRecordsThatCannotBeRead(t *testing.T) {
	for field, file := range map[string]CustomerRecord{"birth_date": {BirthDate: "1989-02-30"}, "sex": {Sex: "x"}, "": {}} {
		_, err := Compare(hanako, file)
		e, ok := err.(*jitsuin.Error)
		if !ok || e.Kind != jitsuin.Invalid || e.Field != field {
			t.Errorf("%+v: %v", file, err)
		}
	}
	for _, s := range []string{"平成元年1月7日", "H0.3.31", "S65.1.1", "1989-3", "31/3/1989", "令和1年4月30日", strings.Repeat("1", 30)} {
		if _, err := readDate(s); err == nil {
			t.Errorf("%s was read", s)
		}
	}
	if err := (CustomerRecord{Name: strings.Repeat("霞", 101)}).Check(); jitsuin.CodeOf(err) != "record-long" {
		t.Error(err)
	}
}

// The tables are sets: no character is in two groups of one, and none maps to a character that maps on.
func TestTables(t *testing.T) {
	for name, groups := range map[string]string{"old forms": oldFormGroups, "variants": variantGroups, "lookalikes": lookalikes} {
		seen := map[rune]bool{}
		for _, g := range strings.Fields(groups) {
			if len([]rune(g)) < 2 {
				t.Errorf("%s: %s is alone", name, g)
			}
			for _, r := range g {
				if seen[r] || !unicode.Is(unicode.Han, r) {
					t.Errorf("%s: %c of %s stands in another group too, or is no kanji", name, r, g)
				}
				seen[r] = true
			}
		}
	}
	for _, g := range strings.Fields(variantGroups) { // runs after the old forms
		first := string([]rune(g)[0])
		if got := oldToNew.Replace(first); got != first {
			t.Errorf("the usual form %s is an old form of %s", first, got)
		}
	}
	// What the law counts as different is not made alike.
	for _, p := range []string{"斎斉", "荻萩", "未末", "巳已"} {
		r := []rune(p)
		if _, _, ok := alike(string(r[0]), string(r[1]), nameFolds); ok {
			t.Errorf("%s are alike", p)
		}
	}
}

// Whatever is typed: no panic, alike in both directions, and the same as itself.
func FuzzCompare(f *testing.F) {
	f.Add("霞　太郎", "東海県砂丘市三田一丁目２番３号", "1989-03-31")
	f.Add("々", "千百十〇号-のの-", "H1.3.31")
	f.Fuzz(func(t *testing.T, a, b, d string) {
		if len(a)+len(b)+len(d) > 2000 {
			return
		}
		Compare(jitsuin.FourItems{Name: a, Address: b, BirthDate: hanako.BirthDate, Sex: "1"}, CustomerRecord{Name: b, Address: a, BirthDate: d, Sex: "2"})
		for _, folds := range [][]fold{nameFolds, addressFolds} {
			if ok, _ := alikeBothWays(a, b, folds); !ok {
				t.Errorf("%q and %q compare otherwise the other way round", a, b)
			}
			if r, _, ok := alike(a, a, folds); r != Same || !ok {
				t.Errorf("%q is not itself", a)
			}
		}
	})
}
