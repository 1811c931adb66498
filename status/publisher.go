package status

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// PublisherOptions configure a Publisher. The zero value of a field means the default named.
type PublisherOptions struct {
	CA      *x509.Certificate // required, with Set, Sign and Clock
	Set     *Set
	Sign    cert.SignFunc
	Clock   func() time.Time // civil time
	Cadence Cadence          // Immediate; Official makes lists once a day, at midnight JST
	// Validity is how long a list promises to hold: 26 hours, a day and a margin. Production's is not known.
	Validity time.Duration
	// Towns are the municipalities with a list of their own; DistributionPoint names each list (DER Name).
	Towns             []jitsuin.MunicipalityCode
	DistributionPoint func(jitsuin.MunicipalityCode) []byte
}

// Publisher makes the revocation lists (失効情報ファイル) of one CA key: the complete one and one per
// municipality. CRL numbers rise for ever, over restarts too: a list's number is the civil time in microseconds
// at which it was made, or the one after the last number if that is higher; no list is made in so short a time.
type Publisher struct {
	o PublisherOptions

	work  sync.Mutex // held by the one publication
	mu    sync.RWMutex
	lists map[jitsuin.MunicipalityCode]published
	last  uint64 // the highest number given
}

type published struct {
	der        []byte
	thisUpdate time.Time
	nextUpdate time.Time
	number     uint64
	changes    uint64
}

// NewPublisher makes a publisher; nothing is published yet.
func NewPublisher(o PublisherOptions) (*Publisher, error) {
	if o.CA == nil || o.Set == nil || o.Sign == nil || o.Clock == nil || len(o.Towns) > 0 && o.DistributionPoint == nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "publisher-options", "a publisher needs a CA, a set, a signer, a clock and the names of its partitions")
	}
	if o.Cadence == "" {
		o.Cadence = Immediate
	}
	if o.Validity <= 0 {
		o.Validity = 26 * time.Hour
	}
	return &Publisher{o: o, lists: map[jitsuin.MunicipalityCode]published{}}, nil
}

// Tick makes every list that is due now: one that was never made, that ends within a twelfth of its
// validity, and, for Immediate, whose content has changed; for Official, that was made before today.
// It returns how many it made. Call it whenever time has passed or an event was applied.
func (p *Publisher) Tick(ctx context.Context) (made int, err error) {
	p.work.Lock()
	defer p.work.Unlock()
	now := p.o.Clock().Truncate(time.Second)
	for _, town := range append([]jitsuin.MunicipalityCode{""}, p.o.Towns...) {
		p.mu.RLock()
		last := p.lists[town]
		p.mu.RUnlock()
		if !p.due(town, last, now) {
			continue
		}
		if err := p.publish(ctx, town, last, now); err != nil {
			return made, fmt.Errorf("publishing a revocation list: %w", err)
		}
		made++
	}
	return made, nil
}

func (p *Publisher) due(town jitsuin.MunicipalityCode, last published, now time.Time) bool {
	switch {
	case last.der == nil || !now.Before(last.nextUpdate.Add(-p.o.Validity/12)):
		return true
	case p.o.Cadence == Official:
		return jitsuin.DateOf(last.thisUpdate).Before(jitsuin.DateOf(now))
	}
	return p.o.Set.Changes(town) != last.changes
}

// publish makes one list. Under Official it says what was so at midnight, and is dated then.
func (p *Publisher) publish(ctx context.Context, town jitsuin.MunicipalityCode, last published, now time.Time) error {
	this := now
	if p.o.Cadence == Official {
		this = jitsuin.DateOf(now).Start()
		if last.der != nil && !this.After(last.thisUpdate) {
			this = now // a second list of one day, because the first is about to end
		}
	}
	next := published{thisUpdate: this, nextUpdate: this.Add(p.o.Validity), changes: p.o.Set.Changes(town)}
	next.number = max(p.last+1, uint64(max(0, p.o.Clock().UnixMicro())))
	t := cert.CRLTemplate{Issuer: p.o.CA, Number: next.number, ThisUpdate: this, NextUpdate: next.nextUpdate}
	if town != "" {
		t.DistributionPoint = p.o.DistributionPoint(town)
	}
	asOf := this
	if p.o.Cadence == Immediate {
		asOf = endOfTime // the set knows best: another clock may have dated an event
	}
	list := p.o.Set.Snapshot(town, asOf, last.thisUpdate)
	der, err := t.Build(ctx, list.All(), p.o.Sign)
	if err != nil {
		return err
	}
	next.der, p.last = der, next.number
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lists[town] = next
	return nil
}

// Current gives the newest list of a municipality, or the complete one for ""; ok is false before its first publication.
func (p *Publisher) Current(town jitsuin.MunicipalityCode) (der []byte, number uint64, ok bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	l, ok := p.lists[town]
	return l.der, l.number, ok
}

// Numbers gives the number of every list made so far; the complete one's key is "".
func (p *Publisher) Numbers() map[jitsuin.MunicipalityCode]uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	numbers := make(map[jitsuin.MunicipalityCode]uint64, len(p.lists))
	for town, l := range maps.All(p.lists) {
		numbers[town] = l.number
	}
	return numbers
}

// ServeHTTP answers GET …/complete.crl and …/91201.crl with the lists (RFC 2585 §4.2).
func (p *Publisher) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	name, isList := strings.CutSuffix(path.Base(q.URL.Path), ".crl")
	if name == "complete" {
		name = ""
	} else if name == "" {
		isList = false
	}
	der, _, ok := p.Current(jitsuin.MunicipalityCode(name))
	if !isList || !ok {
		http.NotFound(w, q)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	w.Write(der)
}
