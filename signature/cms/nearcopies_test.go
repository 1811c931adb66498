package cms_test

import (
	"bytes"
	"encoding/asn1"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// nearCopy changes one thing about a good signature with embedded content. want is the fault that is
// found first; "unreadable" where nothing is read.
type nearCopy struct {
	name   string
	change func(t *testing.T, c *copied)
	want   cms.Fault
}

// copied is a good signature taken apart, and another good one over other content by the same key.
type copied struct {
	root, other *node
	raw         []byte // instead of root, where octets are changed and not elements
	given       []byte // content given beside the embedded one
}

var otherDocument = bytes.Repeat([]byte("another document, signed by the same hand\r\n"), 20)

// nearCopies are what a forger can do to a signature without the key.
var nearCopies = []nearCopy{
	{"content changed", func(_ *testing.T, c *copied) { c.root.encap().kids[1].kids[0].body[3] ^= 1 }, cms.FaultContent},
	{"content cut", func(_ *testing.T, c *copied) {
		v := c.root.encap().kids[1].kids[0]
		v.body = v.body[:len(v.body)-1]
	}, cms.FaultContent},
	{"content lengthened", func(_ *testing.T, c *copied) {
		v := c.root.encap().kids[1].kids[0]
		v.body = append(bytes.Clone(v.body), '\n')
	}, cms.FaultContent},
	{"content emptied", func(_ *testing.T, c *copied) { c.root.encap().kids[1].kids[0].body = nil }, cms.FaultContent},
	{"content of the other signature", func(_ *testing.T, c *copied) { c.root.encap().kids[1] = c.other.encap().kids[1] }, cms.FaultContent},
	{"content taken out and not given", func(_ *testing.T, c *copied) { c.root.encap().kids = c.root.encap().kids[:1] }, cms.FaultNoContent},
	{"content taken out and another given", func(_ *testing.T, c *copied) {
		c.root.encap().kids, c.given = c.root.encap().kids[:1], otherDocument
	}, cms.FaultContent},
	{"another document given beside the embedded one", func(_ *testing.T, c *copied) { c.given = otherDocument }, cms.FaultContent},
	{"an empty document given beside the embedded one", func(_ *testing.T, c *copied) { c.given = []byte{} }, cms.FaultContent},
	{"the document given with a byte more", func(_ *testing.T, c *copied) { c.given = append(bytes.Clone(document), 0) }, cms.FaultContent},
	{"content twice", func(_ *testing.T, c *copied) {
		c.root.encap().kids[1].kids = append(c.root.encap().kids[1].kids, c.root.encap().kids[1].kids[0].clone())
	}, "unreadable"},
	{"content that is no octet string", func(_ *testing.T, c *copied) { c.root.encap().kids[1].kids[0].tag = 0x0c }, "unreadable"},
	{"content type of another kind", func(_ *testing.T, c *copied) { c.root.encap().kids[0] = tlv(oidValue(oidTSTInfo)) }, cms.FaultFormat},

	{"signed attributes of the other signature", func(_ *testing.T, c *copied) { *c.root.signer().signed() = *c.other.signer().signed() }, cms.FaultContent},
	{"signature value of the other signature", func(_ *testing.T, c *copied) { *c.root.signer().value() = *c.other.signer().value() }, cms.FaultValue},
	{"attributes and value of the other signature", func(_ *testing.T, c *copied) {
		*c.root.signer() = *c.other.signer()
	}, cms.FaultContent},
	{"message-digest of the other signature", func(_ *testing.T, c *copied) {
		*c.root.signer().signed().attribute(attrDigest) = *c.other.signer().signed().attribute(attrDigest)
	}, cms.FaultContent},
	{"content and message-digest of the other signature", func(_ *testing.T, c *copied) {
		c.root.encap().kids[1] = c.other.encap().kids[1]
		*c.root.signer().signed().attribute(attrDigest) = *c.other.signer().signed().attribute(attrDigest)
	}, cms.FaultValue},
	{"message-digest taken out", withoutAttribute(attrDigest), cms.FaultFormat},
	{"content-type taken out", withoutAttribute(attrContentType), cms.FaultFormat},
	{"signing-time taken out", withoutAttribute(attrTime), cms.FaultValue},
	{"signing-time moved", func(_ *testing.T, c *copied) {
		c.root.signer().signed().attribute(attrTime).kids[1].kids[0].body[5] ^= 1
	}, cms.FaultValue},
	{"signing-time twice", twiceAttribute(attrTime), cms.FaultFormat},
	{"message-digest twice", twiceAttribute(attrDigest), cms.FaultFormat},
	{"message-digest twice, the other's first", func(_ *testing.T, c *copied) {
		s := c.root.signer().signed()
		s.kids = slices.Insert(s.kids, 0, c.other.signer().signed().attribute(attrDigest))
		c.root.encap().kids[1] = c.other.encap().kids[1]
	}, cms.FaultFormat},
	{"message-digest with a value more", func(_ *testing.T, c *copied) {
		v := c.root.signer().signed().attribute(attrDigest).kids[1]
		v.kids = append(v.kids, c.other.signer().signed().attribute(attrDigest).kids[1].kids[0])
	}, cms.FaultFormat},
	{"content-type twice", twiceAttribute(attrContentType), cms.FaultFormat},
	{"an attribute added", func(_ *testing.T, c *copied) {
		s := c.root.signer().signed()
		s.kids = slices.Insert(s.kids, 0, tlv(attribute(asn1.ObjectIdentifier{1, 2, 3, 4}, octets([]byte("x"))))) // shorter than any
	}, cms.FaultValue},
	{"attributes in another order", func(_ *testing.T, c *copied) { slices.Reverse(c.root.signer().signed().kids) }, cms.FaultFormat},
	{"attributes emptied", func(_ *testing.T, c *copied) { c.root.signer().signed().kids = nil }, cms.FaultFormat},
	{"attributes removed", func(_ *testing.T, c *copied) { c.root.signer().drop(0xa0) }, cms.FaultValue},
	{"attributes removed and given as the content", func(t *testing.T, c *copied) {
		c.root.encap().kids[1].kids[0].body = signedBytes(c.root.signer())
		c.root.signer().drop(0xa0)
	}, cms.FaultAmbiguous},
	{"attributes removed and given as detached content", func(t *testing.T, c *copied) {
		c.given = signedBytes(c.root.signer())
		c.root.encap().kids = c.root.encap().kids[:1]
		c.root.signer().drop(0xa0)
	}, cms.FaultAmbiguous},
	{"attributes moved to the unsigned ones", func(_ *testing.T, c *copied) {
		for _, a := range c.root.signer().signed().kids {
			c.root.signer().addUnsigned(a)
		}
		c.root.signer().drop(0xa0)
	}, cms.FaultFormat},
	{"a message-digest among the unsigned ones", unsignedOf(attrDigest), cms.FaultFormat},
	{"a content-type among the unsigned ones", unsignedOf(attrContentType), cms.FaultFormat},
	{"a signing-time among the unsigned ones", unsignedOf(attrTime), cms.FaultFormat},

	{"digest algorithm of another name", func(_ *testing.T, c *copied) {
		c.root.signer().kids[2].kids[0] = tlv(oidValue(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}))
	}, cms.FaultFormat},
	{"digest algorithm unlisted", func(_ *testing.T, c *copied) { c.root.signedData().kids[1].kids = nil }, cms.FaultFormat},
	{"digest algorithm unknown", func(_ *testing.T, c *copied) {
		c.root.signer().kids[2].kids[0] = tlv(oidValue(oidOtherType))
	}, cms.FaultUnsupported},
	{"digest algorithm MD5", func(_ *testing.T, c *copied) { c.root.signer().kids[2].kids[0] = tlv(oidValue(oidMD5)) }, cms.FaultForbidden},
	{"digest algorithm with parameters", func(_ *testing.T, c *copied) {
		a := c.root.signer().kids[2]
		a.kids = append(a.kids[:1], tlv(octets([]byte("x"))))
	}, cms.FaultFormat},
	{"signature algorithm of another family", func(_ *testing.T, c *copied) {
		a := signatureAlgorithm(c.root.signer())
		a.kids = []*node{tlv(oidValue(asn1.ObjectIdentifier{1, 3, 101, 112}))}
	}, cms.FaultFormat},
	{"signature algorithm unknown", func(_ *testing.T, c *copied) {
		signatureAlgorithm(c.root.signer()).kids[0] = tlv(oidValue(oidOtherType))
	}, cms.FaultUnsupported},

	{"signer's number of another", func(_ *testing.T, c *copied) { c.root.signer().kids[1].kids[1].body[0] ^= 1 }, cms.FaultSigner},
	{"signer's issuer of another", func(_ *testing.T, c *copied) {
		c.root.signer().kids[1].kids[0].kids = c.root.signer().kids[1].kids[0].kids[:1]
	}, cms.FaultSigner},
	{"signer's version of another", func(_ *testing.T, c *copied) { c.root.signer().kids[0].body = []byte{3} }, cms.FaultFormat},
	{"signer's version unknown", func(_ *testing.T, c *copied) { c.root.signer().kids[0].body = []byte{2} }, "unreadable"},
	{"certificate taken out", func(_ *testing.T, c *copied) { c.root.signedData().drop(0xa0) }, cms.FaultSigner},
	{"certificate damaged", func(_ *testing.T, c *copied) {
		c.root.signedData().kid(0xa0).kids[0].kids[0].kids[1].tag = 4
	}, cms.FaultSigner},
	{"no signer", func(_ *testing.T, c *copied) { c.root.signers().kids = nil }, "no signature"},
	{"a signer that cannot be read beside it", func(_ *testing.T, c *copied) {
		c.root.signers().kids = append(c.root.signers().kids, tlv([]byte{0x30, 0}))
	}, "unreadable"},
	{"the other signature beside it", func(_ *testing.T, c *copied) {
		c.root.signers().kids = append(c.root.signers().kids, c.other.signer())
	}, cms.FaultContent},

	{"value cut", func(_ *testing.T, c *copied) {
		v := c.root.signer().value()
		v.body = v.body[:len(v.body)-1]
	}, cms.FaultValue},
	{"value lengthened", func(_ *testing.T, c *copied) {
		v := c.root.signer().value()
		v.body = append(bytes.Clone(v.body), 0)
	}, cms.FaultValue},
	{"value with a zero in front", func(_ *testing.T, c *copied) {
		v := c.root.signer().value()
		v.body = append([]byte{0}, v.body...)
	}, cms.FaultValue},
	{"value of zeros", func(_ *testing.T, c *copied) { clear(c.root.signer().value().body) }, cms.FaultValue},
	{"no value", func(_ *testing.T, c *copied) { c.root.signer().value().body = nil }, cms.FaultValue},
	{"value as a bit string", func(_ *testing.T, c *copied) { c.root.signer().value().tag = 3 }, "unreadable"},

	{"something after the end", func(_ *testing.T, c *copied) { c.raw = append(c.root.bytes(), 0) }, "unreadable"},
	{"a second structure after the end", func(_ *testing.T, c *copied) { c.raw = append(c.root.bytes(), c.other.bytes()...) }, "unreadable"},
	{"cut by a byte", func(_ *testing.T, c *copied) { b := c.root.bytes(); c.raw = b[:len(b)-1] }, "unreadable"},
	{"an indefinite length without an end", func(_ *testing.T, c *copied) {
		b := c.root.bytes()
		c.raw = append([]byte{0x30, 0x80}, b[headerSize(b):]...)
	}, "unreadable"},
	{"an end in the middle", func(_ *testing.T, c *copied) {
		c.root.signedData().kids = slices.Insert(c.root.signedData().kids, 3, &node{tag: 0})
	}, "unreadable"},
	{"a member more in SignedData", func(_ *testing.T, c *copied) {
		c.root.signedData().kids = append(c.root.signedData().kids, tlv([]byte{5, 0}))
	}, "unreadable"},
	{"a member more in SignerInfo", func(_ *testing.T, c *copied) { c.root.signer().kids = append(c.root.signer().kids, tlv([]byte{5, 0})) }, "unreadable"},
	{"a member more in an attribute", func(_ *testing.T, c *copied) {
		a := c.root.signer().signed().kids[0]
		a.kids = append(a.kids, tlv([]byte{5, 0}))
	}, "unreadable"},
	{"a version written long", func(_ *testing.T, c *copied) { c.root.signer().kids[0].body = []byte{0, 1} }, "unreadable"},
	{"another outer type", func(_ *testing.T, c *copied) { c.root.kids[0] = tlv(oidValue(oidData)) }, "unreadable"},
}

