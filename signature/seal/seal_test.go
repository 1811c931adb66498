package seal

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestTheFamilyNameStandsBeforeTheSpace(t *testing.T) {
	for full, want := range map[string]string{"実印　花子": "実印", "例川 花子": "例川", "　佐々木　小次郎": "佐々木", "MARIA ROSE ANN": "MARIA", "花子": "花子", "": "", "　": ""} {
		if got := Family(full); got != want {
			t.Errorf("%q: %q", full, got)
		}
	}
}

func TestNamesOnASeal(t *testing.T) {
	for name, missing := range map[string]string{"森": "", "実印": "", "佐々木": "", "勅使河原": "", "東久世小路": "", "カーター": "", "MARIA": "", "CHRISTOPHERS": "",
		"髙橋": "", "髙\U000E0104橋": "髙", "\U0001F600田": "\U0001F600", "〓": ""} {
		s, err := New(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := string(s.Missing()); got != missing {
			t.Errorf("%q: missing %q, want %q", name, got, missing)
		}
		if missing != "" && !strings.ContainsRune(string(s.name), geta) {
			t.Errorf("%q: what is missing does not show", name)
		}
	}
	for _, name := range []string{"", "実印　花子", "a b", "改\n行", "\u202E印", "\U000E0100", "\xff", strings.Repeat("印", MaxName+1)} {
		if _, err := New(name); jitsuin.CodeOf(err) != "seal-name" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Columns begin at the right, characters at the top; none overlaps another.
func TestCellsStandAsSealsAreRead(t *testing.T) {
	for n := 1; n <= MaxName; n++ {
		for _, latin := range []bool{false, true} {
			s := &Seal{name: make([]rune, n), latin: latin}
			cells := s.cells()
			if len(cells) != n {
				t.Fatalf("%d characters have %d cells", n, len(cells))
			}
			for i, a := range cells {
				if a.left >= a.right || a.bottom >= a.top || min(a.left, a.bottom) < -1 || max(a.right, a.top) > 1 {
					t.Errorf("%d of %d: %+v", i, n, a)
				}
				for _, b := range cells[i+1:] {
					if a.left < b.right && b.left < a.right && a.bottom < b.top && b.bottom < a.top {
						t.Errorf("of %d: %+v overlaps %+v", n, a, b)
					}
					if !latin && b.left > a.left || latin && b.top > a.top {
						t.Errorf("of %d: the reading order is wrong", n)
					}
				}
			}
		}
	}
}

var drawing = regexp.MustCompile(`^(q [0-9. ]+ cm|[0-9. -]+ (cm|rg|RG|w|m|c|j|J)|h|h [0-9. -]+ m|s|b|Q)$`)

// The content is nothing but outlines inside the ring, and needs no font.
func TestContentStaysInsideTheRing(t *testing.T) {
	for _, name := range []string{"森", "一", "実印", "佐々木", "勅使河原", "東久世小路", "MARIA", "\U0001F600"} {
		s, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		content := string(s.Content(40))
		if content != string(s.Content(40)) || strings.Count(content, "q 0.04000 ") != 1 {
			t.Errorf("%s: two drawings differ, or the scale is wrong", name)
		}
		lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
		ring := true
		for _, l := range lines {
			if !drawing.MatchString(l) {
				t.Fatalf("%s: %q is no drawing", name, l)
			}
			fields := strings.Fields(strings.TrimPrefix(l, "h "))
			if op := fields[len(fields)-1]; op == "s" {
				ring = false
			} else if ring || op != "m" && op != "c" {
				continue
			}
			for i := 0; i+1 < len(fields); i += 2 {
				x, _ := strconv.ParseFloat(fields[i], 64)
				y, _ := strconv.ParseFloat(fields[i+1], 64)
				if math.Hypot(x-500, y-500) > 500-ringWidth-inkSpread {
					t.Fatalf("%s: %v, %v runs into the ring", name, x, y)
				}
			}
		}
	}
}
