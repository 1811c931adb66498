package status

import (
	"crypto"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin/cert"
)

const cacheShards = 64

// answerCache keeps signed responses. An entry is good for one window and one state of the certificate, so that
// nothing has to be told to it when a status changes.
type answerCache struct {
	limit  int // entries of a shard; a full shard starts over
	shards [cacheShards]struct {
		mu sync.RWMutex
		m  map[cacheKey]cached
	}
}

type cacheKey struct {
	authority *served
	hash      crypto.Hash
	serial    cert.Serial
}

type cached struct {
	answer Answer
	window time.Time
	der    []byte
}

func (c *answerCache) get(k cacheKey, answer Answer, window time.Time) ([]byte, bool) {
	s := &c.shards[k.serial[15]%cacheShards]
	s.mu.RLock()
	defer s.mu.RUnlock()
	have, ok := s.m[k]
	if !ok || !have.window.Equal(window) || have.answer.State != answer.State ||
		have.answer.Reason != answer.Reason || !have.answer.RevokedAt.Equal(answer.RevokedAt) {
		return nil, false
	}
	return have.der, true
}

func (c *answerCache) put(k cacheKey, answer Answer, window time.Time, der []byte) {
	s := &c.shards[k.serial[15]%cacheShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil || len(s.m) >= max(1, c.limit) {
		s.m = map[cacheKey]cached{}
	}
	s.m[k] = cached{answer, window, der}
}