func withoutAttribute(oid asn1.ObjectIdentifier) func(*testing.T, *copied) {
	return func(_ *testing.T, c *copied) {
		s := c.root.signer().signed()
		s.kids = slices.DeleteFunc(s.kids, func(a *node) bool { return bytes.Equal(a.kids[0].bytes(), oidValue(oid)) })
	}
}

func twiceAttribute(oid asn1.ObjectIdentifier) func(*testing.T, *copied) {
	return func(_ *testing.T, c *copied) {
		s := c.root.signer().signed()
		s.kids = append(s.kids, s.attribute(oid).clone())
	}
}

func unsignedOf(oid asn1.ObjectIdentifier) func(*testing.T, *copied) {
	return func(_ *testing.T, c *copied) {
		c.root.signer().addUnsigned(c.other.signer().signed().attribute(oid).clone())
	}
}

// signedBytes gives what the signature value covers where there are signed attributes.
func signedBytes(signer *node) []byte {
	set := signer.signed().clone()
	set.tag = 0x31
	slices.SortFunc(set.kids, func(a, b *node) int { return bytes.Compare(a.bytes(), b.bytes()) })
	return set.bytes()
}

// signatureAlgorithm finds the member of SignerInfo that stands before the value.
func signatureAlgorithm(signer *node) *node {
	at := slices.Index(signer.kids, signer.value())
	return signer.kids[at-1]
}

