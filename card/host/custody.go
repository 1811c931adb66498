package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/internal/durable"
)

// custody is who has a card, as it stands in ID/custody.json. The handle is kept in plain: the
// folder holds the private keys themselves, and a repeated Transfer must give it out again.
type custody struct {
	Version   int       `json:"version"`
	Custodian Custodian `json:"custodian"`
	Handle    Handle    `json:"handle"`
	Loan      Handle    `json:"loan,omitempty"`
	// Order is the token that created the card; Moved tells that it was passed on since.
	Order string `json:"order"`
	Moved bool   `json:"moved,omitempty"`
	// The last transfer, to recognise its repetition: From and Token led to Handle.
	From  Handle `json:"from,omitempty"`
	Token string `json:"token,omitempty"`
	// Earlier transfers, the oldest first: their handles are dead, and are what a repetition still gives.
	// Somebody whose books were restored from before several transfers needs the answers in their order.
	Earlier []passage `json:"earlier,omitempty"`
}

// passage is one transfer of the past: From and Token led to Handle.
type passage struct {
	From      Handle    `json:"from"`
	Token     string    `json:"token"`
	Custodian Custodian `json:"custodian"`
	Handle    Handle    `json:"handle"`
}

// maxPassages is how many transfers are remembered: from J-LIS to the resident there are three.
const maxPassages = 8

const custodyName = "custody.json"

// readCustody gives fs.ErrNotExist where there is no such card.
func readCustody(dir string) (*custody, error) {
	b, err := os.ReadFile(filepath.Join(dir, custodyName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("read a card's custody: %w", err)
	}
	var c custody
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Internal, "custody-damaged", "the custody record in %s cannot be read", dir)
	}
	if c.Version != 1 {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "custody-version", "the custody record in %s has version %d, this program knows 1", dir, c.Version)
	}
	return &c, nil
}

func writeCustody(w durable.Writer, dir string, c *custody) error {
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode a card's custody: %w", err)
	}
	if err := w.Replace(filepath.Join(dir, custodyName), b); err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "custody-write", "record who has the card: %w", err)
	}
	return nil
}

// handed is c after the card was passed on.
func (c *custody) handed(id jitsuin.ID, to Custodian, token string) *custody {
	next := *c
	if c.Moved {
		next.Earlier = append(slices.Clone(c.Earlier), passage{c.From, c.Token, c.Custodian, c.Handle})
		next.Earlier = next.Earlier[max(0, len(next.Earlier)-maxPassages):]
	}
	next.Custodian, next.From, next.Token, next.Moved = to, c.Handle, token, true
	next.Handle = newHandle(id)
	return &next
}

// repeats gives the handle to which a transfer led, if it is one that was made: the last one's opens the
// card, those of earlier ones open nothing any more.
func (c *custody) repeats(from Handle, to Custodian, token string) (Handle, bool) {
	for _, p := range append(slices.Clone(c.Earlier), passage{c.From, c.Token, c.Custodian, c.Handle}) {
		if p.From.equal(from) && sameSecret(p.Token, token) && p.Custodian == to {
			return p.Handle, true
		}
	}
	return "", false
}
