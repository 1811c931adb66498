package site

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// userAt tells whose program has the other end of a connection on loopback: the kernel's lists of connections have both ends, each
// with its user. ok is false where they do not say.
func userAt(own, other netip.AddrPort) (uid int, ok bool) {
	for _, list := range []string{"/proc/net/tcp", "/proc/net/tcp6"} { // an IPv4 connection may have been made by a socket for IPv6
		f, err := os.Open(list)
		if err != nil {
			continue
		}
		uid, ok = userIn(f, own, other)
		f.Close()
		if ok {
			return uid, true
		}
	}
	return 0, false
}

// userIn looks for the end of a connection that lies at other (proc(5), /proc/net/tcp).
func userIn(list io.Reader, own, other netip.AddrPort) (uid int, ok bool) {
	const here, there, user, least = 1, 2, 7, 8
	for lines := bufio.NewScanner(list); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < least || endOf(f[here]) != other || endOf(f[there]) != own {
			continue
		}
		uid, err := strconv.Atoi(f[user])
		return uid, err == nil
	}
	return 0, false
}

// endOf reads an address and a port in hexadecimal; the address is a row of 32-bit numbers in the machine's order.
func endOf(text string) (end netip.AddrPort) {
	address, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	n, notPort := strconv.ParseUint(port, 16, 16)
	if err != nil || notPort != nil || len(raw)%4 != 0 {
		return end
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	ip, known := netip.AddrFromSlice(raw)
	if !known {
		return end
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(n))
}
