package config

import _ "embed"

//go:embed e2eimage.schema.json
var schema string

// Schema is the JSON schema of e2eimage.yaml, for editors. It knows names, types
// and simple values; Resolve checks everything.
func Schema() []byte { return []byte(schema) }
