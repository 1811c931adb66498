package apidoc

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const exampleID = "0123456789abcdef0123456789abcdef"

// requests are examples that a schema alone would not give: what is sent for a purpose, and nothing beside it.
var requests = map[string]string{
	"verify":             `{"document": "56eB44Gv5Y+W5byV57SE5qy+44Gr5ZCM5oSP44GX44G+44GZ44CCCg==", "signature": "MIII/wYJKoZIhvcNAQcCoIII8DCCCOw=", "purpose": "contract"}`,
	"login-challenge":    `{"origin": "https://shop.example", "purpose": "ログイン"}`,
	"make-adapter-token": `{"name": "web shop", "scopes": ["verify"]}`,
}

// byName are values of members by their name, where the schema gives none.
var byName = map[string]any{
	"id": exampleID, "token": "jad_3q2-7w…", "request_id": exampleID, "txn": exampleID, "challenge_id": exampleID, "record": exampleID, "verification": exampleID,
	"purpose": "contract", "origin": "https://shop.example", "origins": []any{"https://shop.example"}, "name": "私の店", "name_en": "My shop", "reason": "as agreed on the telephone",
	"key": exampleID, "law": "民法166条", "verdict": "TOTAL-PASSED", "tenant": "tenant:my-shop", "user": exampleID,
}

// addExamples gives the JSON bodies of an operation their examples.
func addExamples(r huma.Registry, op *huma.Operation) {
	if op.RequestBody != nil {
		for _, m := range op.RequestBody.Content {
			if m.Example != nil || m.Schema == nil {
				continue
			}
			if text, ok := requests[op.OperationID]; ok {
				if err := json.Unmarshal([]byte(text), &m.Example); err != nil {
					panic(err) // it is compiled in
				}
				continue
			}
			m.Example = Example(r, m.Schema, "")
		}
	}
	for status, resp := range op.Responses {
		for form, m := range resp.Content {
			if m.Example == nil && m.Schema != nil && strings.HasPrefix(status, "2") && form == "application/json" {
				m.Example = Example(r, m.Schema, "")
			}
		}
	}
}

// Example makes a value that the schema allows, of the members that it requires and those that have an example.
func Example(r huma.Registry, s *huma.Schema, name string) any { return example(r, s, name, 0) }

func example(r huma.Registry, s *huma.Schema, name string, depth int) any {
	if s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		if v, ok := byName[name]; ok && slices.Contains(s.Enum, v) {
			return v
		}
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return example(r, s.OneOf[0], name, depth)
	}
	switch s.Type {
	case huma.TypeObject:
		out := map[string]any{}
		for member, p := range s.Properties {
			if depth < 6 && member != "$schema" && (slices.Contains(s.Required, member) || len(p.Examples) > 0) {
				out[member] = example(r, p, member, depth+1)
			}
		}
		return out
	case huma.TypeArray:
		if v, ok := byName[name]; ok {
			if list, is := v.([]any); is {
				return list
			}
		}
		if s.Items == nil || depth > 4 {
			return []any{}
		}
		return []any{example(r, s.Items, name, depth+1)}
	case huma.TypeBoolean:
		return true
	case huma.TypeInteger, huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case huma.TypeString:
		return text(s, name)
	}
	return nil
}

// text makes a string that the schema allows.
func text(s *huma.Schema, name string) string {
	switch {
	case s.Format == "date-time":
		return "2026-11-26T09:00:00Z"
	case s.Format == "date":
		return "2026-11-26"
	case s.ContentEncoding == "base64":
		return "MIIB"
	}
	if v, ok := byName[name].(string); ok && (s.MaxLength == nil || len(v) <= *s.MaxLength) {
		return v
	}
	out := "text"
	for s.MinLength != nil && len(out) < *s.MinLength {
		out += "x"
	}
	return out
}
