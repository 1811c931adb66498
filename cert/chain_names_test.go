package cert_test

import (
	"testing"

	ct "github.com/jitsuin/jitsuin/cert/chaintest"
)

// fenced makes a case of the constraints of the CA and the names of the leaf.
func fenced(name string, holds bool, why string, permitted, excluded []ct.Name, leaf ...ct.Option) chainCase {
	return chainCase{name, holds, why, func(w *ct.World) question {
		return line(w, nil, opts(ct.Constraints(permitted, excluded)), leaf)
	}}
}

func names(n ...ct.Name) []ct.Name { return n }

func TestNameConstraintsAndOpenSSL(t *testing.T) {
	san := func(n ...ct.Name) ct.Option { return ct.SAN(n...) }
	host, mail := ct.DNS("test.example"), ct.MailName("test.example")
	judgeChains(t, []chainCase{
		fenced("host inside", true, "", names(host), nil, san(ct.DNS("a.test.example"))),
		fenced("the host itself", true, "", names(host), nil, san(host)),
		fenced("host in capitals", true, "", names(host), nil, san(ct.DNS("A.TEST.Example"))),
		fenced("host outside", false, "", names(host), nil, san(ct.DNS("a.test.invalid"))),
		fenced("host that ends alike", false, "", names(host), nil, san(ct.DNS("atest.example"))),
		fenced("one host of two outside", false, "", names(host), nil, san(ct.DNS("a.test.example"), ct.DNS("b.invalid"))),
		fenced("host excluded", false, "", nil, names(host), san(ct.DNS("a.test.example"))),
		fenced("host beside what is excluded", true, "", nil, names(host), san(ct.DNS("b.example"))),
		fenced("excluded inside permitted", false, "", names(host), names(ct.DNS("a.test.example")), san(ct.DNS("b.a.test.example"))),
		fenced("a wildcard that may be what is excluded", false, "openssl compares the star as a letter", nil, names(ct.DNS("a.test.example")), san(ct.DNS("*.test.example"))),
		fenced("a wildcard inside", true, "", names(host), nil, san(ct.DNS("*.test.example"))),
		fenced("a base with a leading dot", false, "RFC 5280 §4.2.1.10 has no leading dot in dNSName; openssl takes it for what is below", names(ct.DNS(".test.example")), nil, san(ct.DNS("a.test.example"))),
		fenced("a common name that is a host outside", false, "", names(host), nil, ct.CommonName("www.other.example")),
		fenced("a common name that is a host inside", true, "", names(host), nil, ct.CommonName("www.test.example")),
		fenced("a common name that is none", true, "", names(host), nil, ct.CommonName("Kasumi Taro")),
		fenced("another form is free", true, "", names(host), nil, san(ct.MailName("a@other.example"))),
		fenced("mail inside", true, "", names(mail), nil, san(ct.MailName("a@test.example"))),
		fenced("mail outside", false, "", names(mail), nil, san(ct.MailName("a@other.example"))),
		fenced("mail of a host below", false, "", names(mail), nil, san(ct.MailName("a@b.test.example"))),
		fenced("mail below a dot", true, "", names(ct.MailName(".test.example")), nil, san(ct.MailName("a@b.test.example"))),
		fenced("mail at the dot itself", false, "", names(ct.MailName(".test.example")), nil, san(ct.MailName("a@test.example"))),
		fenced("one mailbox", true, "", names(ct.MailName("a@test.example")), nil, san(ct.MailName("a@test.example"))),
		fenced("another mailbox", false, "", names(ct.MailName("a@test.example")), nil, san(ct.MailName("b@test.example"))),
		fenced("one mailbox in capitals", false, "", names(ct.MailName("a@test.example")), nil, san(ct.MailName("A@test.example"))),
		fenced("an excluded mailbox in capitals", false, "a mailbox that is excluded is so however it is written; openssl tells the letters apart", nil,
			names(ct.MailName("a@test.example")), san(ct.MailName("A@test.example"))),
		fenced("mail in the subject outside", false, "", names(mail), nil, ct.SubjectMail("a@other.example")),
		fenced("mail in the subject inside", true, "", names(mail), nil, ct.SubjectMail("a@test.example")),
		fenced("URI inside", true, "", names(ct.URI("test.example")), nil, san(ct.URI("https://test.example/x"))),
		fenced("URI outside", false, "", names(ct.URI("test.example")), nil, san(ct.URI("https://other.example/x"))),
		fenced("URI below a dot", true, "", names(ct.URI(".test.example")), nil, san(ct.URI("https://a.test.example:8443/x"))),
		fenced("URI below without a dot", false, "", names(ct.URI("test.example")), nil, san(ct.URI("https://a.test.example/"))),
		fenced("URI with another host as a user", false, "", names(ct.URI("test.example")), nil, san(ct.URI("https://test.example@other.example/"))),
		fenced("URI without a host", false, "", names(ct.URI("test.example")), nil, san(ct.URI("urn:test:example"))),
		fenced("URI of an address", false, "a constraint on hosts refuses a URI without one (RFC 5280 §4.2.1.10); openssl compares the address as a name", nil, names(ct.URI("test.example")), san(ct.URI("https://192.0.2.1/"))),
		fenced("address inside", true, "", names(ct.IP(192, 0, 2, 0, 255, 255, 255, 0)), nil, san(ct.IP(192, 0, 2, 9))),
		fenced("address outside", false, "", names(ct.IP(192, 0, 2, 0, 255, 255, 255, 0)), nil, san(ct.IP(192, 0, 3, 9))),
		fenced("address of the other length", false, "", names(ct.IP(192, 0, 2, 0, 255, 255, 255, 0)), nil,
			san(ct.IP(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))),
		fenced("address excluded", false, "", nil, names(ct.IP(192, 0, 2, 0, 255, 255, 255, 0)), san(ct.IP(192, 0, 2, 9))),
		fenced("a mask with holes", false, "a mask is ones and then zeros (RFC 4632); openssl takes any", names(ct.IP(192, 0, 2, 0, 255, 0, 255, 0)), nil, san(ct.IP(192, 0, 2, 9))),
		fenced("directory inside", true, "", names(ct.Directory("Test", "")), nil),
		fenced("directory outside", false, "", names(ct.Directory("Other", "")), nil),
		fenced("directory excluded", false, "", nil, names(ct.Directory("Test", ""))),
		fenced("directory excluded in capitals", false, "", nil, names(ct.Directory("TEST", ""))),
		fenced("directory that only begins alike", false, "", names(ct.Directory("Tes", "")), nil),
		fenced("directory as another name outside", false, "", names(ct.Directory("Test", "")), nil, san(ct.Directory("Other", "x"))),
		fenced("an otherName where those are constrained", false, "", names(ct.Other("1.2.3", "x")), nil, san(ct.Other("1.2.3", "x"))),
		fenced("no otherName where those are constrained", true, "", names(ct.Other("1.2.3", "x")), nil, san(ct.DNS("a.example"))),
		fenced("a number where those are constrained", false, "", nil, names(ct.ID("1.2.3")), san(ct.ID("1.2.4"))),
		{"constraints of two CAs hold together", false, "", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.Constraints(names(ct.DNS("test.example")), nil))
			b := a.CA("B", ct.Constraints(names(ct.DNS("example")), nil))
			return question{leaf: b.Leaf("Leaf", ct.Names("x.other.example")), anchors: nodes(r), between: nodes(a, b)}
		}},
		{"constraints bind CAs too", false, "", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.Constraints(names(ct.Directory("Other", "")), nil))
			b := a.CA("B")
			return question{leaf: b.Leaf("Leaf"), anchors: nodes(r), between: nodes(a, b)}
		}},
		{"constraints of the anchor", false, "", func(w *ct.World) question {
			return line(w, opts(ct.Constraints(names(host), nil)), nil, opts(ct.Names("a.other.example")))
		}},
		{"a self-issued CA is exempt", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.Constraints(nil, names(ct.DNS("other.example"))))
			again := a.CA("A", ct.NamedLike(a), ct.Names("x.other.example"))
			return question{leaf: again.Leaf("Leaf", ct.Names("x.test.example")), anchors: nodes(r), between: nodes(a, again)}
		}},
		{"a self-issued leaf is not", false, "", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.Constraints(nil, names(ct.DNS("other.example"))))
			return question{leaf: a.Leaf("A", ct.NamedLike(a), ct.Names("x.other.example")), anchors: nodes(r), between: nodes(a)}
		}},
	})
}
