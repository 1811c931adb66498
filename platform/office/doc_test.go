package office_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/platform/office"
)

var update = flag.Bool("update", false, "write the table of duties into docs/operators.md anew")

func titles(roles []office.Role) string {
	names := []string{}
	for _, r := range roles {
		names = append(names, r.Title().EN)
	}
	if len(names) == len(office.Roles) {
		return "everybody"
	}
	return strings.ToLower(strings.Join(names, ", "))
}

// TestThePageHasTheTable: go test ./platform/office -update writes the table of the page anew.
func TestThePageHasTheTable(t *testing.T) {
	const path, begin, end = "../../docs/operators.md", "<!-- duties -->\n", "<!-- /duties -->\n"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	has, after, whole := strings.Cut(rest, end)
	if !ok || !whole {
		t.Fatalf("%s has no place for the table", path)
	}
	var b strings.Builder
	b.WriteString("| act | in the log | who may | second person |\n|---|---|---|---|\n")
	for _, d := range office.Duties {
		second := "–"
		if d.Two() {
			second = titles(d.Second)
		}
		b.WriteString("| " + d.Title.EN + "（" + d.Title.JA + "） | `" + string(d.Act) + "` | " + titles(d.May) + " | " + second + " |\n")
	}
	if has == b.String() {
		return
	}
	if !*update {
		t.Fatalf("%s does not have the table of duties: go test ./platform/office -update", path)
	}
	if err := os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
