package rules

import (
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"pgregory.net/rapid"
)

func TestEras(t *testing.T) {
	for day, want := range map[string]string{
		"1873-01-01": "明治6年1月1日", "1912-07-29": "明治45年7月29日", "1912-07-30": "大正元年7月30日",
		"1926-12-24": "大正15年12月24日", "1926-12-25": "昭和元年12月25日", "1927-01-01": "昭和2年1月1日",
		"1989-01-07": "昭和64年1月7日", "1989-01-08": "平成元年1月8日", "2019-04-30": "平成31年4月30日",
		"2019-05-01": "令和元年5月1日", "2020-02-29": "令和2年2月29日", "2026-11-23": "令和8年11月23日",
	} {
		got, err := InEra(d(t, day))
		if err != nil || got.String() != want {
			t.Errorf("%s: %v, %v, want %s", day, got, err, want)
		}
		if back, err := ParseEra(want); err != nil || back != d(t, day) {
			t.Errorf("%s read back: %v, %v", want, back, err)
		}
	}
	if e, err := InEra(d(t, "1980-02-17")); err != nil || e.YYMMDD() != "550217" {
		t.Errorf("check number B of 1980-02-17 begins %s, %v", e.YYMMDD(), err)
	}
	if _, err := InEra(d(t, "1872-12-31")); jitsuin.KindOf(err) != jitsuin.Unsupported {
		t.Errorf("a lunisolar day: %v", err)
	}
}

func TestParseEra(t *testing.T) {
	for s, want := range map[string]string{
		"令和1年5月1日": "2019-05-01", "昭和６４年１月７日": "1989-01-07", "令和02年02月29日": "2020-02-29",
		"明治45年7月30日": "1912-07-30", "大正15年12月25日": "1926-12-25", // the day both eras claim
	} {
		if got, err := ParseEra(s); err != nil || got != d(t, want) {
			t.Errorf("%s: %v, %v, want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"", "令和", "令和元年", "令和元年4月30日", "平成31年5月1日", "昭和64年1月8日", "大正15年12月26日", "明治45年7月31日",
		"令和3年2月29日", "令和元年13月1日", "令和0年5月1日", "令和-1年5月1日", "令和元年5月1日 ", "慶応3年1月1日", "2019年5月1日",
		"明治5年12月31日", "令和99999999999999999999年1月1日", "令和" + strings.Repeat("1", 100), "令和\xff年1月1日"} {
		if got, err := ParseEra(s); err == nil || !got.IsZero() {
			t.Errorf("%q was read as %v", s, got)
		}
	}
	if _, err := ParseEra("明治5年12月1日"); jitsuin.KindOf(err) != jitsuin.Unsupported {
		t.Errorf("a lunisolar day: %v", err)
	}
}

func TestEraRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		date := anyDate(1873, 2120).Draw(t, "date")
		e, err := InEra(date)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseEra(e.String()); err != nil || back != date {
			t.Fatalf("%v is written %v and read %v, %v", date, e, back, err)
		}
	})
}

func FuzzParseEra(f *testing.F) {
	for _, s := range []string{"令和元年5月1日", "昭和６４年１月７日", "明治5年12月1日", "令和\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		date, err := ParseEra(s)
		if err != nil {
			return
		}
		if e, err := InEra(date); err != nil || e.Year < 1 {
			t.Errorf("%q was read as %v, which no era writes: %v", s, date, err)
		}
	})
}
