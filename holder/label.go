package holder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Labels are what the holder calls their cards, such as the name of whose card it is. A card says
// its holder's name only to the signature password, so the label lies beside the cards, in
// DATA/labels; it is a note and proves nothing.

const maxLabel = 100 // characters

func (c Cards) labelPath(id jitsuin.ID) string {
	return filepath.Join(filepath.Dir(c.dir), "labels", string(id))
}

// SetLabel notes what the card is called.
func (c Cards) SetLabel(id jitsuin.ID, label string) error {
	label = strings.TrimSpace(label)
	if strings.ContainsAny(label, "\r\n\t") || len([]rune(label)) > maxLabel {
		return jitsuin.Errorf(jitsuin.Invalid, "label-form", "a label is one line of at most %d characters", maxLabel)
	}
	path := c.labelPath(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("label of a card: %w", err)
	}
	if err := os.WriteFile(path, []byte(label+"\n"), 0o600); err != nil {
		return fmt.Errorf("label of a card: %w", err)
	}
	return nil
}

// Label gives what the card is called, "" where nobody noted anything.
func (c Cards) Label(id jitsuin.ID) (string, error) {
	raw, err := os.ReadFile(c.labelPath(id))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("label of a card: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}
