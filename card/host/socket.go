package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/vpcd"
)

// socketName is where programs of the holder's account find a card.
func socketName(id jitsuin.ID) string { return string(id) + ".sock" }

// maxSocketPath is the room in sockaddr_un, less the zero at the end.
var maxSocketPath = func() int {
	if runtime.GOOS == "linux" || runtime.GOOS == "windows" {
		return 107
	}
	return 103 // macOS and the BSDs
}()

type socket struct {
	listener *net.UnixListener
	path     string
}

// serveHolder opens the socket of a card that the holder has, and closes that of one that the
// holder has no longer. The caller holds s.mu.
func (s *slot) serveHolder() error {
	if s.custody.Custodian != Holder {
		s.closeSocket()
		return nil
	}
	if s.socket != nil || s.host.ctx.Err() != nil {
		return nil
	}
	path := filepath.Join(s.host.dir, socketName(s.id))
	// The folder is locked, so a socket that lies there is a dead process's.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an old socket: %w", err)
	}
	listener, err := listenUnix(path)
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false) // it may know the path by another name
	if runtime.GOOS != "windows" {   // there the access list of the folder decides
		if err := os.Chmod(path, 0o600); err != nil {
			listener.Close()
			return fmt.Errorf("close the socket to others: %w", err)
		}
	}
	s.socket = &socket{listener, path}
	s.host.tasks.Go(func() { s.accept(listener) })
	return nil
}

// closeSocket takes the socket away; the caller holds s.mu and evicts who uses it.
func (s *slot) closeSocket() {
	if s.socket == nil {
		return
	}
	s.socket.listener.Close()
	if err := os.Remove(s.socket.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.host.options.Log.Error("remove a card's socket", "card", s.id, "error", err)
	}
	s.socket = nil
}

func (s *slot) accept(listener *net.UnixListener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.host.options.Log.Error("accept on a card's socket", "card", s.id, "error", err)
			return
		}
		s.host.tasks.Go(func() {
			if err := s.serveConn(conn); err != nil {
				s.host.options.Log.Info("a card's socket", "card", s.id, "error", err)
			}
		})
	}
}

// serveConn serves one program; one that finds the card in use is hung up on.
func (s *slot) serveConn(conn net.Conn) error {
	defer conn.Close()
	l, err := s.lease(s.host.ctx, "", s.mayServe)
	if err != nil {
		return err
	}
	defer l.Close()
	return vpcd.Serve(l.ctx, conn, l)
}

// OpenSocket opens the card behind DATA/cards/ID.sock, as any program of the holder may. NotFound
// "card-missing" where there is no socket, Unavailable "card-gone" where its host has died,
// Conflict "card-in-use" where another program has the card.
func OpenSocket(ctx context.Context, path string) (reader.Card, error) {
	conn, err := dialUnix(ctx, path)
	switch {
	case err != nil && isMissing(path):
		return nil, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no card at %s: %w", path, err)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, wsaRefused):
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "no card host serves %s: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("open the card at %s: %w", path, err)
	}
	card := vpcd.NewConn(conn)
	if err := card.Power(ctx, true); err == nil {
		if _, err = card.ATR(ctx); err == nil {
			return card, nil
		}
	}
	conn.Close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, errInUse()
}

// wsaRefused is WSAECONNREFUSED, which Windows says for ECONNREFUSED, and also where there is no socket.
const wsaRefused = syscall.Errno(10061)

func isMissing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func errPathTooLong(path string) error {
	return jitsuin.Errorf(jitsuin.Unsupported, "socket-path", "the name %s has %d bytes, a socket's has at most %d", path, len(path), maxSocketPath).
		WithHint("use a data folder with a shorter name")
}
