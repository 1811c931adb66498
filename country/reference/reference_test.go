package reference

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write members.txt and docs/configuration.md anew")

const root = "../.."

// roles are the configuration structs in the order of the page.
var roles = []struct{ role, dir, typ, says string }{
	{"municipality", "municipality", "Config", "A municipality (市区町村): its resident register and its counter."},
	{"jukinet", "jukinet", "Config", "The registry network (住民基本台帳ネットワーク)."},
	{"jlis", "jlis", "Config", "J-LIS (地方公共団体情報システム機構): card production, the two CAs, and the status origin."},
	{"minister", "minister", "Config", "The minister (主務大臣), who accredits verifiers."},
	{"platform", "platform", "Config", "A platform operator (プラットフォーム事業者), who verifies for others, or a stand-alone verifier."},
	{"tsa", "tsa", "Config", "The time-stamping authority of a sandbox (タイムスタンプ局)."},
	{"service", "services/securities", "Config", "The securities firm, a relying service."},
	{"holder", "holder/site", "Config", "The holder's pages (利用者クライアント), which reach the card."},
	{"cards", "country", "CardsConfig", "The card host of a sandbox: where the chips are."},
	{"country", "country", "Config", "The console of a sandbox, and its clock."},
	{"verifier", "verifier", "Config", "The stand-alone verifier (jitsuin verifier): no actor, so it has no instance and no directory."},
}

// book holds the structs of the packages that were read.
type book struct {
	t     *testing.T
	files map[string][]*ast.File // by folder
}

func (b *book) structOf(dir, name string) (*ast.StructType, *ast.File) {
	b.t.Helper()
	if b.files[dir] == nil {
		paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil || len(paths) == 0 {
			b.t.Fatalf("%s: %v", dir, err)
		}
		for _, p := range paths {
			if strings.HasSuffix(p, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments)
			if err != nil {
				b.t.Fatal(err)
			}
			b.files[dir] = append(b.files[dir], f)
		}
	}
	for _, f := range b.files[dir] {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.Name == name {
					if st, ok := ts.Type.(*ast.StructType); ok {
						return st, f
					}
				}
			}
		}
	}
	return nil, nil
}

// page is what is being written.
type page struct {
	*book
	out strings.Builder
}

// members writes the members of a struct, indented.
func (p *page) members(dir, typ, indent string) {
	p.t.Helper()
	st, file := p.structOf(dir, typ)
	if st == nil {
		p.t.Fatalf("%s has no struct %s", dir, typ)
	}
	said := ""
	for _, f := range st.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
		name, options, _ := strings.Cut(tag.Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			p.members("internal/actor", "Config", indent)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		if f.Doc == nil && f.Comment == nil && said == "" {
			p.t.Errorf("%s.%s: the member %s has no comment that says what it is", dir, typ, name)
		}
		comment := ""
		if f.Doc != nil {
			comment = f.Doc.Text()
		}
		if f.Comment != nil {
			comment += f.Comment.Text()
		}
		if comment != "" {
			said = comment
		}
		p.member(dir, file, f, name, tag.Get("check"), comment, indent)
	}
}

func (p *page) member(dir string, file *ast.File, f *ast.Field, name, check, comment, indent string) {
	for line := range strings.Lines(comment) {
		fmt.Fprintf(&p.out, "%s# %s\n", indent, strings.TrimRight(line, "\n"))
	}
	kind, inner, innerDir := p.kind(dir, file, f.Type)
	rules := ""
	if check != "" {
		rules = "; " + strings.ReplaceAll(check, ",", ", ")
	}
	fmt.Fprintf(&p.out, "%s%s:   # %s%s\n", indent, name, kind, rules)
	if inner != "" {
		below := indent + "  "
		if strings.HasPrefix(kind, "for each") {
			fmt.Fprintf(&p.out, "%s  KEY:\n", indent)
			below += "  "
		}
		p.members(innerDir, inner, below)
	}
	if indent == "" {
		p.out.WriteString("\n")
	}
}

