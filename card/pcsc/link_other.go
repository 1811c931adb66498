//go:build !linux && !freebsd && !openbsd && !netbsd && !windows

package pcsc

import (
	"context"

	"github.com/jitsuin/jitsuin"
)

func dial(context.Context) (link, error) {
	return nil, jitsuin.Errorf(jitsuin.Unsupported, "pcsc-platform", "readers are not reached on this system").
		WithHint("its PC/SC cannot be called without cgo; use a card by its ID, its folder or its socket")
}
