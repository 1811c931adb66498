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
// It is cut into blocks. A process has a block while it listens on the block's mark, which other processes that look
// for ports respect: of two test programs that run at the same time, none is given what the other was given.
const (
	lowest, highest = 20000, 32000
	marks           = 19000 // of block 0
	block           = 20
)

var (
	mu    sync.Mutex
	held  []net.Listener // the marks of this process, until it ends
	next  int            // the next port of the block
	after int            // the first one after it
)

// Find gives a port of the loopback interface that is free, with the next one, and that neither this process nor
// another was given before.
func Find() (int, error) {
	mu.Lock()
	defer mu.Unlock()
	for {
		if next == after && !claim() {
			return 0, jitsuin.Errorf(jitsuin.Unavailable, "no-free-port", "no free port was found")
		}
		port := next
		next += 2
		if free(port) && free(port+1) {
			return port, nil
		}
	}
}

// claim takes a block that no process has.
func claim() bool {
	const blocks = (highest - lowest) / block
	for i, from := 0, rand.IntN(blocks); i < blocks; i++ {
		b := (from + i) % blocks
		if mark, err := listen(marks + b); err == nil {
			held = append(held, mark)
			next, after = lowest+b*block, lowest+(b+1)*block
			return true
		}
	}
	return false
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func free(port int) bool {
	l, err := listen(port)
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// Address is Find with the address in front: 127.0.0.1:PORT.
func Address() (string, error) {
	port, err := Find()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}
