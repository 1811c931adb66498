package host

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// throughFolder runs use with a name for path that is short enough for a socket: where the name
// itself is too long, through an open descriptor of its folder.
func throughFolder(path string, use func(short string) error) error {
	if len(path) <= maxSocketPath {
		return use(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	short := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	if len(short) > maxSocketPath {
		return errPathTooLong(path)
	}
	return use(short)
}

func listenUnix(path string) (listener *net.UnixListener, err error) {
	err = throughFolder(path, func(short string) (err error) {
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	return listener, err
}

func dialUnix(ctx context.Context, path string) (conn net.Conn, err error) {
	err = throughFolder(path, func(short string) (err error) {
		var dialer net.Dialer
		conn, err = dialer.DialContext(ctx, "unix", short)
		return err
	})
	return conn, err
}
