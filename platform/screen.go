package platform

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
)

// Logins on another device as a part of the platform: package errand has the pages.

// screenKey is with what the digits are drawn that another device shows: it comes from the platform's own key.
func (p *Platform) screenKey() []byte {
	d, err := p.Self.Key.Bytes()
	if err != nil {
		panic(err) // a P-256 key that was read
	}
	key, err := hkdf.Key(sha256.New, d, nil, "jitsuin errands on another device", 32)
	if err != nil {
		panic(err) // 32 bytes can always be had
	}
	return key
}

// openAt gives the address of the holder's page for a request.
func (p *Platform) openAt(txn jitsuin.ID) (string, error) {
	made, err := p.madeRequest(api.RequestClaims{Txn: txn})
	return made.Open, err
}

// recordErrand writes a line about a login on another device: who began it is not known, and who answered stands in the lines of the login.
func (p *Platform) recordErrand(ctx context.Context, tx *store.Tx, act string, v errand.Visit, detail map[string]string) error {
	l := audit.Line{Who: p.Self.ID, Act: act, Subject: string(v.Txn), Detail: map[string]string{"errand": v.Name}}
	for k, d := range detail {
		l.Detail[k] = d
	}
	return audit.Record(ctx, tx, p.Clock.Now(), l)
}
