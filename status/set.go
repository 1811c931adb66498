package status

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// EventType is what became of a certificate.
type EventType string

const (
	Issued   EventType = "issued"
	Revoked  EventType = "revoked"  // for good
	Held     EventType = "held"     // 一時停止, certificateHold
	Released EventType = "released" // a hold is lifted (一時停止の解除)
)

// Event is one recorded change of one certificate. Version counts a certificate's events, rising from 1; At is
// when the change takes effect, which is when the CA recorded it unless the law names another date. NotAfter
// and Municipality are read of Issued only; "" stands for an unknown one, and the certificate is then on the
// list of every municipality once it is dead; Reason of Revoked only.
type Event struct {
	Serial       cert.Serial
	Kind         jitsuin.CertKind
	Type         EventType
	Version      uint16
	At           time.Time
	Reason       jitsuin.RevocationReason
	NotAfter     time.Time
	Municipality jitsuin.MunicipalityCode
}

// Answer is what a Set knows of one certificate. State is Good, Revoked (also while held) or Unknown: never issued.
// RevokedAt is when it died: a hold that became a revocation keeps the date of the hold.
type Answer struct {
	State        cert.State
	RevokedAt    time.Time
	Reason       jitsuin.RevocationReason
	NotAfter     time.Time // the last second of the day on which the certificate expires
	Municipality jitsuin.MunicipalityCode
}

// Set is the status of all certificates of one CA key, in dense arrays by the ordinal that their serial
// numbers hide: about eight octets a certificate issued and some forty more a certificate revoked.
// Any number of goroutines may read while one applies events.
type Set struct {
	kind  jitsuin.CertKind
	codec *cert.SerialCodec

	mu     sync.RWMutex
	epochs map[uint32]*[]*page
	older  map[place][]change // changes before the last one, of the few certificates that had several
	towns  []jitsuin.MunicipalityCode
	townNo map[jitsuin.MunicipalityCode]uint16
	moved  []uint64 // by town: how many changes of status
	total  uint64   // changes of status altogether
	issued uint64
}

const (
	pageBits   = 16
	pageSize   = 1 << pageBits
	maxOrdinal = math.MaxUint32
)

// page holds 65,536 neighbouring ordinals.
type page struct {
	slots   [pageSize]slot
	touched [pageSize / 64]uint64 // has an entry in changes
	changes map[uint16]change
}

// slot is one certificate, in one cache line.
type slot struct {
	notAfter uint16 // days since 2000-01-01
	town     uint16
	version  uint16
	flags    uint16
}

const (
	flagIssued  = 1
	flagChanged = 2 // has an entry in changes
)

// change is the last thing that happened to a certificate after its issue. Until 2106.
type change struct {
	at     uint32 // Unix seconds
	since  uint32 // dead from then on: at, or the hold's where a hold became a revocation
	reason uint8  // CRLReason
	kind   uint8
}

const (
	isRevoked = iota + 1
	isHeld
	isReleased
)

// place is where a certificate stands.
type place struct {
	epoch   uint32
	ordinal uint32
}

// NewSet makes an empty set for the certificates of one kind whose serial numbers codec made.
func NewSet(kind jitsuin.CertKind, codec *cert.SerialCodec) *Set {
	return &Set{kind: kind, codec: codec, epochs: map[uint32]*[]*page{}, older: map[place][]change{},
		townNo: map[jitsuin.MunicipalityCode]uint16{}}
}

const dayZeroUnix = 946652400 // 2000-01-01 00:00 JST

func eventError(kind jitsuin.Kind, format string, args ...any) error {
	return jitsuin.Errorf(kind, "status-event", format, args...)
}

