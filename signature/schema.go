package signature

import _ "embed" // the schema

//go:embed testdata/report.schema.json
var schema []byte

// Schema gives the JSON Schema (draft 2020-12) of a Report. It is generated from the types by a test.
func Schema() []byte { return schema }