// kind says what a value is; inner is the struct of members of its own.
func (p *page) kind(dir string, file *ast.File, e ast.Expr) (kind, inner, innerDir string) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return p.kind(dir, file, e.X)
	case *ast.ArrayType:
		kind, inner, innerDir = p.kind(dir, file, e.Elt)
		return "list of " + kind, inner, innerDir
	case *ast.MapType:
		kind, inner, innerDir = p.kind(dir, file, e.Value)
		return "for each KEY: " + kind, inner, innerDir
	case *ast.Ident:
		switch e.Name {
		case "string":
			return "text", "", ""
		case "bool":
			return "true or false", "", ""
		case "int", "int64", "uint64":
			return "number", "", ""
		}
		if st, _ := p.structOf(dir, e.Name); st != nil {
			return "members", e.Name, dir
		}
		return "text", "", ""
	case *ast.SelectorExpr:
		pkg := e.X.(*ast.Ident).Name
		if pkg == "time" && e.Sel.Name == "Duration" {
			return "duration", "", ""
		}
		for _, i := range file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			local, ours := strings.CutPrefix(path, "github.com/jitsuin/jitsuin/")
			if ours && filepath.Base(path) == pkg {
				if st, _ := p.structOf(local, e.Sel.Name); st != nil {
					return "members", e.Sel.Name, local
				}
			}
		}
		return "text", "", ""
	}
	p.t.Fatalf("a member of the type %T", e)
	return "", "", ""
}

// TestThePageIsCurrent: go test ./country/reference -update writes both files anew.
func TestThePageIsCurrent(t *testing.T) {
	p := &page{book: &book{t: t, files: map[string][]*ast.File{}}}
	for _, r := range roles {
		fmt.Fprintf(&p.out, "%s%s\n# %s\n\n", header, r.role, r.says)
		p.members(r.dir, r.typ, "")
	}
	same(t, "members.txt", p.out.String())
	same(t, filepath.Join(root, "docs", "configuration.md"), markdown(p.out.String()))
}

func markdown(members string) string {
	var md strings.Builder
	md.WriteString(`# Configuration files

Every actor is told what it needs by one YAML file. ` + "`jitsuin up`" + ` writes them into ` + "`FOLDER/config`" + `; for an actor alone
(` + "`jitsuin serve ROLE --config FILE`" + `) you write it, beginning with one of those. Relative paths are relative to the file's folder.

A file is read strictly. An unknown, doubled or missing member, a wrong type or value, a key that cannot be read, an instance that is not in the
directory: each is an error that names file, line, column and member and says what to do, and nothing is opened or made.
` + "`jitsuin config check FILE…`" + ` says the same without starting anything; ` + "`jitsuin config show ROLE`" + ` prints what stands below.

This page is made from the program's own comments (` + "`go test ./country/reference -update`" + `), and a test holds it to them. After each
member stands what it is and which rules it is checked by: "listed" means that the instance must be in the directory, "required" that there is no default.

`)
	for line := range strings.Lines(members) {
		if role, ok := strings.CutPrefix(line, header); ok {
			if md.Len() > 0 && strings.Contains(md.String(), "```yaml") {
				md.WriteString("```\n\n")
			}
			fmt.Fprintf(&md, "## %s\n\n```yaml\n", strings.TrimSpace(role))
			continue
		}
		md.WriteString(line)
	}
	md.WriteString("```\n")
	return strings.ReplaceAll(md.String(), "\n\n```\n", "\n```\n")
}

func same(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != want {
		t.Errorf("%s is not current (%v): go test ./country/reference -update", path, err)
	}
}

func TestEveryRoleHasItsPart(t *testing.T) {
	for _, r := range roles {
		first := "instance:   # text; required"
		if r.role == "verifier" {
			first = "anchors:   # text; required"
		}
		if text, err := Of(r.role); err != nil || !strings.Contains(text, first) {
			t.Errorf("%s: %v\n%.300s", r.role, err, text)
		}
	}
	if len(Roles()) != len(roles) {
		t.Errorf("the page has %v", Roles())
	}
	if _, err := Of("mayor"); err == nil || !strings.Contains(err.Error(), "mayor") {
		t.Errorf("an unknown role: %v", err)
	}
}
