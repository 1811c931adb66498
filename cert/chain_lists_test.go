package cert_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"

	ct "github.com/jitsuin/jitsuin/cert/chaintest"
)

// small is a root, a CA and a leaf, whose lists a case makes.
type small struct {
	w              *ct.World
	root, ca, leaf *ct.Node
}

// stated makes a case of the leaf's options and of the lists of everybody.
func stated(name string, holds bool, why string, leaf []ct.Option, lists func(small) [][]byte, more ...func(small) []*ct.Node) chainCase {
	return chainCase{name, holds, why, func(w *ct.World) question {
		s := small{w: w, root: w.Root("Root")}
		s.ca = s.root.CA("CA")
		s.leaf = s.ca.Leaf("Leaf", leaf...)
		q := question{leaf: s.leaf, anchors: nodes(s.root), between: nodes(s.ca), lists: lists(s)}
		for _, f := range more {
			q.between = append(q.between, f(s)...)
		}
		return q
	}}
}

// of makes a case of one list of the CA, beside a good one of the root.
func of(name string, holds bool, why string, leaf []ct.Option, list func(small) []ct.ListOption) chainCase {
	return stated(name, holds, why, leaf, func(s small) [][]byte { return [][]byte{s.root.CRL(), s.ca.CRL(list(s)...)} })
}

func plainList(o ...ct.ListOption) func(small) []ct.ListOption {
	return func(small) []ct.ListOption { return o }
}

func lasting(from, to time.Duration) ct.ListOption {
	return ct.ListField(func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = ct.Now.Add(from), ct.Now.Add(to) })
}

// Reason codes, and contents of ReasonFlags.
const (
	keyCompromise = 1
	hold          = 6
	remove        = 8
)

var (
	someReasons  = []byte{5, 0x60} // keyCompromise, cACompromise
	otherReasons = []byte{7, 0x1f, 0x80}
)

