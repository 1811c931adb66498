package holder

import (
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestLabels(t *testing.T) {
	c, id := CardsIn(t.TempDir()), jitsuin.NewID()
	if l, err := c.Label(id); l != "" || err != nil {
		t.Fatalf("nobody noted anything: %q, %v", l, err)
	}
	if err := c.SetLabel(id, "例川　花子"); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"two\nlines", strings.Repeat("長", 101)} {
		if err := c.SetLabel(id, bad); jitsuin.CodeOf(err) != "label-form" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if l, err := c.Label(id); l != "例川　花子" || err != nil {
		t.Fatalf("%q, %v", l, err)
	}
}