// Apply records an event. Events of one certificate come in the order of their versions; one that was
// applied already changes nothing and is no error. A Conflict error means an event that cannot follow
// (revoking what was never issued, changing what is revoked, releasing what is not held), Invalid one that is malformed.
func (s *Set) Apply(e Event) error {
	at, err := s.locate(e)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pg, i := s.page(at, e.Type == Issued), uint16(at.ordinal)
	if pg != nil && e.Version <= pg.slots[i].version {
		return nil
	}
	if e.Type == Issued {
		return s.issue(pg, i, e)
	}
	if pg == nil || pg.slots[i].flags&flagIssued == 0 {
		return eventError(jitsuin.Conflict, "a certificate that was never issued is %s", e.Type)
	}
	return s.change(pg, at, i, e)
}

func (s *Set) locate(e Event) (place, error) {
	epoch, ordinal, ok := s.codec.Decode(e.Serial)
	switch {
	case !ok || ordinal > maxOrdinal:
		return place{}, eventError(jitsuin.Invalid, "the serial number is not one of this authority's")
	case e.Kind != s.kind:
		return place{}, eventError(jitsuin.Invalid, "the event is about the other kind of certificate")
	case e.Version == 0:
		return place{}, eventError(jitsuin.Invalid, "the versions of events begin at 1")
	case e.At.Unix() <= 0 || e.At.Unix() > math.MaxUint32:
		return place{}, eventError(jitsuin.Invalid, "the time of the event is missing or out of range")
	}
	return place{epoch, uint32(ordinal)}, nil
}

func (s *Set) page(at place, create bool) *page {
	pages := s.epochs[at.epoch]
	n := int(at.ordinal >> pageBits)
	if pages == nil || n >= len(*pages) || (*pages)[n] == nil {
		if !create {
			return nil
		}
		if pages == nil {
			pages = &[]*page{}
			s.epochs[at.epoch] = pages
		}
		if n >= len(*pages) {
			*pages = append(*pages, make([]*page, n+1-len(*pages))...)
		}
		(*pages)[n] = &page{changes: map[uint16]change{}}
	}
	return (*pages)[n]
}

func (s *Set) issue(pg *page, i uint16, e Event) error {
	if pg.slots[i].flags&flagIssued != 0 {
		return eventError(jitsuin.Conflict, "a certificate is issued twice")
	}
	days := (e.NotAfter.Unix() - dayZeroUnix) / 86400
	if e.NotAfter.IsZero() || days < 0 || days > math.MaxUint16 {
		return eventError(jitsuin.Invalid, "the expiry of the certificate is missing or out of range")
	}
	if e.Municipality != "" {
		if err := e.Municipality.Check(); err != nil {
			return eventError(jitsuin.Invalid, "issuing: %w", err)
		}
	}
	pg.slots[i] = slot{notAfter: uint16(days), town: s.town(e.Municipality), version: e.Version, flags: flagIssued}
	s.issued++
	return nil
}

// town gives the number of a municipality, a new one at its first use. There are fewer than 2,000.
func (s *Set) town(c jitsuin.MunicipalityCode) uint16 {
	n, ok := s.townNo[c]
	if !ok {
		n = uint16(len(s.towns))
		s.townNo[c] = n
		s.towns, s.moved = append(s.towns, c), append(s.moved, 0)
	}
	return n
}

func (s *Set) change(pg *page, at place, i uint16, e Event) error {
	now, changed := pg.changes[i]
	next := change{at: uint32(e.At.Unix()), since: uint32(e.At.Unix())}
	if now.kind == isHeld && e.Type == Revoked {
		next.since = now.since
	}
	switch {
	case now.kind == isRevoked:
		return eventError(jitsuin.Conflict, "a revoked certificate is %s", e.Type)
	case e.Type == Revoked:
		code, ok := 0, true
		if e.Reason != "" {
			code, ok = e.Reason.Code()
		}
		if !ok || e.Reason == jitsuin.ReasonCertificateHold || e.Reason == jitsuin.ReasonRemoveFromCRL {
			return eventError(jitsuin.Invalid, "%q is no reason of a revocation", e.Reason)
		}
		next.kind, next.reason = isRevoked, uint8(code)
	case e.Type == Held && now.kind != isHeld:
		hold, _ := jitsuin.ReasonCertificateHold.Code()
		next.kind, next.reason = isHeld, uint8(hold)
	case e.Type == Released && now.kind == isHeld:
		next.kind = isReleased
	default:
		return eventError(jitsuin.Conflict, "a certificate in this state cannot be %s", e.Type)
	}
	if changed {
		s.older[at] = append(s.older[at], now)
	}
	pg.changes[i] = next
	pg.slots[i].version, pg.slots[i].flags = e.Version, flagIssued|flagChanged
	pg.touched[i>>6] |= 1 << (i & 63)
	s.moved[pg.slots[i].town]++
	s.total++
	return nil
}

