//go:build linux || darwin || freebsd

package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Of gives the space of the file system that path lies on.
func Of(path string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Space{}, fmt.Errorf("space of %s: %w", path, err)
	}
	size := uint64(s.Bsize)
	return Space{Free: uint64(s.Bavail) * size, Total: uint64(s.Blocks) * size}, nil
}
