package cert_test

import (
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	ct "github.com/jitsuin/jitsuin/cert/chaintest"
)

// line is root, CA, leaf, each with its options.
func line(w *ct.World, root, ca, leaf []ct.Option) question {
	r := w.Root("Root", root...)
	c := r.CA("CA", ca...)
	return question{leaf: c.Leaf("Leaf", leaf...), anchors: nodes(r), between: nodes(c)}
}

func opts(o ...ct.Option) []ct.Option { return o }

// withCA makes a case of the options of the CA in the middle, withLeaf of the leaf's, withRoot of the anchor's.
func withCA(name string, holds bool, why string, o ...ct.Option) chainCase {
	return chainCase{name, holds, why, func(w *ct.World) question { return line(w, nil, o, nil) }}
}

func withLeaf(name string, holds bool, why string, o ...ct.Option) chainCase {
	return chainCase{name, holds, why, func(w *ct.World) question { return line(w, nil, nil, o) }}
}

func withRoot(name string, holds bool, why string, o ...ct.Option) chainCase {
	return chainCase{name, holds, why, func(w *ct.World) question { return line(w, o, nil, nil) }}
}

var (
	notCA    = ct.Field(func(c *x509.Certificate) { c.IsCA = false })
	noBasic  = ct.Field(func(c *x509.Certificate) { c.BasicConstraintsValid = false })
	pathLen0 = ct.Field(func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	pathLen1 = ct.Field(func(c *x509.Certificate) { c.MaxPathLen = 1 })
)

func usage(u x509.KeyUsage) ct.Option { return ct.Field(func(c *x509.Certificate) { c.KeyUsage = u }) }

func TestPathsAndOpenSSL(t *testing.T) {
	judgeChains(t, []chainCase{
		withCA("an ordinary path", true, ""),
		withCA("an issuer that is no CA", false, "", notCA),
		withCA("an issuer without basicConstraints", false, "", noBasic),
		withCA("an issuer that may sign lists only", false, "", usage(x509.KeyUsageCRLSign)),
		withCA("an issuer without key usage", true, "RFC 5280 §6.1.4 n asks for keyCertSign only where there is a key usage; -x509_strict wants one in every CA", usage(0)),
		withCA("an issuer that is over", false, "", ct.Field(func(c *x509.Certificate) { c.NotAfter = ct.Now.Add(-time.Second) })),
		withCA("an issuer to come", false, "", ct.Field(func(c *x509.Certificate) { c.NotBefore = ct.Now.Add(time.Second) })),
		withLeaf("in the last second", true, "the validity includes its last second (RFC 5280 §4.1.2.5); openssl ends it there", ct.Field(func(c *x509.Certificate) { c.NotAfter = ct.Now })),
		withLeaf("a second late", false, "", ct.Field(func(c *x509.Certificate) { c.NotAfter = ct.Now.Add(-time.Second) })),
		withLeaf("in the first second", true, "", ct.Field(func(c *x509.Certificate) { c.NotBefore = ct.Now })),
		withLeaf("a second early", false, "", ct.Field(func(c *x509.Certificate) { c.NotBefore = ct.Now.Add(time.Second) })),
		withRoot("an anchor that is over", false, "", ct.Field(func(c *x509.Certificate) { c.NotAfter = ct.Now.Add(-time.Second) })),
		withRoot("an anchor that is no CA", false, "", notCA, usage(x509.KeyUsageDigitalSignature)),
		withRoot("a path length that suffices", true, "", pathLen1),
		withRoot("a path length that does not", false, "", pathLen0),
		withCA("a path length of the last CA", true, "", pathLen0),
		withCA("an unknown critical extension", false, "", ct.Extension("1.2.3.4", true, []byte{5, 0})),
		withCA("an unknown extension", true, "", ct.Extension("1.2.3.4", false, []byte{5, 0})),
		withLeaf("an unknown critical extension in the leaf", false, "", ct.Extension("1.2.3.4", true, []byte{5, 0})),
		withRoot("an unknown critical extension in the anchor", false, "", ct.Extension("1.2.3.4", true, []byte{5, 0})),
		{"a signature that was changed", false, "", func(w *ct.World) question {
			q := line(w, nil, nil, nil)
			q.leaf.DER[len(q.leaf.DER)-5] ^= 1
			return q
		}},
		{"self-issued certificates do not count", true, "", func(w *ct.World) question {
			r := w.Root("Root", pathLen0)
			again := r.CA("Root", ct.NamedLike(r))
			return question{leaf: again.Leaf("Leaf"), anchors: nodes(r), between: nodes(again)}
		}},
		{"a CA in between counts", false, "", func(w *ct.World) question {
			r := w.Root("Root", pathLen1)
			a := r.CA("A")
			b := a.CA("B")
			return question{leaf: b.Leaf("Leaf"), anchors: nodes(r), between: nodes(a, b)}
		}},
		{"a leaf that is itself a CA", true, "", func(w *ct.World) question {
			r := w.Root("Root", pathLen0)
			return question{leaf: r.CA("CA"), anchors: nodes(r)}
		}},
		{"a leaf issues", false, "", func(w *ct.World) question {
			r := w.Root("Root")
			l := r.Leaf("Leaf")
			return question{leaf: l.Leaf("Below"), anchors: nodes(r), between: nodes(l)}
		}},
	})
}

func TestBuildingAndOpenSSL(t *testing.T) {
	judgeChains(t, []chainCase{
		{"two anchors of one name", true, "", func(w *ct.World) question {
			a, b := w.Root("Root"), w.Root("Root")
			return question{leaf: b.Leaf("Leaf"), anchors: nodes(a, b)}
		}},
		{"the other of two anchors of one name", false, "", func(w *ct.World) question {
			a, b := w.Root("Root"), w.Root("Root")
			return question{leaf: b.Leaf("Leaf"), anchors: nodes(a)}
		}},
		{"an anchor that only came along", false, "", func(w *ct.World) question {
			a, b := w.Root("Root"), w.Root("Other")
			return question{leaf: b.Leaf("Leaf"), anchors: nodes(a), between: nodes(b)}
		}},
		{"five intermediates of one name", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			var all []*ct.Node
			for range 5 {
				all = append(all, r.CA("CA"))
			}
			return question{leaf: all[4].Leaf("Leaf"), anchors: nodes(r), between: all}
		}},
		{"one of two certificates of a CA is over", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			old := r.CA("CA", ct.Field(func(c *x509.Certificate) { c.NotAfter = ct.Now.AddDate(0, 0, -1) }))
			now := r.CA("CA", ct.KeyOf(old))
			return question{leaf: now.Leaf("Leaf"), anchors: nodes(r), between: nodes(old, now)}
		}},
		{"both certificates of a CA are over", false, "", func(w *ct.World) question {
			r := w.Root("Root")
			over := ct.Field(func(c *x509.Certificate) { c.NotAfter = ct.Now.AddDate(0, 0, -1) })
			old := r.CA("CA", over)
			now := r.CA("CA", ct.KeyOf(old), over)
			return question{leaf: now.Leaf("Leaf"), anchors: nodes(r), between: nodes(old, now)}
		}},
		{"a cross certificate", true, "", func(w *ct.World) question {
			ours, theirs := w.Root("Ours"), w.Root("Theirs")
			cross := ours.CA("Theirs", ct.KeyOf(theirs))
			return question{leaf: theirs.Leaf("Leaf"), anchors: nodes(ours), between: nodes(cross, theirs)}
		}},
		{"cross certificates in a ring", false, "", func(w *ct.World) question {
			a, b, other := w.Root("A"), w.Root("B"), w.Root("C")
			ab, ba := a.CA("B", ct.KeyOf(b)), b.CA("A", ct.KeyOf(a))
			return question{leaf: a.Leaf("Leaf"), anchors: nodes(other), between: nodes(a, b, ab, ba)}
		}},
		{"a way out of the ring", true, "openssl builds one path and judges that", func(w *ct.World) question {
			a, b, other := w.Root("A"), w.Root("B"), w.Root("C")
			ab, ba, cb := a.CA("B", ct.KeyOf(b)), b.CA("A", ct.KeyOf(a)), other.CA("B", ct.KeyOf(b))
			return question{leaf: a.Leaf("Leaf"), anchors: nodes(other), between: nodes(ab, ba, cb)}
		}},
		{"a new key certified by the old one", true, "", func(w *ct.World) question {
			old := w.Root("CA")
			next := w.Root("CA")
			link := old.CA("CA", ct.KeyOf(next))
			return question{leaf: next.Leaf("Leaf"), anchors: nodes(old), between: nodes(link)}
		}},
		{"a new key that only says so", false, "", func(w *ct.World) question {
			old, next := w.Root("CA"), w.Root("CA")
			return question{leaf: next.Leaf("Leaf"), anchors: nodes(old), between: nodes(next)}
		}},
		{"the narrow of two paths is not the only one", true, "openssl builds one path and judges that", func(w *ct.World) question {
			r := w.Root("Root")
			narrow := r.CA("CA", ct.Constraints([]ct.Name{ct.DNS("other.example")}, nil))
			wide := r.CA("CA", ct.KeyOf(narrow))
			return question{leaf: wide.Leaf("Leaf", ct.Names("a.test.example")), anchors: nodes(r), between: nodes(narrow, wide)}
		}},
		{"an intermediate as an anchor", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			c := r.CA("CA")
			return question{leaf: c.Leaf("Leaf"), anchors: nodes(c), partial: true}
		}},
		{"a leaf as an anchor", false, "a trusted certificate is no path to itself; openssl takes it with -partial_chain", func(w *ct.World) question {
			r := w.Root("Root")
			l := r.Leaf("Leaf")
			return question{leaf: l, anchors: nodes(l), partial: true}
		}},
		{"seven in a row", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			q, n := question{anchors: nodes(r)}, r
			for range 7 {
				n = n.CA("CA of many")
				n = n.CA("CA of few")
				q.between = append(q.between, n)
			}
			q.between = nil
			n = r
			for i := range 7 {
				n = n.CA(string(rune('A' + i)))
				q.between = append(q.between, n)
			}
			q.leaf = n.Leaf("Leaf")
			return q
		}},
		{"more than a path may have", false, "paths of more than 16 certificates are not searched for", func(w *ct.World) question {
			r := w.Root("Root")
			q, n := question{anchors: nodes(r)}, r
			for i := range 20 {
				n = n.CA(string(rune('A' + i)))
				q.between = append(q.between, n)
			}
			q.leaf = n.Leaf("Leaf")
			return q
		}},
	})
}

