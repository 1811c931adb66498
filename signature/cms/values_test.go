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
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

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
