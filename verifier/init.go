package verifier

import (
	_ "embed" // the file that is written
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/files"
)

//go:embed verifier.yaml
var example []byte

// Init makes the folders of a verifier and its configuration file. A folder that has one already is a Conflict.
func Init(folder string) error {
	path := filepath.Join(folder, "verifier.yaml")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return jitsuin.Errorf(jitsuin.Conflict, "verifier-exists", "there is %s already", path).WithHint("name another folder, or use that verifier")
	}
	for _, sub := range []string{"anchors", "status"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o755); err != nil {
			return fmt.Errorf("make the folder of a verifier: %w", err)
		}
	}
	return files.Replace(path, example, 0o644)
}