// Lookup gives the newest state of a certificate.
func (s *Set) Lookup(serial cert.Serial) Answer { return s.lookup(serial, math.MaxUint32) }

// LookupAt gives the state as it was known at an instant, for publishing at fixed times: changes
// that took effect after it do not count. Issue counts at once.
func (s *Set) LookupAt(serial cert.Serial, asOf time.Time) Answer {
	return s.lookup(serial, clampUnix(asOf))
}

func clampUnix(t time.Time) uint32 { return uint32(max(0, min(t.Unix(), math.MaxUint32))) }

func (s *Set) lookup(serial cert.Serial, asOf uint32) Answer {
	epoch, ordinal, ok := s.codec.Decode(serial)
	if !ok || ordinal > maxOrdinal {
		return Answer{State: cert.Unknown}
	}
	at, i := place{epoch, uint32(ordinal)}, uint16(ordinal)
	s.mu.RLock()
	defer s.mu.RUnlock()
	pg := s.page(at, false)
	if pg == nil || pg.slots[i].flags&flagIssued == 0 {
		return Answer{State: cert.Unknown}
	}
	a := Answer{State: cert.Good, NotAfter: expiry(pg.slots[i].notAfter), Municipality: s.towns[pg.slots[i].town]}
	if c := s.standing(pg, at, i, asOf); c.dead() {
		a.State, a.RevokedAt, a.Reason = cert.Revoked, c.diedAt(), c.why()
	}
	return a
}

// expiry gives the last second of a day; Japan has no summer time, so days are of one length.
func expiry(days uint16) time.Time {
	return time.Unix(dayZeroUnix+(int64(days)+1)*86400-1, 0).In(jitsuin.JST)
}

// standing gives the last change up to asOf.
func (s *Set) standing(pg *page, at place, i uint16, asOf uint32) change {
	if pg.slots[i].flags&flagChanged == 0 {
		return change{}
	}
	c := pg.changes[i]
	if c.at <= asOf {
		return c
	}
	for _, o := range slices.Backward(s.older[at]) {
		if o.at <= asOf {
			return o
		}
	}
	return change{}
}

func (c change) dead() bool { return c.kind == isRevoked || c.kind == isHeld }

// diedAt is the revocation date: of a revocation that ends a hold the date of the hold, as ITU-T X.509
// has it, or the certificate would look good for the time in between.
func (c change) diedAt() time.Time { return time.Unix(int64(c.since), 0).In(jitsuin.JST) }

func (c change) why() jitsuin.RevocationReason {
	r, _ := jitsuin.ReasonOf(int(c.reason))
	return r
}

// Count gives how many certificates were issued, and how many changes of status there were.
func (s *Set) Count() (issued, changes uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.issued, s.total
}

// Changes gives the number of changes of status in a municipality, or altogether for "": it has risen
// exactly if a list of it would differ.
func (s *Set) Changes(town jitsuin.MunicipalityCode) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if town == "" {
		return s.total
	}
	var changes uint64
	for _, t := range []jitsuin.MunicipalityCode{town, ""} {
		if n, ok := s.townNo[t]; ok {
			changes += s.moved[n]
		}
	}
	return changes
}
