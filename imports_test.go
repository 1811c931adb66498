package jitsuin_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/jitsuin/jitsuin"

// rooms that everybody may enter, and the actors, whose insides belong to them alone.
var (
	publicRooms = []string{"card", "cert", "status", "signature", "rules"}
	actors      = []string{"municipality", "jukinet", "jlis", "minister", "platform", "tsa", "holder"}
)

// allowed is the whole list of arrows, by the room that an import starts from. A room may always
// enter the root package and itself; "api" stands for the api package of any actor.
var allowed = map[string][]string{
	"":          {},
	"rules":     {},
	"card":      {},
	"cert":      {},
	"status":    {"cert"},
	"signature": {"cert"},
	"form":      {"rules"},         // signature/form writes dates in eras; it knows no certificate
	"report":    {"rules", "cert"}, // signature/report joins what was found with what the law makes of it
	"face":      {"rules"},         // card/face writes dates in eras and checks numbers; it knows no chip
	"contents":  {"card", "rules"}, // card/contents writes dates in eras; it knows no chip
	"client":    {"platform/api", "signature", "internal/httpapi"},
	"internal":  {"internal"},
	"web":       {"internal", "rules"}, // internal/web writes dates in eras
	"services":  {"client", "rules", "signature", "internal", "platform/api"},
	"actor":     append([]string{"internal", "api"}, publicRooms...),
	"actor/api": {"internal/httpapi", "signature", "rules", "cert", "status", "card", "platform/matching"},
	"verifier":  {"cert", "status", "signature", "rules", "internal"}, // an actor without a database, a directory or other actors
	"country":   {"*"},
	"cmd":       {"*"},
}

// room gives the room of a package path below the module, and the class of its rule.
func room(p string) (name, class string) {
	first, rest, _ := strings.Cut(p, "/")
	switch {
	case slices.Contains(actors, first) && rest == "api":
		return p, "actor/api"
	case slices.Contains(actors, first):
		return first, "actor"
	case p == "internal/web":
		return first, "web"
	case p == "signature/form":
		return first, "form"
	case p == "signature/report":
		return first, "report"
	case p == "card/face" || strings.HasPrefix(p, "card/face/"):
		return first, "face"
	case p == "card/contents":
		return first, "contents"
	case first == "services":
		return path.Dir(p + "/x"), "services"
	}
	return first, first
}

// mayEnter tells whether code in package from may import package to, both below the module.
func mayEnter(from, to string) bool {
	fromRoom, class := room(from)
	toRoom, toClass := room(to)
	if to == "" || fromRoom == toRoom {
		return true
	}
	if class == "actor" && strings.HasPrefix(to, fromRoom+"/") {
		return true
	}
	if class == "services" && toClass == "services" {
		return false // one service never knows another
	}
	for _, a := range allowed[class] {
		switch {
		case a == "*", a == to, a == toRoom, strings.HasPrefix(to, a+"/"):
			return true
		case a == "api" && toClass == "actor/api":
			return true
		}
	}
	return false
}

// imports lists every arrow between packages of the module, tests left out.
func imports(t *testing.T) map[[2]string]string {
	t.Helper()
	arrows := map[[2]string]string{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != "." || d.Name() == "testdata" || d.Name() == "tools") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(p)), ".")
		for _, i := range file.Imports {
			to := strings.Trim(i.Path.Value, `"`)
			if to == module || strings.HasPrefix(to, module+"/") {
				arrows[[2]string{from, strings.TrimPrefix(strings.TrimPrefix(to, module), "/")}] = p
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return arrows
}

func TestNoRoomEntersAnothersInside(t *testing.T) {
	arrows := imports(t)
	if len(arrows) < 50 {
		t.Fatalf("only %d imports were found: the test does not see the tree", len(arrows))
	}
	for a, file := range arrows {
		if isTestSupport(a[0]) {
			continue
		}
		if !mayEnter(a[0], a[1]) {
			t.Errorf("%s: package %q must not import %q", file, a[0], a[1])
		}
		if isTestSupport(a[1]) {
			t.Errorf("%s: %q is for tests", file, a[1])
		}
	}
}

// isTestSupport tells whether a package exists for tests: its name ends in test.
func isTestSupport(p string) bool { return strings.HasSuffix(p, "test") }

// The rule itself: what must be refused is refused.
func TestTheRuleRefuses(t *testing.T) {
	for _, a := range [][2]string{
		{"jlis", "municipality"}, {"municipality", "jlis/signer"}, {"platform", "jukinet"}, {"cert", "status"},
		{"rules", "cert"}, {"signature", "status"}, {"services/securities", "platform"}, {"services/securities", "jlis/api"},
		{"internal/feed", "jlis"}, {"client", "platform"}, {"card", "internal/store"}, {"jlis/api", "jlis"}, {"jlis", "country"},
		{"services/securities", "services/bank"}, {"", "rules"}, {"internal/web", "cert"}, {"internal/store", "rules"}, {"signature", "rules"}, {"signature/form", "cert"}, {"signature/report", "status"}, {"signature/jws", "rules"},
		{"verifier", "platform/api"}, {"verifier", "jlis"}, {"platform", "verifier"}, {"status", "verifier/fetch"},
	} {
		if mayEnter(a[0], a[1]) {
			t.Errorf("%q may import %q", a[0], a[1])
		}
	}
	for _, a := range [][2]string{
		{"jlis", "municipality/api"}, {"jlis", "jlis/signer"}, {"platform", "signature"}, {"status", "cert"}, {"country/tour", "municipality/terminal"},
		{"card/host", "card"}, {"services/securities", "client"}, {"municipality/terminal", "municipality/api"}, {"cmd/jitsuin", "holder"},
	} {
		if !mayEnter(a[0], a[1]) {
			t.Errorf("%q may not import %q", a[0], a[1])
		}
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	dirs := map[string]bool{}
	for a := range imports(t) {
		dirs[a[0]] = true
	}
	for dir := range dirs {
		files, _ := filepath.Glob(filepath.Join(".", dir, "*.go"))
		documented := false
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), f, raw, parser.ParseComments|parser.PackageClauseOnly)
			if err == nil && parsed.Doc != nil && len(parsed.Doc.Text()) > 60 {
				documented = true
			}
		}
		if !documented {
			t.Errorf("package %q has no doc comment that says what it owns", dir)
		}
	}
}