func TestListsAndOpenSSL(t *testing.T) {
	entry := func(s small, critical bool) ct.ListOption {
		return ct.ListField(func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: s.ca.Cert.SerialNumber,
				RevocationTime: ct.Now.Add(-time.Hour), ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: critical, Value: []byte{5, 0}}}})
		})
	}
	judgeChains(t, []chainCase{
		of("a list", true, "", nil, plainList()),
		of("a list that names the leaf", false, "", nil, func(s small) []ct.ListOption { return []ct.ListOption{ct.Revoke(s.leaf, keyCompromise)} }),
		of("a list that suspends the leaf", false, "", nil, func(s small) []ct.ListOption { return []ct.ListOption{ct.Revoke(s.leaf, hold)} }),
		of("a list that names another", true, "", nil, func(s small) []ct.ListOption { return []ct.ListOption{ct.Revoke(s.ca, keyCompromise)} }),
		of("a list that has ended", false, "", nil, plainList(lasting(-2*time.Hour, -time.Hour))),
		of("a list of the future", false, "", nil, plainList(lasting(time.Hour, 2*time.Hour))),
		of("a list without a number", false, "openssl does not ask for the number", nil, plainList(ct.ListOctets("\x06\x03\x55\x1d\x14", "\x06\x03\x55\x1d\x01"))),
		of("a list with an unknown critical extension", false, "", nil, plainList(ct.ListExtension("1.2.3", true, []byte{5, 0}))),
		of("a list with an unknown extension", true, "", nil, plainList(ct.ListExtension("1.2.3", false, []byte{5, 0}))),
		of("an entry with an unknown critical extension", false, "", nil, func(s small) []ct.ListOption { return []ct.ListOption{entry(s, true)} }),
		of("an entry with an unknown extension", true, "", nil, func(s small) []ct.ListOption { return []ct.ListOption{entry(s, false)} }),
		of("a list for users", true, "", nil, plainList(ct.Scope(ct.Point{}, ct.UsersOnly))),
		of("a list for CAs", false, "", nil, plainList(ct.Scope(ct.Point{}, ct.CAsOnly))),
		of("a list for attributes", false, "", nil, plainList(ct.Scope(ct.Point{}, ct.AttributeOnly))),
		of("a list for users and CAs, which cannot be", false, "", nil, plainList(ct.Scope(ct.Point{}, ct.UsersOnly, ct.CAsOnly))),
		of("a list for some reasons", false, "", nil, plainList(ct.Scope(ct.Point{Reasons: someReasons}))),
		of("an indirect list of the CA itself", true, "", nil, plainList(ct.Scope(ct.Point{}, ct.Indirect))),
		stated("no list of the CA", false, "", nil, func(s small) [][]byte { return [][]byte{s.root.CRL()} }),
		stated("no list of the root", false, "", nil, func(s small) [][]byte { return [][]byte{s.ca.CRL()} }),
		stated("no list at all", false, "", nil, func(s small) [][]byte { return [][]byte{} }),
		stated("the CA is revoked", false, "", nil, func(s small) [][]byte { return [][]byte{s.root.CRL(ct.Revoke(s.ca, keyCompromise)), s.ca.CRL()} }),
		stated("a list for CAs, about one", true, "", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(ct.Scope(ct.Point{}, ct.CAsOnly)), s.ca.CRL()}
		}),
		stated("a list for users, about a CA", false, "", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(ct.Scope(ct.Point{}, ct.UsersOnly)), s.ca.CRL()}
		}),
		stated("a list whose signature was changed", false, "", nil, func(s small) [][]byte {
			l := s.ca.CRL()
			l[len(l)-5] ^= 1
			return [][]byte{s.root.CRL(), l}
		}),
		stated("a list of another authority of the name", false, "", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.w.Root("CA").CRL()}
		}),
		stated("two lists for all reasons together", true, "", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(ct.Scope(ct.Point{Reasons: someReasons})), s.ca.CRL(ct.Scope(ct.Point{Reasons: otherReasons}))}
		}),
		stated("the second of two lists for some reasons", false, "", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(ct.Scope(ct.Point{Reasons: someReasons})), s.ca.CRL(ct.Scope(ct.Point{Reasons: otherReasons}), ct.Revoke(s.leaf, hold))}
		}),
		stated("an old list suspends, a new one does not", true, "", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(ct.Number(1), lasting(-2*time.Hour, time.Hour), ct.Revoke(s.leaf, hold)), s.ca.CRL(ct.Number(2))}
		}),
		stated("of two lists as new as each other one suspends", false, "openssl asks the first of them", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(), s.ca.CRL(ct.Revoke(s.leaf, hold))}
		}),
		stated("an old list revokes, a new one has lost it", false, "what is revoked stays so wherever it stands; openssl asks the newest list alone", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(ct.Number(1), lasting(-2*time.Hour, time.Hour), ct.Revoke(s.leaf, keyCompromise)), s.ca.CRL(ct.Number(2))}
		}),
	})
}

func TestPartitionsAndOpenSSL(t *testing.T) {
	here, there := ct.Point{Names: names(ct.URI("http://lists.test.example/1"))}, ct.Point{Names: names(ct.URI("http://lists.test.example/2"))}
	dir := ct.Point{Names: names(ct.Directory("Test", "Part"))}
	judgeChains(t, []chainCase{
		of("the leaf's partition", true, "", opts(ct.Points(here)), plainList(ct.Scope(here))),
		of("another partition", false, "", opts(ct.Points(here)), plainList(ct.Scope(there))),
		of("a partition of a leaf without a point", false, "", nil, plainList(ct.Scope(here))),
		of("no partition, a leaf with a point", true, "", opts(ct.Points(here)), plainList()),
		of("one of two points", true, "", opts(ct.Points(there, here)), plainList(ct.Scope(here))),
		of("a partition with a directory name", true, "", opts(ct.Points(dir)), plainList(ct.Scope(dir))),
		of("a partition relative to the issuer", true, "", opts(ct.Points(ct.Point{Relative: "Part"})), plainList(ct.Scope(ct.Point{Relative: "Part"}))),
		of("another partition relative to the issuer", false, "", opts(ct.Points(ct.Point{Relative: "Part"})), plainList(ct.Scope(ct.Point{Relative: "Other"}))),
		of("a partition that revokes", false, "", opts(ct.Points(here)), func(s small) []ct.ListOption {
			return []ct.ListOption{ct.Scope(here), ct.Revoke(s.leaf, keyCompromise)}
		}),
		of("a point for some reasons", false, "", opts(ct.Points(ct.Point{Names: here.Names, Reasons: someReasons})), plainList(ct.Scope(here))),
		stated("two points for all reasons", true, "", opts(ct.Points(ct.Point{Names: here.Names, Reasons: someReasons}, ct.Point{Names: there.Names, Reasons: otherReasons})),
			func(s small) [][]byte {
				return [][]byte{s.root.CRL(), s.ca.CRL(ct.Scope(here)), s.ca.CRL(ct.Scope(there))}
			}),
	})
}