// tlv is a node of bytes that are written as they are.
func tlv(b []byte) *node {
	in, body, tag := cryptobyte.String(b), cryptobyte.String(nil), cbasn1.Tag(0)
	if !in.ReadAnyASN1(&body, &tag) {
		panic("the test writes what is no DER")
	}
	return &node{tag: byte(tag), body: body}
}

func headerSize(b []byte) int {
	in, body, tag := cryptobyte.String(b), cryptobyte.String(nil), cbasn1.Tag(0)
	in.ReadAnyASN1(&body, &tag)
	return len(b) - len(body)
}

// makers sign with embedded content, each in its own way.
func makers(t *testing.T) map[string]func(content []byte) []byte {
	p := signtest.New(t)
	openssl := func(who signtest.Identity, extra ...string) func([]byte) []byte {
		cert, key := signtest.WritePEM(t, "s.pem", who.Certificate), signtest.WriteKey(t, "s.key", who.Key)
		return func(content []byte) []byte {
			out := filepath.Join(t.TempDir(), "out")
			args := append([]string{"cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-md", "sha384", "-signer", cert, "-inkey", key, "-in", signtest.Write(t, "c", content), "-out", out}, extra...)
			if log, err := signtest.Judge(t, "openssl", args...); err != nil {
				t.Fatalf("openssl: %s", log)
			}
			der, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			return der
		}
	}
	return map[string]func([]byte) []byte{
		"ours RSA":        func(content []byte) []byte { return sign(t, p.RSA, true, content) },
		"ours P-384":      func(content []byte) []byte { return sign(t, p.P384, true, content) },
		"openssl PSS":     openssl(p.RSA, "-cades", "-keyopt", "rsa_padding_mode:pss"),
		"openssl in BER":  openssl(p.P384, "-stream"),
		"openssl PKCS #1": openssl(p.RSA),
	}
}

func TestNearCopies(t *testing.T) {
	for maker, signed := range makers(t) {
		good, other := signed(document), signed(otherDocument)
		intact(t, 1, good, nil)
		intact(t, 1, other, nil)
		for _, n := range nearCopies {
			t.Run(maker+"/"+n.name, func(t *testing.T) {
				c := &copied{root: tree(t, good), other: tree(t, other)}
				n.change(t, c)
				der := c.raw
				if der == nil {
					der = c.root.bytes()
				}
				if got := anyFault(t, der, c.given); got != n.want {
					t.Fatalf("fault %q, want %q", got, n.want)
				}
			})
		}
	}
}

// anyFault gives the first fault of any signature that is more than weakness, "" where all are intact.
func anyFault(t testing.TB, der, content []byte) cms.Fault {
	t.Helper()
	all, err := verify(t, der, content)
	if err != nil {
		return "unreadable"
	}
	if len(all) == 0 {
		return "no signature"
	}
	for _, r := range all {
		for _, c := range r.Checks {
			if !c.OK && c.Fault != cms.FaultWeak {
				if r.Intact() {
					t.Fatal("intact with a fault")
				}
				return c.Fault
			}
		}
	}
	return ""
}
