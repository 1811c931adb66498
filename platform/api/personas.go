package api

import "github.com/jitsuin/jitsuin"

// SandboxPersona is a named person of a sandbox: Secret is what their users' ids are made from, the same in every country of the
// same seed.
type SandboxPersona struct {
	Secret       string               `json:"secret" minLength:"32" maxLength:"64"`
	Certificates []PersonaCertificate `json:"certificates" minItems:"1" maxItems:"8"`
}

// PersonaCertificate names a certificate as J-LIS does.
type PersonaCertificate struct {
	Kind   jitsuin.CertKind `json:"kind"`
	Serial string           `json:"serial" maxLength:"40" doc:"発行番号, 32 hex digits"`
}

// SandboxPersonas are the named people of a sandbox.
type SandboxPersonas struct {
	Personas []SandboxPersona `json:"personas" maxItems:"100"`
}

// PersonasKnown is how many were told.
type PersonasKnown struct {
	Personas int `json:"personas"`
}
