package report

import _ "embed" // the schema

//go:embed report.schema.json
var schema []byte

// Schema gives the JSON Schema (draft 2020-12) of a report. It is generated from the types by a test.
func Schema() []byte { return schema }
