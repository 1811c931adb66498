package cert

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"iter"
	"math/big"
	"time"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// SignFunc signs whole to-be-signed octets with the algorithm of its key's Suite. It is how every
// signature of an authority or responder is asked for.
type SignFunc func(ctx context.Context, tbs []byte) (signature []byte, err error)

// CRLEntry is one revoked certificate. Serial is the big-endian magnitude of its serial number, 1 to 20 octets;
// a reader must not keep it, its memory is the list's.
type CRLEntry struct {
	Serial    []byte
	RevokedAt time.Time
	Reason    jitsuin.RevocationReason
}

// CRLTemplate is all but the entries of a revocation list (失効情報ファイル, RFC 5280 §5). It is version 2
// with authority key identifier, CRL number and, for a partition, a critical issuing distribution point of
// one directoryName. Whether production lists carry the latter is unsure; RFC 5280 requires it of a partition.
type CRLTemplate struct {
	Issuer            *x509.Certificate
	Number            uint64
	ThisUpdate        time.Time
	NextUpdate        time.Time
	DistributionPoint []byte // DER Name of the partition, from Realm.DistributionPoint; nil for the complete list
}

var (
	oidCRLNumber = []int{2, 5, 29, 20}
	oidIDP       = []int{2, 5, 29, 28}
)

// crlPlan is a measured list: everything before and after the entries, and the length of the entries.
type crlPlan struct {
	head, tail []byte // head ends before the first entry
	entries    int64
}

// plan runs once over the entries to measure them.
func (t *CRLTemplate) plan(entries iter.Seq[CRLEntry]) (*crlPlan, error) {
	suite, err := t.check()
	if err != nil {
		return nil, err
	}
	p := &crlPlan{}
	scratch := make([]byte, 0, 64)
	for e := range entries {
		if scratch, err = appendEntry(scratch[:0], e); err != nil {
			return nil, err
		}
		p.entries += int64(len(scratch))
	}
	fields := build(func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1) // v2
		b.AddBytes(suite.algorithmID())
		b.AddBytes(t.Issuer.RawSubject)
		addTime(b, t.ThisUpdate)
		addTime(b, t.NextUpdate)
	})
	p.tail = build(t.addExtensions)
	if p.entries > 0 { // an empty list is left out
		fields = appendHeader(fields, 0x30, p.entries)
	}
	p.head = append(appendHeader(nil, 0x30, int64(len(fields))+p.entries+int64(len(p.tail))), fields...)
	return p, nil
}

func (p *crlPlan) size() int64 { return int64(len(p.head)) + p.entries + int64(len(p.tail)) }

func (t *CRLTemplate) check() (Suite, error) {
	if t.Issuer == nil || !t.Issuer.IsCA || t.Issuer.KeyUsage&x509.KeyUsageCRLSign == 0 || len(t.Issuer.SubjectKeyId) == 0 {
		return "", templateError("issuer", "the issuer of a revocation list must be a CA certificate with cRLSign and a key identifier")
	}
	if t.ThisUpdate.IsZero() || !t.NextUpdate.After(t.ThisUpdate) {
		return "", templateError("next_update", "the next update must be after this update")
	}
	return SuiteOf(t.Issuer.PublicKey)
}

func (t *CRLTemplate) addExtensions(b *cryptobyte.Builder) {
	b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			aki := Template{Issuer: t.Issuer}
			extension{oidAKI, false, aki.authorityKeyID()}.add(b)
			number := build(func(b *cryptobyte.Builder) { b.AddASN1BigInt(new(big.Int).SetUint64(t.Number)) })
			extension{oidCRLNumber, false, number}.add(b)
			if t.DistributionPoint != nil {
				extension{oidIDP, true, build(func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addFullName(b, t.DistributionPoint) })
				})}.add(b)
			}
		})
	})
}

// WriteTBS writes the to-be-signed list. It runs over entries twice, which must yield the same both times,
// and holds none of them, so that w may be a hash or a file of any length.
func (t *CRLTemplate) WriteTBS(w io.Writer, entries iter.Seq[CRLEntry]) error {
	p, err := t.plan(entries)
	if err != nil {
		return err
	}
	return p.write(w, entries)
}

