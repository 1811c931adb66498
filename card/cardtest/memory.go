// Package cardtest has what tests of the card and of its clients need: a memory in RAM whose
// writes can be made to fail, and a chip that is personalised the way production does it.
//
// It owns no rule of the card and goes through APDUs like everyone else. Only tests import it.
package cardtest

import (
	"errors"
	"io/fs"
	"sync"
)

// ErrFault is what an injected failure returns.
var ErrFault = errors.New("injected memory fault")

// Fault is how one Store goes.
type Fault int

const (
	Works     Fault = iota
	FailsLost       // fails, and the old image stays
	FailsKept       // fails, and the new image is there all the same
)

// Memory is a card.Memory in RAM. The zero value is empty and works.
type Memory struct {
	mu    sync.Mutex
	image []byte
	// Plan, when set, decides each Store by its number, counted from 0.
	Plan func(n int) Fault
	// BadLoad makes Load fail while it is true.
	BadLoad bool
	stores  int
}

// Load gives the image, or fs.ErrNotExist.
func (m *Memory) Load() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.BadLoad {
		return nil, ErrFault
	}
	if m.image == nil {
		return nil, fs.ErrNotExist
	}
	return append([]byte{}, m.image...), nil
}

// Store replaces the image, or fails as planned.
func (m *Memory) Store(image []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	fault := Works
	if m.Plan != nil {
		fault = m.Plan(m.stores)
	}
	m.stores++
	if fault != FailsLost {
		m.image = append([]byte{}, image...)
	}
	if fault != Works {
		return ErrFault
	}
	return nil
}

// Stores counts the calls of Store.
func (m *Memory) Stores() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stores
}

// Copy gives a memory with the same image and no faults.
func (m *Memory) Copy() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Memory{image: append([]byte{}, m.image...)}
}
