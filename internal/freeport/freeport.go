// Package freeport finds ports on which nothing listens, for tests and temporary countries. It knows
// nothing of what will listen there.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"

	"github.com/jitsuin/jitsuin"
)

// The range lies below the one from which systems draw the ports of outgoing connections, so that
// nobody else takes the port in the moment before it is listened on, nor while it is closed between two runs.
const lowest, highest = 20000, 32000

var (
	mu    sync.Mutex
	given = map[int]bool{}
)

// Find gives a port of the loopback interface that is free, with the next one, and that this process was
// not given before.
func Find() (int, error) {
	mu.Lock()
	defer mu.Unlock()
	for range 200 {
		port := lowest + 2*rand.IntN((highest-lowest)/2)
		if given[port] {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			given[port] = true
			return port, nil
		}
	}
	return 0, jitsuin.Errorf(jitsuin.Unavailable, "no-free-port", "no free port was found")
}

// Address is Find with the address in front: 127.0.0.1:PORT.
func Address() (string, error) {
	port, err := Find()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}
