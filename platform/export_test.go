package platform

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin/internal/store"
)

func init() { pageWait = 300 * time.Millisecond }

// CheckBatch tells why a batch is not taken.
var CheckBatch = checkBatch

// Tell stores an event in a transaction of its own.
func (p *Platform) Tell(ctx context.Context, tenant, kind string, data any) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error { return p.tell(tx, tenant, kind, data) })
}

// ClaimTurns claims n checks of the queue, one after the other, and gives whose they are.
func (p *Platform) ClaimTurns(ctx context.Context, n int) (turns []string, err error) {
	turn := ""
	for range n {
		err := p.DB.Update(ctx, func(tx *store.Tx) error {
			q, ok, err := claimQueued(tx, turn, time.Now(), time.Hour)
			if turn = q.tenant; !ok {
				turn = "nobody"
			}
			return err
		})
		if err != nil {
			return turns, err
		}
		turns = append(turns, turn)
	}
	return turns, nil
}

// NextRecordEnd gives when a record of the vaults ends next.
func (p *Platform) NextRecordEnd(ctx context.Context) (due time.Time, ok bool, err error) {
	return p.nextRecordEnd(ctx)
}

// Enter takes a turn.
func (p *Platform) Enter(ctx context.Context, tenant string) (leave func(), err error) {
	return p.enter(ctx, tenant)
}

// Waiting is how many wait for their turn.
func (p *Platform) Waiting() int {
	_, waiting := p.checks.Load()
	return waiting
}

// EndUnused ends what nobody used in the sandbox by a wall time.
func (p *Platform) EndUnused(ctx context.Context, now time.Time) error { return p.endUnused(ctx, now) }

// SeenAt has a tenant be used at a wall time.
func (p *Platform) SeenAt(id string, at time.Time) { p.members.get(id).seen.Store(at.UnixMicro()) }
