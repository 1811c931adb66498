package cert

import (
	"bytes"
	"hash/maphash"
	"iter"
	"math/big"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Entries runs over the list in its order.
func (c *CRL) Entries() iter.Seq[CRLEntry] {
	return func(yield func(CRLEntry) bool) {
		rest := cryptobyte.String(c.entries)
		for !rest.Empty() {
			e, ok := readEntry(&rest)
			if !ok || !yield(e.entry()) { // the form was checked by ParseCRL
				return
			}
		}
	}
}

func (e rawEntry) entry() CRLEntry {
	serial := e.serial
	if len(serial) > 1 && serial[0] == 0 {
		serial = serial[1:]
	}
	reason, ok := jitsuin.ReasonUnspecified, true
	if e.reason != 0 {
		if reason, ok = jitsuin.ReasonOf(e.reason); !ok {
			reason = jitsuin.ReasonUnspecified // privilegeWithdrawn and aACompromise have no word here
		}
	}
	return CRLEntry{Serial: serial, RevokedAt: e.at, Reason: reason}
}

// BuildIndex makes Lookup take constant time, for about eight octets of memory per entry. Call it before
// sharing c between goroutines.
func (c *CRL) BuildIndex() {
	size := 4
	for size < 2*c.Count {
		size *= 2
	}
	c.seed, c.index = maphash.MakeSeed(), make([]uint32, size)
	rest := cryptobyte.String(c.entries)
	for !rest.Empty() {
		offset := len(c.entries) - len(rest)
		serial, ok := entrySerial(&rest)
		if !ok {
			return // cannot be: ParseCRL has read it
		}
		slot := int(maphash.Bytes(c.seed, serial)) & (size - 1)
		for c.index[slot] != 0 {
			slot = (slot + 1) & (size - 1)
		}
		c.index[slot] = uint32(offset) + 1
	}
}

// entrySerial reads only the serial of the next entry.
func entrySerial(rest *cryptobyte.String) ([]byte, bool) {
	var body, serial cryptobyte.String
	ok := rest.ReadASN1(&body, cbasn1.SEQUENCE) && body.ReadASN1(&serial, cbasn1.INTEGER)
	return serial, ok
}

// Lookup finds the first entry of a serial number: through the index if there is one, else by
// running over the list.
func (c *CRL) Lookup(serial *big.Int) (CRLEntry, bool) {
	if serial == nil || serial.Sign() <= 0 {
		return CRLEntry{}, false
	}
	want := integerBytes(serial.Bytes())
	if c.index != nil {
		return c.lookupIndex(want)
	}
	rest := cryptobyte.String(c.entries)
	for !rest.Empty() {
		at := rest
		have, ok := entrySerial(&rest)
		if !ok {
			break
		}
		if bytes.Equal(have, want) {
			e, ok := readEntry(&at)
			return e.entry(), ok
		}
	}
	return CRLEntry{}, false
}

func (c *CRL) lookupIndex(want []byte) (CRLEntry, bool) {
	mask := len(c.index) - 1
	for slot := int(maphash.Bytes(c.seed, want)) & mask; c.index[slot] != 0; slot = (slot + 1) & mask {
		rest := cryptobyte.String(c.entries[c.index[slot]-1:])
		at := rest
		if have, ok := entrySerial(&rest); ok && bytes.Equal(have, want) {
			e, ok := readEntry(&at)
			return e.entry(), ok
		}
	}
	return CRLEntry{}, false
}

// lookupIssued finds the entry of a certificate by its issuer's name too: in an indirect list each
// entry is about the issuer that it, or the nearest one before it, names (RFC 5280 §5.3.3). Of several
// entries the one that weighs most counts.
func (c *CRL) lookupIssued(serial *big.Int, issuer []byte) (e rawEntry, found bool) {
	want := integerBytes(serial.Bytes())
	if !c.foreign {
		if !SameName(issuer, c.RawIssuer) {
			return e, false
		}
		return c.lookupRaw(serial, want)
	}
	here := SameName(issuer, c.RawIssuer)
	rest := cryptobyte.String(c.entries)
	for !rest.Empty() {
		one, ok := readEntry(&rest)
		if !ok {
			break
		}
		if one.issuer != nil {
			here = SameName(issuer, one.issuer)
		}
		if here && bytes.Equal(one.serial, want) && (!found || one.permanent() && !e.permanent()) {
			e, found = one, true
		}
	}
	return e, found
}

// lookupRaw is Lookup with the entry as it stands.
func (c *CRL) lookupRaw(serial *big.Int, want []byte) (e rawEntry, found bool) {
	if c.index != nil {
		if _, listed := c.Lookup(serial); !listed {
			return e, false
		}
	}
	rest := cryptobyte.String(c.entries)
	for !rest.Empty() {
		at := rest
		have, ok := entrySerial(&rest)
		if !ok {
			break
		}
		if bytes.Equal(have, want) {
			return readEntry(&at)
		}
	}
	return e, false
}

// Reason codes that need not last (RFC 5280 §5.3.1).
const (
	codeHold   = 6
	codeRemove = 8
)

// permanent tells whether the revocation is for good.
func (e rawEntry) permanent() bool { return e.reason != codeHold && e.reason != codeRemove }
