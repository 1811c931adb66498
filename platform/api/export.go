package api

import (
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// ExportFormat names the form of an export of records; ManifestName and ManifestSignature are its first two files.
const (
	ExportFormat      = "jitsuin-records/1"
	ManifestName      = "manifest.json"
	ManifestSignature = "manifest.p7s"
)

// ExportManifest says what an export of records holds. Its signature (CMS, detached) is the platform's.
type ExportManifest struct {
	Format   string           `json:"format"`
	Platform string           `json:"platform"`
	Tenant   string           `json:"tenant"`
	MadeAt   time.Time        `json:"made_at" doc:"civil time"`
	Purpose  string           `json:"purpose" doc:"that was stated"`
	Next     string           `json:"next,omitempty" doc:"there are more records: after this one"`
	Records  []ExportedRecord `json:"records"`
	Files    []ExportedFile   `json:"files"`
}

// ExportedRecord is a record of an export, with the head of its entries.
type ExportedRecord struct {
	ID      jitsuin.ID   `json:"id"`
	Kind    rules.Record `json:"kind"`
	Entries int          `json:"entries"`
	Head    string       `json:"head"`
}

// ExportedFile is a file of an export.
type ExportedFile struct {
	Path   string `json:"path"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}
