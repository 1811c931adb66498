package vpcd

import (
	"net"
	"syscall"
)

// quickAck asks the kernel to acknowledge at once. vpcd writes length and bytes apart and
// without TCP_NODELAY, so that a delayed acknowledgement costs 40 ms a command. The option
// lasts for one read, hence it is set before each.
func quickAck(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	// A failure costs time and nothing else.
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
