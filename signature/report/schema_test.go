package report_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/report"
)

// TestSchema holds the JSON form to what is published.
func TestSchema(t *testing.T) {
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	top := registry.Schema(reflect.TypeFor[report.Document](), false, "Document")
	raw, err := json.Marshal(map[string]any{"$defs": registry.Map()})
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	all["$schema"], all["$ref"], all["title"] = "https://json-schema.org/draft/2020-12/schema", "#/$defs/Document", "Jitsuin verification report"
	if *update {
		writeOwn(t, all["$defs"].(map[string]any))
		return
	}
	var got map[string]any
	if err := json.Unmarshal(report.Schema(), &got); err != nil {
		t.Fatal(err)
	}
	for _, schema := range []map[string]any{all, got} {
		slices.SortFunc(schema["$defs"].(map[string]any)["Document"].(map[string]any)["required"].([]any), func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	}
	if !reflect.DeepEqual(got, all) {
		t.Fatal("the report is no longer what its schema promises; if that is meant, run the tests of signature and of this package with -update")
	}
	for _, s := range samples(t) {
		d := document(t, s).Of("契約書.pdf", content).Made("platform:1", signtest.Now)
		for what, c := range map[string]struct {
			change func(map[string]any)
			fits   bool
		}{
			"as it is":              {func(map[string]any) {}, true},
			"another verdict":       {func(v map[string]any) { v["verdict"] = "FINE" }, false},
			"no reasons":            {func(v map[string]any) { delete(v, "reasons") }, false},
			"no legal reading":      {func(v map[string]any) { delete(v, "legal") }, false},
			"another action":        {func(v map[string]any) { v["legal"].(map[string]any)["action"] = "applaud" }, false},
			"a member of no report": {func(v map[string]any) { v["valid"] = true }, false},
		} {
			raw, err := d.JSON()
			if err != nil {
				t.Fatal(err)
			}
			var value map[string]any
			if err := json.Unmarshal(raw, &value); err != nil {
				t.Fatal(err)
			}
			c.change(value)
			result := &huma.ValidateResult{}
			huma.Validate(registry, top, huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, value, result)
			if (len(result.Errors) == 0) != c.fits {
				t.Errorf("%s, %s: %v", s.name, what, result.Errors)
			}
		}
	}
}

// writeOwn writes what is not a technical report's.
func writeOwn(t *testing.T, all map[string]any) {
	t.Helper()
	var theirs map[string]any
	if err := json.Unmarshal(signature.Schema(), &theirs); err != nil {
		t.Fatal(err)
	}
	defs := theirs["$defs"].(map[string]any)
	document, plain := all["Document"].(map[string]any), defs["Report"].(map[string]any)
	for name := range plain["properties"].(map[string]any) {
		delete(document["properties"].(map[string]any), name)
	}
	document["required"] = slices.DeleteFunc(document["required"].([]any), func(name any) bool { return slices.Contains(plain["required"].([]any), name) })
	for name := range defs {
		delete(all, name)
	}
	raw, err := json.MarshalIndent(map[string]any{"$defs": all}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("document.schema.json", append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
