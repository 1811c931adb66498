package tsa

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/beevik/ntp"
)

// How time servers are asked (RFC 5905).
const (
	ntpEvery   = 64 * time.Second // between two questions to one server
	ntpRetry   = 8 * time.Second  // after one that was not answered
	ntpTimeout = 5 * time.Second
	// ntpOld is how old the latest answer may be. Until then the wall clock is held to the clock at the
	// start alone, which notices steps at once.
	ntpOld = 10 * time.Minute
)

// server is a second source of time: an NTP server that is asked now and then.
type server struct {
	address string
	read    func() Reading
	query   func(address string) (*ntp.Response, error)

	mu     sync.Mutex // owns the fields below
	ahead  time.Duration
	at     time.Duration // when it answered, by the clock that nobody sets
	known  bool
	failed error
}

func newServer(address string, read func() Reading) *server {
	return &server{address: address, read: read, query: func(address string) (*ntp.Response, error) {
		return ntp.QueryWithOptions(address, ntp.QueryOptions{Timeout: ntpTimeout})
	}}
}

// Name implements Source.
func (s *server) Name() string { return "ntp " + s.address }

// Ahead implements Source with the latest answer.
func (s *server) Ahead(r Reading) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.known && s.failed != nil:
		return 0, fmt.Errorf("it has not answered yet: %w", s.failed)
	case !s.known:
		return 0, fmt.Errorf("it has not answered yet")
	case r.Elapsed-s.at > ntpOld:
		return 0, fmt.Errorf("its latest answer is older than %v", ntpOld)
	}
	return s.ahead, nil
}

// ask asks once and keeps what was answered. What a server says of itself (not synchronised, asked too
// often, too far from its own source) makes its answer none.
func (s *server) ask() error {
	answer, err := s.query(s.address)
	if err == nil {
		err = answer.Validate()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed = err; err != nil {
		return err
	}
	s.ahead, s.at, s.known = -answer.ClockOffset, s.read().Elapsed, true // the offset is what the clock lacks
	return nil
}

// run asks again and again until ctx ends.
func (s *server) run(ctx context.Context) error {
	for {
		wait := ntpEvery
		if s.ask() != nil {
			wait = ntpRetry
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}
