package country

import (
	"fmt"
	"net"
	"runtime"
	"strconv"

	"github.com/jitsuin/jitsuin"
)

// Plan gives every actor an origin of its own. On Linux each has a loopback address of its own
// (127.0.84.N, all on one port), so that cookies, storage and certificates of one never reach
// another; elsewhere, where those addresses do not exist, they share a host and differ by port.
type Plan struct {
	host   string // of the console
	port   int
	byPort bool // actors differ by port, not by address
}

// Numbers of the actors: the last part of the address, or what is added to the port.
const (
	numConsole  = 1
	numTown     = 11
	numJukinet  = 20
	numJLIS     = 21
	numStatus   = 22
	numMinister = 30
	numPlatform = 40
	numTSA      = 41
	numTLSLogin = 42 // the platform's port for logins by a card's certificate
	numHolder   = 50
	numCards    = 51
	numService  = 61

	metricsAbove = 100 // what is added to the port for the figures, where actors differ by port
)

// DefaultListen is where the console listens unless --listen says otherwise.
const DefaultListen = "localhost:8400"

// NewPlan reads HOST:PORT, where the console is to be reached; the rest moves with it.
func NewPlan(listen string) (Plan, error) {
	host, portText, err := net.SplitHostPort(listen)
	port, err2 := strconv.Atoi(portText)
	if err != nil || err2 != nil || port < 1 || port > 65535-metricsAbove-numService {
		return Plan{}, jitsuin.Errorf(jitsuin.Invalid, "listen", "--listen takes HOST:PORT, not %q", listen).At("listen")
	}
	p := Plan{host: host, port: port}
	loopback := host == "localhost" || host == "" || net.ParseIP(host).IsLoopback()
	p.byPort = !loopback || runtime.GOOS != "linux"
	if host == "" {
		p.host = "localhost"
	}
	return p, nil
}

// Shared tells that the actors share one host, so that browsers do not keep their cookies apart.
func (p Plan) Shared() bool { return p.byPort }

// Listen gives HOST:PORT of the actor with number n.
func (p Plan) Listen(n int) string {
	if p.byPort {
		if n == numConsole {
			n = 0
		}
		return net.JoinHostPort(p.host, strconv.Itoa(p.port+n))
	}
	return fmt.Sprintf("127.0.84.%d:%d", n, p.port)
}

// Origin gives the web origin of the actor with number n.
func (p Plan) Origin(n int) string { return "http://" + p.Listen(n) }

// Metrics gives HOST:PORT where the actor with number n shows its figures: the port after that of its
// origin, and, where actors differ by port, one far above all origins.
func (p Plan) Metrics(n int) string {
	if p.byPort {
		return net.JoinHostPort(p.host, strconv.Itoa(p.port+metricsAbove+n))
	}
	return fmt.Sprintf("127.0.84.%d:%d", n, p.port+1)
}

// Console gives the addresses at which the console listens.
func (p Plan) Console() []string {
	if p.byPort {
		return []string{p.Listen(numConsole)}
	}
	return []string{p.Listen(numConsole), net.JoinHostPort(p.host, strconv.Itoa(p.port))}
}
