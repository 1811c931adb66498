package backup

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

// Format of the archive: a tar of manifest.json and the files that it names, gzip, age.
const Format = 1

const manifestName = "manifest.json"

// Manifest says what an archive holds.
type Manifest struct {
	Format  int        `json:"format"`
	ID      jitsuin.ID `json:"id"`
	Version string     `json:"version"` // of the program that took it
	TakenAt time.Time  `json:"taken_at"`
	Country bool       `json:"country"` // a whole country, else one actor
	// Pause is how long nothing could be committed for the copy to be one cut.
	Pause  time.Duration `json:"pause_ns"`
	Actors []Actor       `json:"actors"`
	Files  []File        `json:"files"`
}

// Actor is one actor in an archive.
type Actor struct {
	Instance string `json:"instance"`
	Role     string `json:"role"`
	// Database is "sqlite", "none" (the card host), or "external": not in the archive.
	Database string         `json:"database"`
	Schemas  map[string]int `json:"schemas,omitempty"` // by table of versions
	// Sent has the last position of each feed that the actor sends, Read that of each it follows, by
	// "SOURCE TOPIC".
	Sent map[string]jitsuin.Position `json:"sent,omitempty"`
	Read map[string]jitsuin.Position `json:"read,omitempty"`
	// Signatures is the last number of the CA's journal of signatures and Epoch that of serial numbers.
	Signatures uint64 `json:"signatures,omitempty"`
	Epoch      uint32 `json:"serial_epoch,omitempty"`
}

// File is one file of an archive. Its path tells its place: country/PATH is relative to the data folder,
// actors/NAME/state/PATH to the state folder, cards/PATH to the folder of the chips;
// actors/NAME/database.sqlite is the database, and for an actor alone actors/NAME/config.yaml its
// configuration and actors/NAME/files/MEMBER a file that it names.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	Mode   uint32 `json:"mode"`
	SHA256 string `json:"sha256"`
}

// Actor finds an actor of the archive.
func (m *Manifest) Actor(instance string) (Actor, bool) {
	for _, a := range m.Actors {
		if a.Instance == instance {
			return a, true
		}
	}
	return Actor{}, false
}
