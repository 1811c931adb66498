package platform_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/apidoc"
)

func init() {
	access["GET /docs"], access["GET /llms.txt"] = everybody, everybody
}

func (b *bank) fetch(path, lang string) string {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.Origin+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept-Language", lang)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return string(raw)
}

// Every operation has a summary, an example for each JSON body that its schema allows, and its errors.
func TestTheDescriptionIsComplete(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	b.Platform.API.Describe(func(doc *huma.OpenAPI) {
		n := 0
		for _, op := range apidoc.Operations(doc) {
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) == 0 {
				t.Errorf("%s %s lacks its summary", op.Method, op.Path)
			}
			check := func(what string, m *huma.MediaType, mode huma.ValidateMode) {
				if m == nil || m.Schema == nil {
					return
				}
				n++
				var plain any
				raw, err := json.Marshal(m.Example)
				if err == nil {
					err = json.Unmarshal(raw, &plain)
				}
				if err != nil || plain == nil {
					t.Errorf("%s %s: no example, %v", op.OperationID, what, err)
					return
				}
				result := &huma.ValidateResult{}
				huma.Validate(doc.Components.Schemas, m.Schema, huma.NewPathBuffer(nil, 0), mode, plain, result)
				for _, e := range result.Errors {
					t.Errorf("%s %s: the example %s does not fit the schema: %v", op.OperationID, what, raw, e)
				}
			}
			if op.RequestBody != nil {
				check("request", op.RequestBody.Content["application/json"], huma.ModeWriteToServer)
			}
			failures := 0
			for status, resp := range op.Responses {
				check(status, resp.Content["application/json"], huma.ModeReadFromServer)
				if status[0] == '4' || status[0] == '5' {
					failures++
				}
			}
			if failures < 1 {
				t.Errorf("%s says of no error", op.OperationID)
			}
		}
		if n < 20 {
			t.Errorf("only %d bodies have examples", n)
		}
	})
	var doc struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal([]byte(b.fetch("/openapi.json", "en")), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/token"] == nil {
		t.Errorf("%s, %d paths, %v", doc.OpenAPI, len(doc.Paths), err)
	}
}

// statusOf are the statuses of kinds, as package httpapi has them; the kinds are constants of the root package.
var statusOf = map[string]int{"Invalid": 400, "Unauthenticated": 401, "Denied": 403, "NotFound": 404, "Conflict": 409, "Locked": 423, "Revoked": 410,
	"Expired": 410, "Limited": 429, "Unsupported": 501, "Unavailable": 503, "Internal": 500}

// An error that an operation is said to have is one that the sources make, with that status.
func TestDocumentedErrorsAreMade(t *testing.T) {
	t.Parallel()
	made := map[string]bool{"400 request-form": true} // made by the schema
	files := token.NewFileSet()
	for _, dir := range []string{".", "../internal/httpapi", "../signature", "../rules", "../internal/web"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			constants := map[string]string{}
			ast.Inspect(f, func(n ast.Node) bool {
				if c, ok := n.(*ast.CallExpr); ok {
					noteError(made, constants, c)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, "sqlite::memory:", nil)
	n := 0
	b.Platform.API.Describe(func(doc *huma.OpenAPI) {
		for _, op := range apidoc.Operations(doc) {
			for _, f := range apidoc.Failures(op) {
				n++
				if !made[fmt.Sprintf("%d %s", f.Status, f.Code)] {
					t.Errorf("%s: nothing makes %d %s", op.OperationID, f.Status, f.Code)
				}
			}
		}
	})
	if n < 100 || len(made) < 100 {
		t.Errorf("%d errors are said, %d are made", n, len(made))
	}
}

// noteError notes status and code of a call that makes an error: a kind of the root package, and the code after it.
func noteError(made map[string]bool, _ map[string]string, c *ast.CallExpr) {
	for i, a := range c.Args {
		kind, ok := a.(*ast.SelectorExpr)
		if !ok || statusOf[kind.Sel.Name] == 0 || i+1 >= len(c.Args) {
			continue
		}
		if lit, ok := c.Args[i+1].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if code, err := strconv.Unquote(lit.Value); err == nil {
				made[fmt.Sprintf("%d %s", statusOf[kind.Sel.Name], code)] = true
			}
		}
	}
	// helpers of one kind, whose code is an argument or stands in them
	if f, ok := c.Fun.(*ast.Ident); ok && f.Name == "refuse" {
		made["401 token"] = true
	}
}

// The errors of a verification come as they are documented.
func TestErrorsAreAsDocumented(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	documented := map[string]bool{}
	b.Platform.API.Describe(func(doc *huma.OpenAPI) {
		for _, f := range apidoc.Failures(doc.Paths["/v1/verifications"].Post) {
			documented[f.Code] = true
		}
	})
	signed := b.signed(b.Agency.Resident("霧島　花子"))
	for want, change := range map[string]func(*api.VerificationRequest){
		"purpose":             func(r *api.VerificationRequest) { r.Purpose = "marketing" },
		"purpose-kind":        func(r *api.VerificationRequest) { r.Purpose = "login" },
		"signature-missing":   func(r *api.VerificationRequest) { r.Document, r.Signature = nil, nil },
		"document-and-digest": func(r *api.VerificationRequest) { r.DocumentDigest = make([]byte, 32) },
		"digest-length":       func(r *api.VerificationRequest) { r.Document, r.DocumentDigest = nil, []byte("x") },
	} {
		r := signed
		change(&r)
		_, err := b.verifyAs(b.tenant, r)
		if jitsuin.CodeOf(err) != want || !documented[want] {
			t.Errorf("want %s (documented %v), got %v", want, documented[want], err)
		}
	}
}

func TestTheReferencePage(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	for lang, title := range map[string]string{"ja": "APIリファレンス", "en": "API reference"} {
		page := b.fetch("/docs", lang)
		for _, want := range []string{title, `id="verify"`, "/v1/verifications", "idempotency-key-missing", "docs/login-in-ten-minutes.md", "/openid/.well-known/openid-configuration", "Authorization: Bearer $T", "TOTAL-PASSED"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page in %s lacks %q", lang, want)
			}
		}
		if strings.Contains(page, "https://cdn") || strings.Contains(page, "//unpkg") {
			t.Error("the page fetches from others")
		}
	}
	if text := b.fetch("/llms.txt", "en"); !strings.Contains(text, "POST /v1/verifications") || !strings.Contains(text, "docs/login-in-ten-minutes.md") || !strings.HasPrefix(text, "# ") {
		t.Errorf("llms.txt: %.200s", text)
	}
}
