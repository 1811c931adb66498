package apidoc

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Group is the operations of one topic as the page shows them.
type Group struct {
	Name       string
	Operations []Operation
}

// Operation is one operation as the page shows it. Request, Response and Curl are texts to copy.
type Operation struct {
	ID, Method, Path, Summary string
	Description               []string // paragraphs
	Access                    string
	Parameters                []Member
	Members                   []Member // of the request's body
	Answer                    []Member // of the answer's body
	Status                    string   // of success
	Request, Response, Curl   string
	Go                        string // with package client, where that has the operation
	Failures                  []Failure
}

// Member is a parameter or a member of a body: in of a parameter is path, query or header.
type Member struct {
	Name, Type, Doc, In string
	Need                bool
}

// Page gives the document as the page shows it; origin is where the platform is reached.
func Page(doc *huma.OpenAPI, origin string) (groups []Group) {
	for _, op := range Operations(doc) {
		name := groupOf(op.Path)
		if len(groups) == 0 || groups[len(groups)-1].Name != name {
			groups = append(groups, Group{Name: name})
		}
		g := &groups[len(groups)-1]
		g.Operations = append(g.Operations, shown(doc.Components.Schemas, op, origin))
	}
	return groups
}

func shown(r huma.Registry, op *huma.Operation, origin string) Operation {
	text, access, _ := strings.Cut(op.Description, "\n\nAccess: ")
	out := Operation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Access: strings.TrimSuffix(access, "."), Failures: Failures(op)}
	for p := range strings.SplitSeq(text, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out.Description = append(out.Description, p)
		}
	}
	for _, p := range op.Parameters {
		m := Member{Name: p.Name, In: p.In, Need: p.Required, Doc: p.Description}
		if p.Schema != nil {
			m.Type, m.Doc = typeOf(r, p.Schema), orText(p.Description, p.Schema.Description)
		}
		out.Parameters = append(out.Parameters, m)
	}
	if op.OperationID == "token" {
		out.Failures = nil // OAuth errors, which its description names
	}
	if body, ok := jsonOf(op.RequestBody); ok {
		out.Members, out.Request = members(r, body.Schema, "", 0), pretty(body.Example)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if resp := op.Responses[status]; strings.HasPrefix(status, "2") {
			out.Status = status
			if m := resp.Content["application/json"]; m != nil && m.Schema != nil {
				out.Answer, out.Response = members(r, m.Schema, "", 0), pretty(m.Example)
			}
		}
	}
	out.Curl, out.Go = curl(op, origin), Go[op.OperationID]
	return out
}

func jsonOf(b *huma.RequestBody) (*huma.MediaType, bool) {
	if b == nil {
		return nil, false
	}
	for _, form := range []string{"application/json", "application/x-www-form-urlencoded"} {
		if m := b.Content[form]; m != nil && m.Schema != nil {
			return m, true
		}
	}
	return nil, false
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// deepest is how far members of members are listed; what lies below is in the OpenAPI document.
const deepest = 2

// members lists the members of an object and of the objects in it.
func members(r huma.Registry, s *huma.Schema, prefix string, depth int) (all []Member) {
	if s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		if name == "$schema" {
			continue
		}
		all = append(all, Member{Name: prefix + name, Type: typeOf(r, p), Doc: docOf(r, p), Need: slices.Contains(s.Required, name)})
		inner, mark := p, "."
		if p.Items != nil {
			inner, mark = p.Items, "[]."
		}
		if depth < deepest && (inner.Ref != "" || len(inner.Properties) > 0) {
			all = append(all, members(r, inner, prefix+name+mark, depth+1)...)
		}
	}
	return all
}

func docOf(r huma.Registry, s *huma.Schema) string {
	if s.Description == "" && s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	return s.Description
}

