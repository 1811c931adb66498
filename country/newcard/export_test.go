package newcard

import (
	"crypto"
	"sync"

	"github.com/jitsuin/jitsuin/card"
)

// ShareKeys lets all authorities of a test process have one key of each algorithm, and gives one batch of
// the applications' own keys, because making RSA keys takes long.
func ShareKeys() (*card.BatchKeys, error) {
	fresh := newKey
	shared := map[card.Algorithm]func() (crypto.Signer, error){}
	for _, a := range []card.Algorithm{card.RSA2048, card.P384} {
		shared[a] = sync.OnceValues(func() (crypto.Signer, error) { return fresh(a) })
	}
	newKey = func(a card.Algorithm) (crypto.Signer, error) { return shared[a]() }
	return card.NewBatchKeys()
}
