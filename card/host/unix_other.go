//go:build !linux

package host

import (
	"context"
	"net"
)

func listenUnix(path string) (*net.UnixListener, error) {
	if len(path) > maxSocketPath {
		return nil, errPathTooLong(path)
	}
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

func dialUnix(ctx context.Context, path string) (net.Conn, error) {
	if len(path) > maxSocketPath {
		return nil, errPathTooLong(path)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", path)
}
