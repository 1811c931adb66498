package platform

import (
	"context"

	"github.com/jitsuin/jitsuin/internal/store"
)

// Tell stores an event in a transaction of its own.
func (p *Platform) Tell(ctx context.Context, tenant, kind string, data any) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error { return p.tell(tx, tenant, kind, data) })
}