func TestDeltasAndOpenSSL(t *testing.T) {
	// openssl asks deltas only about certificates that point to some.
	freshest := opts(ct.Extension("2.5.29.46", false, []byte("\x30\x0d\x30\x0b\xa0\x09\xa0\x07\x86\x05urn:x")))
	delta := func(name string, holds bool, why string, base func(small) []ct.ListOption, d func(small) []ct.ListOption) chainCase {
		return stated(name, holds, why, freshest, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(append(base(s), ct.Number(5))...), s.ca.CRL(d(s)...)}
		})
	}
	none := plainList()
	revoked := func(reason int, more ...ct.ListOption) func(small) []ct.ListOption {
		return func(s small) []ct.ListOption { return append(more, ct.Revoke(s.leaf, reason)) }
	}
	judgeChains(t, []chainCase{
		delta("a delta with nothing", true, "", none, plainList(ct.Delta(5), ct.Number(6))),
		delta("a delta that revokes", false, "", none, revoked(keyCompromise, ct.Delta(5), ct.Number(6))),
		delta("a delta on an older base that revokes", false, "", none, revoked(keyCompromise, ct.Delta(3), ct.Number(6))),
		delta("a delta that lifts a suspension", true, "", revoked(hold), revoked(remove, ct.Delta(5), ct.Number(6))),
		delta("a delta that lifts a revocation", false, "what is revoked for good is never lifted; openssl lifts whatever a delta lifts", revoked(keyCompromise), revoked(remove, ct.Delta(5), ct.Number(6))),
		delta("a delta that says nothing of what the base says", false, "", revoked(keyCompromise), plainList(ct.Delta(5), ct.Number(6))),
		delta("a delta on a newer base that lifts", false, "", revoked(hold), revoked(remove, ct.Delta(6), ct.Number(7))),
		delta("a delta older than the list that lifts", false, "", revoked(hold), revoked(remove, ct.Delta(3), ct.Number(4))),
		delta("a delta of another scope that lifts", false, "", revoked(hold), revoked(remove, ct.Delta(5), ct.Number(6), ct.Scope(ct.Point{}, ct.UsersOnly))),
		stated("a delta that nothing points to lifts", false, "", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(ct.Number(5), ct.Revoke(s.leaf, hold)), s.ca.CRL(ct.Delta(5), ct.Number(6), ct.Revoke(s.leaf, remove))}
		}),
		stated("a delta that nothing points to revokes", false, "a delta at hand is believed when it revokes; openssl leaves it out", nil, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(ct.Number(5)), s.ca.CRL(ct.Delta(5), ct.Number(6), ct.Revoke(s.leaf, keyCompromise))}
		}),
		stated("a delta alone", false, "", nil, func(s small) [][]byte { return [][]byte{s.root.CRL(), s.ca.CRL(ct.Delta(5), ct.Number(6))} }),
		stated("a delta of another authority of the name that lifts", false, "", freshest, func(s small) [][]byte {
			return [][]byte{s.root.CRL(), s.ca.CRL(ct.Number(5), ct.Revoke(s.leaf, hold)), s.w.Root("CA").CRL(ct.Delta(5), ct.Number(6), ct.Revoke(s.leaf, remove))}
		}),
	})
}

