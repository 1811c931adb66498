package tsp

import (
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Info is TSTInfo (RFC 3161 §2.4.2): what an authority states.
type Info struct {
	Policy     asn1.ObjectIdentifier
	Imprint    Imprint
	Serial     *big.Int
	Time       time.Time // genTime, UTC
	Accuracy   *Accuracy // nil: the token states none
	Ordering   bool      // any two tokens of the authority can be ordered by Time alone
	Nonce      *big.Int  // nil: none
	TSA        []byte    // GeneralName of the authority in DER, nil where it is not stated
	Extensions []Extension
}

// Accuracy is how far Time may be off, in either direction. RFC 3161 counts in microseconds.
type Accuracy time.Duration

// maxAccuracy bounds the stated seconds, so that arithmetic with them cannot overflow.
const maxAccuracy = 366 * 24 * time.Hour

// parseInfo reads one TSTInfo in DER that fills der. A default value may be written out.
func parseInfo(der []byte) (*Info, error) {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	var version int
	var ok bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Integer(&version) {
		return nil, malformed("the content is not a TSTInfo")
	}
	if version != 1 {
		return nil, malformed("version %d of TSTInfo is not known", version)
	}
	i := &Info{}
	if !readOID(&body, &i.Policy) {
		return nil, malformed("the policy is not readable")
	}
	if i.Imprint, ok = readImprint(&body); !ok {
		return nil, malformed("the imprint is not readable or has not the length that its algorithm gives")
	}
	if i.Serial, ok = readInteger(&body); !ok {
		return nil, malformed("the serial number is not an integer of at most %d octets", maxInteger)
	}
	var stated cryptobyte.String
	if !body.ReadASN1(&stated, cbasn1.GeneralizedTime) {
		return nil, malformed("the time is missing")
	}
	if i.Time, ok = readTime(string(stated)); !ok {
		return nil, malformed("the time is not written as YYYYMMDDhhmmss[.s…]Z without trailing zeros")
	}
	return i, i.readRest(&body)
}

// readRest reads the optional members.
func (i *Info) readRest(body *cryptobyte.String) error {
	var tsa, extensions cryptobyte.String
	var hasTSA, hasExtensions, ok bool
	if body.PeekASN1Tag(cbasn1.SEQUENCE) {
		if i.Accuracy, ok = readAccuracy(body); !ok {
			return malformed("the accuracy is not readable")
		}
	}
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&i.Ordering) {
		return malformed("the ordering is not readable")
	}
	if i.Nonce, ok = readOptionalInteger(body); !ok {
		return malformed("the nonce is not an integer of at most %d octets", maxInteger)
	}
	if !body.ReadOptionalASN1(&tsa, &hasTSA, explicit(0)) || !body.ReadOptionalASN1(&extensions, &hasExtensions, explicit(1)) || !body.Empty() {
		return malformed("name or extensions are not readable, or something follows them")
	}
	if hasTSA {
		var name cryptobyte.String
		var tag cbasn1.Tag
		if !tsa.ReadAnyASN1Element(&name, &tag) || !tsa.Empty() {
			return malformed("the authority's name is not readable")
		}
		i.TSA = name
	}
	if hasExtensions {
		if i.Extensions, ok = readExtensions(extensions); !ok {
			return malformed("the extensions are not readable")
		}
	}
	return nil
}

// readTime reads genTime (RFC 3161 §2.4.2): always Z, fractions of at most nine digits, no
// trailing zeros.
func readTime(s string) (time.Time, bool) {
	const whole = "20060102150405"
	seconds, isZ := strings.CutSuffix(s, "Z")
	seconds, fraction, broken := strings.Cut(seconds, ".")
	if !isZ || len(seconds) != len(whole) || strings.Trim(seconds+fraction, "0123456789") != "" ||
		broken && (fraction == "" || len(fraction) > 9 || strings.HasSuffix(fraction, "0")) {
		return time.Time{}, false
	}
	t, err := time.Parse(whole, seconds)
	if err != nil {
		return time.Time{}, false
	}
	nanos := 0
	for _, digit := range (fraction + "000000000")[:9] {
		nanos = nanos*10 + int(digit-'0')
	}
	return t.Add(time.Duration(nanos)), true
}

// writeTime writes t to whole milliseconds.
func writeTime(t time.Time) string {
	s := t.UTC().Truncate(time.Millisecond).Format("20060102150405.000")
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "Z"
}

// readAccuracy reads Accuracy; absent members are zero.
func readAccuracy(in *cryptobyte.String) (*Accuracy, bool) {
	var body cryptobyte.String
	var seconds int64
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || body.PeekASN1Tag(cbasn1.INTEGER) && !body.ReadASN1Integer(&seconds) ||
		seconds < 0 || seconds > int64(maxAccuracy/time.Second) {
		return nil, false
	}
	total := time.Duration(seconds) * time.Second
	for n, unit := range []time.Duration{time.Millisecond, time.Microsecond} {
		if !body.PeekASN1Tag(implicit(uint8(n))) {
			continue
		}
		var part int64
		if !body.ReadASN1Int64WithTag(&part, implicit(uint8(n))) || part < 1 || part > 999 {
			return nil, false
		}
		total += time.Duration(part) * unit
	}
	a := Accuracy(total)
	return &a, body.Empty()
}

func addAccuracy(b *cryptobyte.Builder, a Accuracy) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if s := time.Duration(a) / time.Second; s > 0 {
			b.AddASN1Int64(int64(s))
		}
		if ms := time.Duration(a) / time.Millisecond % 1000; ms > 0 {
			b.AddASN1Int64WithTag(int64(ms), implicit(0))
		}
		if us := time.Duration(a) / time.Microsecond % 1000; us > 0 {
			b.AddASN1Int64WithTag(int64(us), implicit(1))
		}
	})
}

// marshal writes the TSTInfo in DER.
func (i *Info) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(i.Policy)
		addImprint(b, i.Imprint)
		b.AddASN1BigInt(i.Serial)
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(writeTime(i.Time))) })
		if i.Accuracy != nil {
			addAccuracy(b, *i.Accuracy)
		}
		if i.Ordering {
			b.AddASN1Boolean(true)
		}
		if i.Nonce != nil {
			b.AddASN1BigInt(i.Nonce)
		}
		if i.TSA != nil {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddBytes(i.TSA) })
		}
		if len(i.Extensions) > 0 {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { addExtensions(b, i.Extensions) })
		}
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write the TSTInfo: %w", err)
	}
	return der, nil
}
