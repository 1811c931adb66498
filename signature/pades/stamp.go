package pades

import (
	"context"
	"crypto"
	"fmt"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// Archive adds a document time-stamp (ISO 32000-2 §12.8.5): it covers everything before it, evidence included, and so makes
// B-LT into B-LTA. Done again before the time-stamp's own certificate or algorithm grows too old, it renews
// the proof. room is for the token, in octets; 0 is DefaultStampRoom. Errors are those of Prepare and of by; a
// token that is not over this document is refused with Invalid "pdf-signature".
func Archive(ctx context.Context, document []byte, by cms.Timestamper, room int) ([]byte, error) {
	if room == 0 {
		room = DefaultStampRoom
	}
	p, err := prepare(document, kind{stamp: true}, room)
	if err != nil {
		return nil, err
	}
	h := crypto.SHA256
	sum := p.Digest(h)
	token, err := by(ctx, h, sum)
	if err != nil {
		return nil, fmt.Errorf("time-stamp the document: %w", err)
	}
	read, err := tsp.Parse(token)
	if err != nil {
		return nil, err
	}
	if result := read.Verify(sum, nil); !result.Intact() {
		return nil, unfit("%s", firstFault(result))
	}
	return p.put(token)
}
