package site

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestTheKernelTellsWhoseProgramItIs(t *testing.T) {
	const list = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20C6 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 100 0 0 10 0
   1: 0100007F:20C6 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 12 1 0 20 4 30 10 -1
   2: 0100007F:9C40 0100007F:20C6 01 00000000:00000000 00:00000000 00000000  1001        0 13 1 0 20 4 30 10 -1
   3: 0000000000000000FFFF00000100007F:9C41 0000000000000000FFFF00000100007F:20C6 01 00000000:00000000 00:00000000 00000000  1002        0 14 1 0 20 4 30 10 -1
   4: 00000000000000000000000001000000:9C42 00000000000000000000000001000000:20C6 01 00000000:00000000 00:00000000 00000000  1003        0 15 1 0 20 4 30 10 -1
   5: 0100007F:9C43
`
	own, own6 := netip.MustParseAddrPort("127.0.0.1:8390"), netip.MustParseAddrPort("[::1]:8390")
	for other, want := range map[string]int{"127.0.0.1:40000": 1001, "127.0.0.1:40001": 1002, "[::1]:40002": 1003, "127.0.0.1:40003": -1, "127.0.0.1:40004": -1} {
		to := own
		if strings.HasPrefix(other, "[") {
			to = own6
		}
		uid, ok := userIn(strings.NewReader(list), to, netip.MustParseAddrPort(other))
		if ok != (want >= 0) || ok && uid != want {
			t.Errorf("%s: user %d, %t", other, uid, ok)
		}
	}
	// And the kernel of this machine knows us.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if uid, ok := userAt(netip.MustParseAddrPort(l.Addr().String()), netip.MustParseAddrPort(c.LocalAddr().String())); !ok || uid != os.Getuid() {
		t.Errorf("we are user %d, %t", uid, ok)
	}
}
