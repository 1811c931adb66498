package chaintest

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// List is a revocation list before it is signed.
type List struct {
	*x509.RevocationList
	bytes []func([]byte) []byte
}

// ListOption changes a list before it is signed.
type ListOption func(*List)

// CRL makes a list of n with the number 1, current at Now.
func (n *Node) CRL(options ...ListOption) []byte {
	n.world.t.Helper()
	l := &List{RevocationList: &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: Now.Add(-time.Hour), NextUpdate: Now.Add(time.Hour)}}
	for _, o := range options {
		o(l)
	}
	signer := n.Cert
	if signer.KeyUsage&x509.KeyUsageCRLSign == 0 { // crypto/x509 would refuse to sign
		c := *signer
		c.KeyUsage |= x509.KeyUsageCRLSign
		signer = &c
	}
	out, err := x509.CreateRevocationList(rand.Reader, l.RevocationList, signer, n.key)
	if err != nil {
		n.world.t.Fatal(err)
	}
	for _, change := range l.bytes {
		out = resign(n.world.t, out, change, n.key)
	}
	return out
}

// ListField changes anything that crypto/x509 has a field for.
func ListField(change func(*x509.RevocationList)) ListOption {
	return func(l *List) { change(l.RevocationList) }
}

// ListOctets replaces the first occurrence of some octets in what is signed.
func ListOctets(old, new string) ListOption {
	return func(l *List) {
		l.bytes = append(l.bytes, func(tbs []byte) []byte { return bytes.Replace(tbs, []byte(old), []byte(new), 1) })
	}
}

// Revoke lists a certificate with a reason code; issuer, if any, is named as certificateIssuer.
func Revoke(n *Node, reason int, issuer ...*Node) ListOption {
	return func(l *List) {
		e := x509.RevocationListEntry{SerialNumber: n.Cert.SerialNumber, RevocationTime: Now.Add(-2 * time.Hour), ReasonCode: reason}
		for _, i := range issuer {
			e.ExtraExtensions = append(e.ExtraExtensions, pkix.Extension{Id: oid("2.5.29.29"), Critical: true, Value: generalNames([]Name{DirectoryOf(i)})})
		}
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, e)
	}
}

// Number gives the list a number.
func Number(n int64) ListOption {
	return ListField(func(l *x509.RevocationList) { l.Number = big.NewInt(n) })
}

// Delta makes the list a delta to the one with the number base.
func Delta(base byte) ListOption { return ListExtension("2.5.29.27", true, []byte{2, 1, base}) }

// ListExtension adds one extension with any value.
func ListExtension(id string, critical bool, value []byte) ListOption {
	return ListField(func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: oid(id), Critical: critical, Value: value})
	})
}

// Flags of an issuingDistributionPoint: the tag numbers of what is TRUE.
const (
	UsersOnly     = 1
	CAsOnly       = 2
	Indirect      = 4
	AttributeOnly = 5
)

// Scope is a critical issuingDistributionPoint.
func Scope(p Point, flags ...uint8) ListOption {
	return ListExtension("2.5.29.28", true, sequence(func(b *cryptobyte.Builder) {
		p.name(b)
		for n := uint8(1); n <= 5; n++ {
			if n == 3 && p.Reasons != nil {
				b.AddASN1(tagged(3, false), func(b *cryptobyte.Builder) { b.AddBytes(p.Reasons) })
			}
			if bytes.IndexByte(flags, n) >= 0 {
				b.AddASN1(tagged(n, false), func(b *cryptobyte.Builder) { b.AddUint8(0xff) })
			}
		}
	}))
}
