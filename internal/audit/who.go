package audit

import (
	"context"

	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Who names who acts in ctx as a line of the log would: a person of the office, else the caller.
func Who(ctx context.Context) string {
	if p, ok := ctx.Value(ctxKey{}).(Person); ok && p.Name != "" {
		return p.Name
	}
	return httpapi.CallerOf(ctx).ID
}
