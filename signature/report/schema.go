package report

import (
	_ "embed" // the part of the schema that is this package's
	"encoding/json"
	"sync"

	"github.com/jitsuin/jitsuin/signature"
)

//go:embed document.schema.json
var ownSchema []byte

// Schema gives the JSON Schema (draft 2020-12) of a Document. What belongs to a technical report comes
// from package signature, the rest is generated from the types by a test.
func Schema() []byte { return schema() }

// parts is a JSON Schema as far as it is put together here.
type parts struct {
	Defs   map[string]*definition `json:"$defs"`
	Ref    string                 `json:"$ref,omitempty"`
	Schema string                 `json:"$schema,omitempty"`
	Title  string                 `json:"title,omitempty"`
}

// definition is an object: what is not looked into stays as it is.
type definition struct {
	AdditionalProperties json.RawMessage            `json:"additionalProperties,omitempty"`
	Properties           map[string]json.RawMessage `json:"properties"`
	Required             []string                   `json:"required,omitempty"`
	Type                 string                     `json:"type"`
}

var schema = sync.OnceValue(func() []byte {
	raw, err := join(signature.Schema(), ownSchema)
	if err != nil {
		panic(err) // files of this program, which a test has read
	}
	return raw
})

// join puts a document's own members beside those of a report.
func join(report, own []byte) ([]byte, error) {
	var all, mine parts
	if err := json.Unmarshal(report, &all); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(own, &mine); err != nil {
		return nil, err
	}
	document := all.Defs["Report"]
	delete(all.Defs, "Report")
	for name, d := range mine.Defs {
		all.Defs[name] = d
	}
	for name, p := range mine.Defs["Document"].Properties {
		document.Properties[name] = p
	}
	document.Required = append(document.Required, mine.Defs["Document"].Required...)
	all.Defs["Document"] = document
	all.Ref, all.Title = "#/$defs/Document", "Jitsuin verification report"
	raw, err := json.MarshalIndent(all, "", "  ")
	return append(raw, '\n'), err
}
