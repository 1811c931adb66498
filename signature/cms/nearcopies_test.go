package cms_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"io"
	"math/big"
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

// TestPaddings gives an RSA key's value over every padding but the right one: EMSA-PKCS1-v1_5 has one
// encoding, and whoever reads it leniently can be given what no key made (Bleichenbacher 2006).
func TestPaddings(t *testing.T) {
	who := signtest.New(t).RSA
	key := who.Key.(*rsa.PrivateKey)
	sum := sha256.Sum256(forgery{who: who, attributes: plainAttributes()}.signedBytes())
	short, size := sha256.Sum256(nil), key.Size()
	info := func(hex string) []byte { return append(unhex(t, hex), sum[:]...) }
	right := info("3031300d060960864801650304020105000420")
	pad := func(kind byte, ff int, after ...[]byte) []byte {
		em := append([]byte{0, kind}, bytes.Repeat([]byte{0xff}, ff)...)
		em = append(em, 0)
		return append(em, bytes.Join(after, nil)...)
	}
	full := size - 3 - len(right)
	for name, c := range map[string]struct {
		em   []byte
		want cms.Fault
	}{
		"as it must be":                   {pad(1, full, right), ""},
		"block type 2":                    {pad(2, full, right), cms.FaultValue},
		"block type 0":                    {pad(0, full, right), cms.FaultValue},
		"garbage after the digest":        {pad(1, 8, right, make([]byte, full-8)), cms.FaultValue},
		"garbage of ones":                 {pad(1, full-5, right, []byte{1, 1, 1, 1, 1}), cms.FaultValue},
		"no NULL in the digest algorithm": {pad(1, full+2, info("302f300b06096086480165030402010420")), cms.FaultValue},
		"garbage in place of NULL":        {pad(1, full, info("3031300d060960864801650304020104000420")), cms.FaultValue},
		"a longer NULL":                   {pad(1, full-2, info("3033300f06096086480165030402010502ffff0420")), cms.FaultValue},
		"a length in long form":           {pad(1, full-1, info("308131300d060960864801650304020105000420")), cms.FaultValue},
		"another hash named":              {pad(1, full, info("3031300d060960864801650304020205000420")), cms.FaultValue},
		"no digest info at all":           {pad(1, size-3-32, sum[:]), cms.FaultValue},
		"another digest":                  {pad(1, full, right[:len(right)-32], short[:]), cms.FaultValue},
		"padding with a hole":             {pad(1, full-4, []byte{0xff, 0xfe, 0xff, 0}, right), cms.FaultValue},
		"padding of zeros":                {append(make([]byte, size-1-len(right)), append([]byte{0}, right...)...), cms.FaultValue},
		"no separator":                    {append([]byte{0, 1}, append(bytes.Repeat([]byte{0xff}, size-2-len(right)), right...)...), cms.FaultValue},
		"the digest twice":                {pad(1, full-len(right), right, right), cms.FaultValue},
	} {
		t.Run(name, func(t *testing.T) {
			if len(c.em) != size {
				t.Fatalf("the test writes %d octets, not %d", len(c.em), size)
			}
			value := new(big.Int).Exp(new(big.Int).SetBytes(c.em), key.D, key.N).FillBytes(make([]byte, size))
			if got := anyFault(t, forgery{who: who, raw: value}.make(t), document); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
		})
	}
}

// TestKeysThatProveNothing are keys for which anybody can write a value, and one that invites it.
func TestKeysThatProveNothing(t *testing.T) {
	p := signtest.New(t)
	real := p.RSA.Certificate.PublicKey.(*rsa.PublicKey)
	leaf := func(key *rsa.PublicKey) signtest.Identity {
		who := publicOnly{key}
		return signtest.Identity{Certificate: signtest.Leaf(t, p.Root, who, nil), Key: who}
	}
	sumOf := func(who signtest.Identity) []byte {
		sum := sha256.Sum256(forgery{who: who, attributes: plainAttributes()}.signedBytes())
		return append(unhex(t, "3031300d060960864801650304020105000420"), sum[:]...)
	}
	one := leaf(&rsa.PublicKey{N: real.N, E: 1})
	em := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 256-3-51)...)
	em = append(append(em, 0), sumOf(one)...)
	cube := leaf(&rsa.PublicKey{N: real.N, E: 3})
	prefix := append(append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 8)...), 0)
	prefix = append(prefix, sumOf(cube)...)
	target := new(big.Int).SetBytes(append(prefix, bytes.Repeat([]byte{0xff}, 256-len(prefix))...))
	for name, c := range map[string]struct {
		who   signtest.Identity
		value []byte
	}{
		"exponent 1: the value is the padding":        {one, em},
		"exponent 3: a cube root with garbage behind": {cube, cubeRoot(target).FillBytes(make([]byte, 256))},
		"exponent 2":                      {leaf(&rsa.PublicKey{N: real.N, E: 2}), em},
		"an even modulus":                 {leaf(&rsa.PublicKey{N: new(big.Int).Sub(real.N, big.NewInt(1)), E: 65537}), em},
		"a modulus of 512 bits":           {leaf(&rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Rsh(real.N, 1536), 0, 1), E: 65537}), em[:64]},
		"a value as large as the modulus": {p.RSA, real.N.Bytes()},
	} {
		t.Run(name, func(t *testing.T) {
			der := forgery{who: c.who, raw: c.value}.make(t)
			if got := anyFault(t, der, document); got != cms.FaultValue && got != cms.FaultForbidden {
				t.Fatalf("fault %q", got)
			}
		})
	}
}