func (p *crlPlan) write(w io.Writer, entries iter.Seq[CRLEntry]) error {
	out := bufio.NewWriterSize(w, 64<<10)
	out.Write(p.head)
	scratch := make([]byte, 0, 64)
	var written int64
	for e := range entries {
		var err error
		if scratch, err = appendEntry(scratch[:0], e); err != nil {
			return err
		}
		out.Write(scratch) // bufio keeps the first error for Flush
		written += int64(len(scratch))
	}
	if written != p.entries {
		return jitsuin.Errorf(jitsuin.Internal, "crl-entries", "the entries of the list changed while it was written")
	}
	out.Write(p.tail)
	return out.Flush()
}

// Write writes the whole signed list for a signature over the octets of WriteTBS, again without
// holding entries.
func (t *CRLTemplate) Write(w io.Writer, entries iter.Seq[CRLEntry], signature []byte) error {
	p, err := t.plan(entries)
	if err != nil {
		return err
	}
	end := t.signatureFields(signature)
	if _, err := w.Write(appendHeader(nil, 0x30, p.size()+int64(len(end)))); err != nil {
		return err
	}
	if err := p.write(w, entries); err != nil {
		return err
	}
	_, err = w.Write(end)
	return err
}

func (t *CRLTemplate) signatureFields(signature []byte) []byte {
	suite, _ := SuiteOf(t.Issuer.PublicKey) // checked by plan
	return build(func(b *cryptobyte.Builder) {
		b.AddBytes(suite.algorithmID())
		b.AddASN1BitString(signature)
	})
}

// Build makes the signed list in memory, in one allocation of its size, asking sign once for the
// whole to-be-signed list.
func (t *CRLTemplate) Build(ctx context.Context, entries iter.Seq[CRLEntry], sign SignFunc) ([]byte, error) {
	p, err := t.plan(entries)
	if err != nil {
		return nil, err
	}
	const room = 16 // for the outer header, written last in front
	buf := bytes.NewBuffer(make([]byte, room, p.size()+room+1024))
	if err := p.write(buf, entries); err != nil {
		return nil, err
	}
	signature, err := sign(ctx, buf.Bytes()[room:])
	if err != nil {
		return nil, err
	}
	end := t.signatureFields(signature)
	header := appendHeader(nil, 0x30, p.size()+int64(len(end)))
	der := append(buf.Bytes(), end...)[room-len(header):]
	copy(der, header)
	return der, nil
}

// appendHeader appends a DER tag and definite length.
func appendHeader(b []byte, tag byte, n int64) []byte {
	b = append(b, tag)
	if n < 0x80 {
		return append(b, byte(n))
	}
	octets := 0
	for rest := n; rest > 0; rest >>= 8 {
		octets++
	}
	b = append(b, 0x80|byte(octets))
	for i := octets - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

// reasonExtension is the entry extension of a reason code, without its last octet.
const reasonExtension = "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"

// appendEntry appends one entry; "unspecified" has no reason code (RFC 5280 §5.3.1).
func appendEntry(b []byte, e CRLEntry) ([]byte, error) {
	serial := e.Serial
	for len(serial) > 1 && serial[0] == 0 {
		serial = serial[1:]
	}
	if len(serial) == 0 || len(serial) > 20 || len(serial) == 1 && serial[0] == 0 {
		return nil, templateError("serial", "the serial number of an entry is positive and has at most 20 octets")
	}
	code, known := 0, true
	if e.Reason != "" && e.Reason != jitsuin.ReasonUnspecified {
		code, known = e.Reason.Code()
	}
	if !known || e.RevokedAt.IsZero() {
		return nil, templateError("entry", "an entry needs a known reason and the time of its revocation")
	}
	start := len(b)
	b = append(b, 0x30, 0, 0x02, byte(len(serial)))
	if serial[0]&0x80 != 0 {
		b[len(b)-1]++
		b = append(b, 0)
	}
	b = append(b, serial...)
	b = appendTime(b, e.RevokedAt)
	if code != 0 {
		b = append(append(b, reasonExtension...), byte(code))
	}
	b[start+1] = byte(len(b) - start - 2) // at most 23+17+14, one octet
	return b, nil
}

// appendTime appends UTCTime until 2049 and GeneralizedTime after.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	y, mo, d := t.Date()
	h, mi, s := t.Clock()
	if y >= 1950 && y < 2050 {
		b = append(b, 0x17, 13)
	} else {
		b = append(b, 0x18, 15)
		b = appendTwo(b, y/100)
	}
	for _, v := range [...]int{y % 100, int(mo), d, h, mi, s} {
		b = appendTwo(b, v)
	}
	return append(b, 'Z')
}

func appendTwo(b []byte, v int) []byte { return append(b, byte('0'+v/10%10), byte('0'+v%10)) }
