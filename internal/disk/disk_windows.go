package disk

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// Of gives the space of the file system that path lies on.
func Of(path string) (Space, error) {
	name, err := windows.UTF16PtrFromString(path)
	var s Space
	var free uint64
	if err == nil {
		err = windows.GetDiskFreeSpaceEx(name, &s.Free, &s.Total, &free)
	}
	if err != nil {
		return Space{}, fmt.Errorf("space of %s: %w", path, err)
	}
	return s, nil
}
