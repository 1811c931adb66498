package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/danielgtaylor/huma/v2"

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
	got, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("report.schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(got, report.Schema()) {
		t.Fatal("the report is no longer what report.schema.json promises; if that is meant, run this test with -update")
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