func TestPurposesNest(t *testing.T) {
	stamping := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	client := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	eku := func(u ...x509.ExtKeyUsage) ct.Option {
		return ct.Field(func(c *x509.Certificate) { c.ExtKeyUsage = u })
	}
	for name, c := range map[string]struct {
		ca, leaf []ct.Option
		purpose  asn1.ObjectIdentifier
		holds    bool
	}{
		"nobody says":                 {nil, nil, client, true},
		"the leaf says":               {nil, opts(eku(x509.ExtKeyUsageClientAuth)), client, true},
		"the leaf says another":       {nil, opts(eku(x509.ExtKeyUsageServerAuth)), client, false},
		"the CA says another":         {opts(eku(x509.ExtKeyUsageServerAuth)), opts(eku(x509.ExtKeyUsageClientAuth)), client, false},
		"the CA says any":             {opts(eku(x509.ExtKeyUsageAny)), opts(eku(x509.ExtKeyUsageClientAuth)), client, true},
		"time-stamping":               {nil, opts(eku(x509.ExtKeyUsageTimeStamping)), stamping, true},
		"time-stamping, any":          {nil, opts(eku(x509.ExtKeyUsageAny)), stamping, false},
		"time-stamping, nobody says":  {nil, nil, stamping, false},
		"time-stamping, CA for other": {opts(eku(x509.ExtKeyUsageClientAuth)), opts(eku(x509.ExtKeyUsageTimeStamping)), stamping, false},
		"nothing asked":               {opts(eku(x509.ExtKeyUsageServerAuth)), opts(eku(x509.ExtKeyUsageClientAuth)), nil, true},
	} {
		q := line(ct.New(t), nil, c.ca, c.leaf)
		_, err := cert.ValidatePath(t.Context(), q.leaf.Cert, cert.PathOptions{Anchors: []*x509.Certificate{q.anchors[0].Cert},
			Intermediates: []*x509.Certificate{q.between[0].Cert}, At: ct.Now, Purpose: c.purpose})
		if (err == nil) != c.holds {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ofIssuer makes a case of the authorityKeyIdentifier: the right one where value is nil.
func ofIssuer(name string, holds bool, why string, critical bool, value []byte) chainCase {
	return chainCase{name, holds, why, func(w *ct.World) question {
		r := w.Root("Root")
		right := append([]byte{0x30, byte(2 + len(r.Cert.SubjectKeyId)), 0x80, byte(len(r.Cert.SubjectKeyId))}, r.Cert.SubjectKeyId...)
		if value != nil {
			right = value
		}
		return question{leaf: r.Leaf("Leaf", ct.Extension("2.5.29.35", critical, right)), anchors: nodes(r)}
	}}
}

func TestCertificatesOutOfFormAndOpenSSL(t *testing.T) {
	serial := func(n *big.Int) ct.Option { return ct.Field(func(c *x509.Certificate) { c.SerialNumber = n }) }
	long := new(big.Int).Lsh(big.NewInt(1), 160)
	empty := ct.Field(func(c *x509.Certificate) {
		c.Subject.Country, c.Subject.Organization, c.Subject.CommonName = nil, nil, ""
	})
	const lenient = "openssl reads it and does not mind"
	judgeChains(t, []chainCase{
		withLeaf("a serial number of 20 octets", true, "", serial(new(big.Int).Rsh(long, 2))),
		withLeaf("a serial number of 21 octets", false, lenient, serial(long)),
		withLeaf("a serial number of zero", false, lenient, ct.Octets("\x02\x01\x03\x30", "\x02\x01\x00\x30")),
		withLeaf("a negative serial number", false, lenient, ct.Octets("\x02\x01\x03\x30", "\x02\x01\x83\x30")),
		withLeaf("no name and no other", false, "", empty),
		withLeaf("no name and a critical other", true, "", empty, ct.Extension("2.5.29.17", true, []byte("\x30\x0d\x82\x0btest.exampl"))),
		withLeaf("no name and another that is not critical", false, "", empty, ct.Extension("2.5.29.17", false, []byte("\x30\x0d\x82\x0btest.exampl"))),
		withCA("a CA without a name", false, "", empty),
		withLeaf("constraints in a leaf", false, lenient, ct.Constraints([]ct.Name{ct.DNS("test.example")}, nil)),
		withLeaf("keyCertSign in a leaf", false, "", usage(x509.KeyUsageCertSign)),
		withLeaf("an empty list of purposes", false, lenient, ct.Extension("2.5.29.37", false, []byte{0x30, 0})),
		withLeaf("a key usage of nothing", false, "", usage(0), ct.Extension("2.5.29.15", true, []byte{3, 2, 7, 0})),
		withLeaf("a key usage with a bit too many", false, lenient, usage(0), ct.Extension("2.5.29.15", true, []byte{3, 2, 6, 0x81})),
		withLeaf("policies twice the same", false, "", ct.Policies("1.2.3.1", "1.2.3.1")),
		withLeaf("policies and something behind", false, lenient, ct.Extension("2.5.29.32", false, []byte("\x30\x06\x30\x04\x06\x02\x2a\x03\x05\x00"))),
		withLeaf("a host with an underscore", false, lenient, ct.SAN(ct.DNS("a_b.test.example"))),
		withLeaf("an address as a host", false, lenient, ct.SAN(ct.DNS("192.0.2.1"))),
		withLeaf("a host", true, "", ct.SAN(ct.DNS("a-b.test.example"))),
		withLeaf("a wildcard", true, "", ct.SAN(ct.DNS("*.test.example"))),
		withLeaf("a wildcard in the middle", false, lenient, ct.SAN(ct.DNS("a.*.test.example"))),
		withLeaf("a mailbox", true, "", ct.SAN(ct.MailName("a@test.example"))),
		withLeaf("a mailbox with two signs", false, lenient, ct.SAN(ct.MailName("a@b@test.example"))),
		withLeaf("an address of five octets", false, lenient, ct.SAN(ct.IP(192, 0, 2, 1, 1))),
		ofIssuer("its issuer's key is named", true, "", false, nil),
		ofIssuer("a critical authority key identifier", false, "", true, nil),
		ofIssuer("a leaf that names another key", false, "", false, []byte("\x30\x0a\x80\x0812345678")),
		ofIssuer("a leaf that names its issuer by a number alone", false, "", false, []byte("\x30\x03\x82\x01\x01")),
		withCA("name constraints that are not critical", false, lenient, ct.Extension("2.5.29.30", false, ct.ConstraintsValue([]ct.Name{ct.DNS("test.example")}, nil))),
		withCA("a CA without a key identifier", false, "", ct.Octets("\x55\x1d\x0e", "\x55\x1d\x01")),
		withLeaf("a leaf that does not name its issuer's key", false, "", ct.Octets("\x55\x1d\x23", "\x55\x1d\x01")),
	})
}

// What a hierarchy says may come from any of its certificates; the leaf's own policies and names are in other files.
func TestAnchorsAreJudgedLikeCAs(t *testing.T) {
	judgeChains(t, []chainCase{
		withRoot("an anchor whose basicConstraints are not critical", false, "", noBasic, ct.Extension("2.5.29.19", false, []byte{0x30, 3, 1, 1, 0xff})),
		withRoot("an anchor without keyCertSign", false, "", usage(x509.KeyUsageCRLSign)),
		{"an anchor of the right key and another name", false, "", func(w *ct.World) question {
			r := w.Root("Root")
			other := w.Root("Other", ct.KeyOf(r))
			return question{leaf: r.Leaf("Leaf"), anchors: nodes(other)}
		}},
		{"an anchor of the right name in other letters", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			other := w.Root("ROOT", ct.KeyOf(r))
			return question{leaf: r.Leaf("Leaf"), anchors: nodes(other)}
		}},
	})
}
