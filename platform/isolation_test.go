package platform_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/internal/store"
)

// everyTenant begins a query that means to cross tenants; why follows: /* every tenant: WHY */.
const everyTenant = "/* every tenant: "

// A query that touches a table of tenants' things names the tenant, or says why it does not.
func TestEveryQueryNamesItsTenant(t *testing.T) {
	t.Parallel()
	tables := tenantTables(t)
	if len(tables) < 5 {
		t.Fatalf("only these tables have a tenant: %v", tables)
	}
	n := 0
	for at, text := range queries(t) {
		table, bad := crossesTenants(text, tables)
		if table != "" {
			n++
		}
		if bad {
			t.Errorf("%s: a query of %s does not name its tenant:\n%s", at, table, text)
		}
	}
	if n < 20 {
		t.Errorf("only %d queries of tenants' tables were found", n)
	}
}

func TestWhatAQueryMustSay(t *testing.T) {
	t.Parallel()
	tables := []string{"checks", "users"}
	for text, bad := range map[string]bool{
		"SELECT a FROM checks WHERE id = $1 AND tenant = $2":                                false,
		"SELECT a FROM checks WHERE id = $1":                                                true,
		"SELECT a FROM checks c JOIN users u ON u.tenant = c.tenant WHERE c.id = $1":        true, // compared with each other, not with who asks
		"SELECT a FROM checks c JOIN users u ON u.tenant = c.tenant WHERE c.tenant = $1":    false,
		"UPDATE checks SET a = $1 WHERE id = $2":                                            true,
		"UPDATE checks SET tenant = $1 WHERE id = $2":                                       true, // sets it, does not ask for it
		"DELETE FROM users WHERE tenant = $1":                                               false,
		"INSERT INTO checks (id, tenant) VALUES ($1, $2)":                                   false,
		"INSERT INTO checks (id) VALUES ($1)":                                               true,
		"/* every tenant: the end of retention */ DELETE FROM checks WHERE keep_until < $1": false,
		"/* every tenant: */ DELETE FROM checks WHERE keep_until < $1":                      true, // no reason
		"SELECT a FROM anchors WHERE id = $1":                                               false,
		"SELECT a FROM user_things WHERE id = $1":                                           false,
	} {
		if _, got := crossesTenants(text, tables); got != bad {
			t.Errorf("%s: %v, want %v", text, got, bad)
		}
	}
}

var (
	asksTenant = regexp.MustCompile(`(?i)\btenant\s*(=|IN)\s*\(?\s*\$\d|\$\d\s*=\s*(\w+\.)?tenant\b`)
	setClause  = regexp.MustCompile(`(?is)\bSET\b.*?(\bWHERE\b|$)`)
	inserted   = regexp.MustCompile(`(?is)^\s*INSERT INTO \w+\s*\(([^)]*)\)`)
)

// crossesTenants gives the tenants' table that a query touches, "" for none, and whether it names no tenant.
func crossesTenants(text string, tables []string) (table string, bad bool) {
	for _, name := range tables {
		if regexp.MustCompile(`(?i)\b(FROM|JOIN|INTO|UPDATE)\s+` + name + `\b`).MatchString(text) {
			table = name
		}
	}
	if table == "" {
		return "", false
	}
	if why, ok := strings.CutPrefix(text, everyTenant); ok {
		reason, _, _ := strings.Cut(why, "*/")
		return table, strings.TrimSpace(reason) == ""
	}
	if m := inserted.FindStringSubmatch(text); m != nil {
		return table, !regexp.MustCompile(`\btenant\b`).MatchString(m[1]) && !strings.Contains(m[1], "+") // columns from a constant are read below
	}
	return table, !asksTenant.MatchString(setClause.ReplaceAllString(text, "$1"))
}

// tenantTables gives the tables that have a column tenant.
func tenantTables(t *testing.T) (names []string) {
	b := open(t, "sqlite::memory:", nil)
	err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) (err error) {
		names, err = store.Collect(func(s store.Scanner) (n string, err error) { return n, s.Scan(&n) })(
			tx.Query(`SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'tenant' ORDER BY m.name`))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// queries gives the SQL texts of the package and those below it by where they stand. A text that is put
// together from literals and constants is read as a whole.
func queries(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	files := token.NewFileSet()
	byPackage := map[string][]*ast.File{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, 0)
		byPackage[filepath.Dir(path)] = append(byPackage[filepath.Dir(path)], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range byPackage {
		named := constants(list)
		for _, f := range list {
			ast.Inspect(f, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				text, ok := textOf(e, named)
				if !ok {
					return true
				}
				trimmed := strings.TrimSpace(strings.TrimPrefix(text, everyTenant))
				if slices.ContainsFunc([]string{"SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "}, func(w string) bool { return strings.HasPrefix(trimmed, w) }) || strings.HasPrefix(text, everyTenant) {
					all[files.Position(e.Pos()).String()] = text
				}
				return false
			})
		}
	}
	return all
}

// constants gives the package's string constants, those made of others too.
func constants(list []*ast.File) map[string]string {
	named := map[string]string{}
	for range 3 { // a constant may stand before what it is made of
		for _, f := range list {
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.CONST {
					continue
				}
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					for i, name := range v.Names {
						if i < len(v.Values) {
							if text, ok := textOf(v.Values[i], named); ok {
								named[name.Name] = text
							}
						}
					}
				}
			}
		}
	}
	return named
}

// textOf gives the text of a literal, a constant, or a sum of them; a part that is made at run time is left out.
func textOf(e ast.Expr, named map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		s, ok := named[e.Name]
		return s, ok
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		l, ok1 := textOf(e.X, named)
		r, ok2 := textOf(e.Y, named)
		return l + r, ok1 || ok2
	}
	return "", false
}