func TestSignersOfListsAndOpenSSL(t *testing.T) {
	lister := usage(x509.KeyUsageCRLSign)
	judgeChains(t, []chainCase{
		{"a second key for lists alone", true, "", func(w *ct.World) question {
			s := small{w: w, root: w.Root("Root")}
			s.ca = s.root.CA("CA", usage(x509.KeyUsageCertSign))
			lists := s.root.CA("CA", ct.NamedLike(s.ca), lister)
			return question{leaf: s.ca.Leaf("Leaf"), anchors: nodes(s.root), between: nodes(s.ca, lists), lists: [][]byte{s.root.CRL(), lists.CRL()}}
		}},
		{"a second key that is revoked", false, "", func(w *ct.World) question {
			s := small{w: w, root: w.Root("Root")}
			s.ca = s.root.CA("CA", usage(x509.KeyUsageCertSign))
			lists := s.root.CA("CA", ct.NamedLike(s.ca), lister)
			return question{leaf: s.ca.Leaf("Leaf"), anchors: nodes(s.root), between: nodes(s.ca, lists), lists: [][]byte{s.root.CRL(ct.Revoke(lists, keyCompromise)), lists.CRL()}}
		}},
		{"a second key under another anchor", false, "", func(w *ct.World) question {
			s := small{w: w, root: w.Root("Root")}
			s.ca = s.root.CA("CA", usage(x509.KeyUsageCertSign))
			other := w.Root("Other")
			lists := other.CA("CA", ct.NamedLike(s.ca), lister)
			return question{leaf: s.ca.Leaf("Leaf"), anchors: nodes(s.root, other), between: nodes(s.ca, lists), lists: [][]byte{s.root.CRL(), other.CRL(), lists.CRL()}}
		}},
		{"a CA that may not sign lists", false, "", func(w *ct.World) question {
			s := small{w: w, root: w.Root("Root")}
			s.ca = s.root.CA("CA", usage(x509.KeyUsageCertSign))
			return question{leaf: s.ca.Leaf("Leaf"), anchors: nodes(s.root), between: nodes(s.ca), lists: [][]byte{s.root.CRL(), s.ca.CRL()}}
		}},
		indirect("an indirect list", true, "", true, func(s small, l *ct.Node) []ct.ListOption {
			return []ct.ListOption{ct.Scope(ct.Point{}, ct.Indirect)}
		}),
		indirect("an indirect list that names the leaf", false, "", true, func(s small, l *ct.Node) []ct.ListOption {
			return []ct.ListOption{ct.Scope(ct.Point{}, ct.Indirect), ct.Revoke(s.leaf, keyCompromise, s.ca)}
		}),
		indirect("an indirect list that names the leaf after another of its issuer", false, "", true, func(s small, l *ct.Node) []ct.ListOption {
			return []ct.ListOption{ct.Scope(ct.Point{}, ct.Indirect), ct.Revoke(s.root, keyCompromise, s.ca), ct.Revoke(s.leaf, keyCompromise)}
		}),
		indirect("an indirect list that names another issuer's of the number", true, "", true, func(s small, l *ct.Node) []ct.ListOption {
			return []ct.ListOption{ct.Scope(ct.Point{}, ct.Indirect), ct.Revoke(s.leaf, keyCompromise, s.root)}
		}),
		indirect("an indirect list with the number under its own issuer", true, "", true, func(s small, l *ct.Node) []ct.ListOption {
			return []ct.ListOption{ct.Scope(ct.Point{}, ct.Indirect), ct.Revoke(s.leaf, keyCompromise)}
		}),
		indirect("a list of another issuer that is not indirect", false, "", true, func(s small, l *ct.Node) []ct.ListOption { return nil }),
		indirect("an indirect list that the leaf does not name", false, "", false, func(s small, l *ct.Node) []ct.ListOption {
			return []ct.ListOption{ct.Scope(ct.Point{}, ct.Indirect)}
		}),
	})
}

// indirect makes a case of a list that another authority under the root makes for the CA; the leaf names it or not.
func indirect(name string, holds bool, why string, named bool, list func(s small, lister *ct.Node) []ct.ListOption) chainCase {
	return chainCase{name, holds, why, func(w *ct.World) question {
		s := small{w: w, root: w.Root("Root")}
		s.ca = s.root.CA("CA")
		lister := s.root.CA("Lister", usage(x509.KeyUsageCRLSign))
		var o []ct.Option
		if named {
			o = append(o, ct.Points(ct.Point{Issuer: names(ct.DirectoryOf(lister))}))
		}
		s.leaf = s.ca.Leaf("Leaf", o...)
		return question{leaf: s.leaf, anchors: nodes(s.root), between: nodes(s.ca, lister), lists: [][]byte{s.root.CRL(), lister.CRL(list(s, lister)...)}}
	}}
}
