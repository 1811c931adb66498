//go:build !linux && !darwin && !freebsd && !windows

package disk

import (
	"errors"
	"fmt"
)

// Of gives the space of the file system that path lies on.
func Of(path string) (Space, error) {
	return Space{}, fmt.Errorf("space of %s: %w", path, errors.ErrUnsupported)
}
