// Package chaintest grows throwaway hierarchies of certificates for tests of path validation: authorities under
// authorities, with any extension, and lists of every kind. Keys are on P-256, names are nobody's.
//
//	root := chaintest.New(t).Root("Root")
//	ca := root.CA("CA", chaintest.Policies("1.2.3.1"), chaintest.RequireExplicit(0))
//	leaf := ca.Leaf("Leaf", chaintest.Policies("1.2.3.1"))
package chaintest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Now is an instant at which everything is valid that says nothing else.
var Now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// keys are shared by number within one test binary.
var keys sync.Map

func key(n int) *ecdsa.PrivateKey {
	if k, ok := keys.Load(n); ok {
		return k.(*ecdsa.PrivateKey)
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	kept, _ := keys.LoadOrStore(n, k)
	return kept.(*ecdsa.PrivateKey)
}

// World is one test's hierarchy.
type World struct {
	t      testing.TB
	serial int64
	key    int
}

// New makes an empty world.
func New(t testing.TB) *World { return &World{t: t} }

// Node is one certificate with its key.
type Node struct {
	Cert  *x509.Certificate // as crypto/x509 reads it; nil where it cannot
	DER   []byte
	world *World
	key   *ecdsa.PrivateKey
	tmpl  *x509.Certificate
	num   int // of the key
}

// Spec is a certificate before it is signed.
type Spec struct {
	*x509.Certificate
	key    int // of the shared ones
	signer *Node
	bytes  []func([]byte) []byte // changes of the to-be-signed octets
}

// Option changes a certificate before it is signed.
type Option func(*Spec)

func (w *World) spec(cn string) *Spec {
	w.serial++
	w.key++
	c := &x509.Certificate{SerialNumber: big.NewInt(w.serial), NotBefore: Now.AddDate(-1, 0, 0), NotAfter: Now.AddDate(1, 0, 0),
		Subject: pkix.Name{Country: []string{"ZZ"}, Organization: []string{"Test"}, CommonName: cn}, MaxPathLen: -1}
	return &Spec{Certificate: c, key: w.key}
}

// Root makes an authority signed by itself.
func (w *World) Root(cn string, options ...Option) *Node {
	s := w.spec(cn)
	s.IsCA, s.BasicConstraintsValid, s.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	return w.sign(s, nil, options)
}

// CA makes an authority below n.
func (n *Node) CA(cn string, options ...Option) *Node {
	s := n.world.spec(cn)
	s.IsCA, s.BasicConstraintsValid, s.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	return n.world.sign(s, n, options)
}

// Leaf makes an end entity's certificate below n.
func (n *Node) Leaf(cn string, options ...Option) *Node {
	s := n.world.spec(cn)
	s.KeyUsage = x509.KeyUsageDigitalSignature
	return n.world.sign(s, n, options)
}

func (w *World) sign(s *Spec, issuer *Node, options []Option) *Node {
	w.t.Helper()
	s.signer = issuer
	for _, o := range options {
		o(s)
	}
	n := &Node{world: w, key: key(s.key), tmpl: s.Certificate, num: s.key}
	id := sha256.Sum256([]byte{byte(s.key)})
	if s.IsCA && s.SubjectKeyId == nil {
		s.SubjectKeyId = id[:8]
	}
	parent, signing := s.Certificate, n.key
	if s.signer != nil {
		if s.AuthorityKeyId == nil { // crypto/x509 leaves it out of self-issued certificates
			s.AuthorityKeyId = s.signer.tmpl.SubjectKeyId
		}
		parent, signing = s.signer.tmpl, s.signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, s.Certificate, parent, n.key.Public(), signing)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, change := range s.bytes {
		der = resign(w.t, der, change, signing)
	}
	n.DER = der
	n.Cert, _ = x509.ParseCertificate(der)
	return n
}

// resign changes the to-be-signed octets of a certificate or a list and signs anew.
func resign(t testing.TB, der []byte, change func([]byte) []byte, k *ecdsa.PrivateKey) []byte {
	t.Helper()
	in := cryptobyte.String(der)
	var outer, tbs, alg cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&alg, cbasn1.SEQUENCE) {
		t.Fatal("not a signed structure")
	}
	changed := change(bytes.Clone(tbs))
	if bytes.Equal(changed, tbs) {
		t.Fatal("the change changes nothing")
	}
	digest := sha256.Sum256(changed)
	sig, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(changed)
		b.AddBytes(alg)
		b.AddASN1BitString(sig)
	})
	return b.BytesOrPanic()
}

// Field changes anything that crypto/x509 has a field for.
func Field(change func(*x509.Certificate)) Option { return func(s *Spec) { change(s.Certificate) } }

// KeyOf gives the key of another node, with its identifier.
func KeyOf(n *Node) Option {
	return func(s *Spec) { s.key, s.SubjectKeyId = n.num, n.tmpl.SubjectKeyId }
}

// NamedLike gives the subject of another node.
func NamedLike(n *Node) Option {
	return Field(func(c *x509.Certificate) { c.Subject = n.tmpl.Subject })
}

// CommonName replaces the common name.
func CommonName(cn string) Option {
	return Field(func(c *x509.Certificate) { c.Subject.CommonName = cn })
}

// SubjectMail adds an emailAddress to the subject.
func SubjectMail(address string) Option {
	return Field(func(c *x509.Certificate) {
		c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: oid("1.2.840.113549.1.9.1"),
			Value: asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(address)}})
	})
}

// Octets replaces the only occurrence of some octets in what is signed, lengths and all being the caller's matter.
func Octets(old, new string) Option {
	return func(s *Spec) {
		s.bytes = append(s.bytes, func(tbs []byte) []byte { return bytes.Replace(tbs, []byte(old), []byte(new), 1) })
	}
}

// Extension adds one extension with any value.
func Extension(id string, critical bool, value []byte) Option {
	return func(s *Spec) {
		s.ExtraExtensions = append(s.ExtraExtensions, pkix.Extension{Id: oid(id), Critical: critical, Value: value})
	}
}

// Names gives alternative names.
func Names(dns ...string) Option { return Field(func(c *x509.Certificate) { c.DNSNames = dns }) }

// Mail gives mail addresses as alternative names.
func Mail(addresses ...string) Option {
	return Field(func(c *x509.Certificate) { c.EmailAddresses = addresses })
}

// URIs gives URIs as alternative names.
func URIs(uris ...string) Option {
	return Field(func(c *x509.Certificate) {
		for _, u := range uris {
			parsed, err := url.Parse(u)
			if err != nil {
				panic(err)
			}
			c.URIs = append(c.URIs, parsed)
		}
	})
}

// IPs gives addresses as alternative names.
func IPs(ips ...string) Option {
	return Field(func(c *x509.Certificate) {
		for _, ip := range ips {
			a := net.ParseIP(ip)
			if four := a.To4(); four != nil {
				a = four
			}
			c.IPAddresses = append(c.IPAddresses, a)
		}
	})
}

func oid(s string) asn1.ObjectIdentifier {
	parsed, err := x509.ParseOID(s)
	if err != nil {
		panic(err)
	}
	var id asn1.ObjectIdentifier
	der, _ := parsed.MarshalBinary()
	if _, err := asn1.Unmarshal(append([]byte{6, byte(len(der))}, der...), &id); err != nil {
		panic(err)
	}
	return id
}
