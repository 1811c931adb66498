package console

import (
	"context"

	"github.com/jitsuin/jitsuin/internal/web"
)

func (c *Console) nextEvent(ctx context.Context, l web.Lang) *nextEvent { return nil }
