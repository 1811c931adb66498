package securities

import (
	"context"
	"time"
)

// Forget does at once what the firm does now and then.
func (f *Firm) Forget(ctx context.Context, now time.Time) error { return f.forgetTokens(ctx, now) }