// publicOnly is a key of which nobody has the private half.
type publicOnly struct{ key crypto.PublicKey }

func (p publicOnly) Public() crypto.PublicKey { return p.key }
func (p publicOnly) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, os.ErrInvalid
}

// cubeRoot gives the integer part of the cube root.
func cubeRoot(n *big.Int) *big.Int {
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()/3+1))
	for new(big.Int).Sub(high, low).Cmp(big.NewInt(1)) > 0 {
		middle := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(middle, big.NewInt(3), nil).Cmp(n) <= 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// TestECDSAValues writes the two numbers of a value in every way but that of DER, and numbers that
// are none of a signature.
func TestECDSAValues(t *testing.T) {
	who := signtest.New(t).P384
	der := sign(t, who, true, document)
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(tree(t, der).signer().value().body, &rs); err != nil {
		t.Fatal(err)
	}
	n := who.Key.(*ecdsa.PrivateKey).Params().N
	pair := func(r, s []byte, after ...byte) []byte {
		return build(func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(r) })
				b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(s) })
				b.AddBytes(after)
			})
		})
	}
	der2 := func(i *big.Int) []byte { // the contents of an INTEGER
		b := i.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	r, s := der2(rs.R), der2(rs.S)
	for name, c := range map[string]struct {
		value []byte
		want  cms.Fault
	}{
		"as it must be":         {pair(r, s), ""},
		"r is 0":                {pair([]byte{0}, s), cms.FaultValue},
		"s is 0":                {pair(r, []byte{0}), cms.FaultValue},
		"both are 0":            {pair([]byte{0}, []byte{0}), cms.FaultValue},
		"both are 1":            {pair([]byte{1}, []byte{1}), cms.FaultValue},
		"r is the order":        {pair(der2(n), s), cms.FaultValue},
		"s is the order":        {pair(r, der2(n)), cms.FaultValue},
		"r with the order more": {pair(der2(new(big.Int).Add(rs.R, n)), s), cms.FaultValue},
		"s with the order more": {pair(r, der2(new(big.Int).Add(rs.S, n))), cms.FaultValue},
		"r negative":            {pair(append([]byte{0x80}, r...), s), cms.FaultValue},
		"s negative":            {pair(r, append([]byte{0xff}, s...)), cms.FaultValue},
		"r padded":              {pair(append([]byte{0, 0}, r...), s), cms.FaultValue},
		"s padded":              {pair(r, append([]byte{0, 0}, s...)), cms.FaultValue},
		"swapped":               {pair(s, r), cms.FaultValue},
		"three numbers":         {pair(r, s, 2, 1, 1), cms.FaultValue},
		"one number": {build(func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1BigInt(rs.R) })
		}), cms.FaultValue},
		"something after":       {append(pair(r, s), 0), cms.FaultValue},
		"as bare numbers":       {append(rs.R.FillBytes(make([]byte, 48)), rs.S.FillBytes(make([]byte, 48))...), cms.FaultValue},
		"an indefinite length":  {append(append([]byte{0x30, 0x80}, pair(r, s)[2:]...), 0, 0), cms.FaultValue},
		"a length in long form": {append([]byte{0x30, 0x81}, pair(r, s)[1:]...), cms.FaultValue},
		"empty":                 {[]byte{0x30, 0}, cms.FaultValue},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, der)
			root.signer().value().body = c.value
			if got := anyFault(t, root.bytes(), nil); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
		})
	}
}