// typeOf says in a few words what a value is.
func typeOf(r huma.Registry, s *huma.Schema) string {
	if s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	name := s.Type
	switch {
	case s.ContentEncoding != "":
		name = s.ContentEncoding
	case s.Format != "":
		name = s.Format
	case s.Type == huma.TypeArray && s.Items != nil:
		name = "array of " + typeOf(r, s.Items)
	}
	if len(s.Enum) > 0 {
		var words []string
		for _, v := range s.Enum {
			words = append(words, fmt.Sprint(v))
		}
		name += ": " + strings.Join(words, ", ")
	}
	switch {
	case s.MinLength != nil && s.MaxLength != nil:
		name += fmt.Sprintf(", %d to %d characters", *s.MinLength, *s.MaxLength)
	case s.MaxLength != nil:
		name += fmt.Sprintf(", at most %d characters", *s.MaxLength)
	}
	if s.Minimum != nil && s.Maximum != nil {
		name += fmt.Sprintf(", %v to %v", *s.Minimum, *s.Maximum)
	}
	if s.MaxItems != nil {
		name += fmt.Sprintf(", at most %d", *s.MaxItems)
	}
	return name
}

func pretty(v any) string {
	if v == nil {
		return ""
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(raw)
}

// curl writes the call for a shell in which $T is an access token (or the tenant's key is at hand, for /token).
func curl(op *huma.Operation, origin string) string {
	path := op.Path
	var b strings.Builder
	for _, p := range op.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", exampleID)
		}
	}
	query := ""
	for _, p := range op.Parameters {
		if p.In == "query" && p.Required {
			query += "&" + p.Name + "=" + fmt.Sprint(Example(nil, p.Schema, p.Name))
		}
	}
	if query != "" {
		path += "?" + query[1:]
	}
	fmt.Fprintf(&b, "curl -sS --fail-with-body -X %s '%s%s'", op.Method, origin, path)
	if len(op.Security) > 0 {
		b.WriteString(" \\\n  -H \"Authorization: Bearer $T\"")
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Idempotency-Key" }) {
		b.WriteString(" \\\n  -H \"Idempotency-Key: $(openssl rand -hex 16)\"")
	}
	if op.OperationID == "token" {
		b.WriteString(" \\\n  -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer -d \"assertion=$ASSERTION\"")
	} else if m, ok := jsonOf(op.RequestBody); ok && m.Example != nil {
		raw, err := json.Marshal(m.Example)
		if err == nil {
			fmt.Fprintf(&b, " \\\n  -H 'Content-Type: application/json' \\\n  -d '%s'", strings.ReplaceAll(string(raw), "'", `'\''`))
		}
	}
	return b.String()
}

// LLMs gives the document as a short text for assistants (llms.txt): what there is, and where the rest stands.
func LLMs(doc *huma.OpenAPI, origin string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n> Verifies documents and logins signed with My Number Cards for its tenants. Sandbox software: people and cards are invented.\n\n", doc.Info.Title)
	fmt.Fprintf(&b, "- [OpenAPI 3.1](%s/openapi.json): every shape, example and error\n- [Reference for people](%s/docs)\n- [Discovery document of the OpenID provider](%s/openid/.well-known/openid-configuration): residents log in by standard OpenID Connect\n", origin, origin, origin)
	b.WriteString("- Guides, in the sources: docs/verify-in-ten-minutes.md (the first verification), docs/login-in-ten-minutes.md (log in with the card, in Go, TypeScript and behind a proxy), docs/sign-api.md (signatures in the shapes of the state's sign API)\n\n")
	b.WriteString("Callers are tenants: an assertion (JWT, ES256, iss = sub = tenant, aud = platform:1) buys an access token of five minutes at POST /token (RFC 7523). Calls that change something carry Idempotency-Key. Errors are problem documents (RFC 9457) with a stable code. A bad signature is no error: read report.verdict.\n")
	for _, g := range Page(doc, origin) {
		fmt.Fprintf(&b, "\n## %s\n\n", g.Name)
		for _, op := range g.Operations {
			fmt.Fprintf(&b, "- %s %s: %s\n", op.Method, op.Path, op.Summary)
		}
	}
	return b.String()
}
