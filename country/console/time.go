package console

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
)

// clockBar is what the clock on a page offers.
type clockBar struct {
	Next *nextEvent // nil where nothing falls due
}

// nextEvent is the next thing that falls due.
type nextEvent struct {
	On   jitsuin.Date
	What string
}

func (c *Console) clockBar(ctx context.Context, l web.Lang) clockBar {
	return clockBar{}
}
