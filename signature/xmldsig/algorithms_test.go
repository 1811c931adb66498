package xmldsig

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 read in old documents
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// signedWith makes an enveloping signature with any algorithm.
func signedWith(t testing.TB, method, parameters, keyInfo string, sign func(message []byte) []byte) string {
	t.Helper()
	document := strings.Replace(signatureOver("#o", "", transformTo(C14N, ""), `<Object Id="o">x</Object>`), more2001+`rsa-sha256"/>`, method+`">`+parameters+`</SignatureMethod>`, 1)
	document = strings.Replace(document, "<X509Data><X509Certificate>CERT</X509Certificate></X509Data>", keyInfo, 1)
	d, err := Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	blanks, err := (&maker{hash: crypto.SHA256}).digests(d, d.Signatures[0].Node)
	if err != nil {
		t.Fatal(err)
	}
	if d, err = Parse(insert(d.Tree.Source(), blanks)); err != nil {
		t.Fatal(err)
	}
	s := d.Signatures[0]
	message, err := (&verification{d: d, s: s}).signedInfo()
	if err != nil {
		t.Fatal(err)
	}
	at, _, _ := d.Tree.Inner(s.Value)
	return string(insert(d.Tree.Source(), []blank{{at, base64.StdEncoding.EncodeToString(sign(message))}}))
}

// derKey writes a key for DEREncodedKeyValue.
func derKey(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if k, ok := key.(ed448.PublicKey); ok {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(oidEd448) })
			b.AddASN1BitString(k)
		})
		der, err = b.Bytes()
	}
	if err != nil {
		t.Fatal(err)
	}
	return `<DEREncodedKeyValue xmlns="` + namespace11 + `">` + base64.StdEncoding.EncodeToString(der) + `</DEREncodedKeyValue>`
}

func crypt(n *big.Int) string { return base64.StdEncoding.EncodeToString(n.Bytes()) }

// oldDSA is a throwaway key of 1024 bits.
var oldDSA = dsa.PrivateKey{PublicKey: dsa.PublicKey{Parameters: dsa.Parameters{
	P: hexNumber("ed7f21551ffc6d2683f16b60268b084d0692253a913c03014f2770f82a9c072045ef7ebefa4871faabdcab1fec4268839d3336a8f53698e308f9d249" +
		"202b1cca7a780ef9b31788dd85f5cced681ce6e23491d18f61e011d333b2b95c2110740ea8ded8bc3e00df98c47d423c69f9b019fca8ee3a5c6c4a9e" +
		"9cdf3c17212bfc89"),
	Q: hexNumber("871e18d150266b31d7f3aed04b950db59e4fa851"),
	G: hexNumber("54c047a8dd6f3e8105a774d74c0feb82a04fe99d9421260d9462ca72ed2e0a1a6b0c3e76ad8ea57dfe7be50f6edef7c036a2c16f98dac60ca93558cc" +
		"c13c38f5cac083756cb2f49f02e5a341d16747940a3e1c726ae93387553a4211c42c6a37239ab4ac65457a39c51c3e8409e31d1baf6359b2e31acb8e" +
		"467bd0e615a129f2")},
	Y: hexNumber("71b3b13e664a369a6c08386bb9eaecfaebeda8fbaf82859459127816cdc88d5b8f3ce7423532aa1f72412d617daef307f3ecfd7ef5acd00879aad778" +
		"19497850e802dd20e998f962e233e68881be4e36e6d97c1863cbddfc77a9f43e7eecd34b545e006a86c0ec7be5cf109d6b2b50dd3e8f4d7237696adb" +
		"1e9faefda416963c")},
	X: hexNumber("4c81e03028c3ce5b42f60fbd8fd06f8229cf229c")}

func hexNumber(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 16)
	return n
}

// An algorithm as a test makes it: identifier, parameters, key, and how a message is signed.
type algorithm struct {
	name, method, parameters, key string
	sign                          func(message []byte) []byte
	want                          string // "key-only", or "weak" where it proves too little
}

func algorithms(t testing.TB) (all []algorithm) {
	pki := signtest.New(t)
	rsaKey := pki.RSA.Key.(*rsa.PrivateKey)
	raw := func(k *ecdsa.PrivateKey, h crypto.Hash, pad int) func([]byte) []byte {
		return func(m []byte) []byte {
			r, s, err := ecdsa.Sign(rand.Reader, k, digest(h, m))
			if err != nil {
				t.Fatal(err)
			}
			size := (k.Params().BitSize+7)/8 + pad
			return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
		}
	}
	signer := func(k crypto.Signer, o crypto.SignerOpts) func([]byte) []byte {
		return func(m []byte) []byte {
			if h := o.HashFunc(); h != 0 {
				m = digest(h, m)
			}
			v, err := k.Sign(rand.Reader, m, o)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	for uri, s := range schemes {
		weak := "key-only"
		if weakHash(s.hash) {
			weak = "weak"
		}
		short := uri[strings.LastIndexByte(uri, '#')+1:]
		switch s.family {
		case familyRSA:
			if s.fault == "" {
				all = append(all, algorithm{short, uri, "", derKey(t, rsaKey.Public()), signer(rsaKey, s.hash), weak})
			}
		case familyPSS:
			all = append(all, algorithm{short, uri, "", derKey(t, rsaKey.Public()), signer(rsaKey, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash}), weak})
		case familyECDSA:
			k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, algorithm{short, uri, "", derKey(t, k.Public()), raw(k, s.hash, 0), weak})
		}
	}
	sha512PSS := `<r:RSAPSSParams xmlns:r="` + more2007 + `"><DigestMethod Algorithm="` + xmlenc + `sha512"/><r:MaskGenerationFunction Algorithm="` + more2007 + `MGF1"><DigestMethod Algorithm="` + xmlenc + `sha512"/></r:MaskGenerationFunction><r:SaltLength>20</r:SaltLength><r:TrailerField>1</r:TrailerField></r:RSAPSSParams>`
	all = append(all, algorithm{"rsa-pss with parameters", more2007 + "rsa-pss", sha512PSS, derKey(t, rsaKey.Public()), signer(rsaKey, &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA512}), "key-only"})
	for _, c := range []elliptic.Curve{elliptic.P224(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		want := "key-only"
		if c == elliptic.P224() {
			want = "weak"
		}
		point, _ := k.PublicKey.Bytes()
		oid := map[elliptic.Curve]string{elliptic.P224(): "1.3.132.0.33", elliptic.P384(): "1.3.132.0.34", elliptic.P521(): "1.3.132.0.35"}[c]
		value := fmt.Sprintf(`<KeyValue><ECKeyValue xmlns="%s"><NamedCurve URI="urn:oid:%s"/><PublicKey>%s</PublicKey></ECKeyValue></KeyValue>`, namespace11, oid, base64.StdEncoding.EncodeToString(point))
		older := fmt.Sprintf(`<KeyValue><ECDSAKeyValue xmlns="%s"><DomainParameters><NamedCurve URN="urn:oid:%s"/></DomainParameters><PublicKey><X Value="%d"/><Y Value="%d"/></PublicKey></ECDSAKeyValue></KeyValue>`,
			more2001, oid, new(big.Int).SetBytes(point[1:1+len(point)/2]), new(big.Int).SetBytes(point[1+len(point)/2:]))
		all = append(all, algorithm{c.Params().Name, more2001 + "ecdsa-sha512", "", value, raw(k, crypto.SHA512, 0), want},
			algorithm{c.Params().Name + ", the older key", more2001 + "ecdsa-sha384", "", older, raw(k, crypto.SHA384, 0), want},
			algorithm{c.Params().Name + ", padded", more2001 + "ecdsa-sha256", "", value, raw(k, crypto.SHA256, 3), want},
			algorithm{c.Params().Name + ", in DER", more2001 + "ecdsa-sha256", "", value, signer(k, crypto.SHA256), want})
	}
	rsaValue := `<KeyValue><RSAKeyValue><Modulus>` + crypt(rsaKey.N) + `</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>`
	all = append(all, algorithm{"RSAKeyValue", more2001 + "rsa-sha256", "", rsaValue, signer(rsaKey, crypto.SHA256), "key-only"})
	return append(all, edwards(t)...)
}

// edwards are the curves of RFC 8032, and what is old.
func edwards(t testing.TB) []algorithm {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public4, private4, err := ed448.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	context := `<e:ContextString xmlns:e="` + more2021 + `">` + base64.StdEncoding.EncodeToString([]byte("mihon")) + `</e:ContextString>`
	withContext := func(m []byte) []byte {
		v, _ := private.Sign(nil, m, &ed25519.Options{Context: "mihon"})
		return v
	}
	dsaValue := fmt.Sprintf(`<KeyValue><DSAKeyValue><P>%s</P><Q>%s</Q><G>%s</G><Y>%s</Y></DSAKeyValue></KeyValue>`, crypt(oldDSA.P), crypt(oldDSA.Q), crypt(oldDSA.G), crypt(oldDSA.Y))
	signDSA := func(h crypto.Hash) func([]byte) []byte {
		return func(m []byte) []byte {
			r, s, err := dsa.Sign(rand.Reader, &oldDSA, digest(h, m)[:20])
			if err != nil {
				t.Fatal(err)
			}
			return append(r.FillBytes(make([]byte, 20)), s.FillBytes(make([]byte, 20))...)
		}
	}
	n, d := smallRSA(t)
	small := `<KeyValue><RSAKeyValue><Modulus>` + crypt(n) + `</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>`
	return []algorithm{
		{"Ed25519", more2021 + "eddsa-ed25519", "", derKey(t, public), func(m []byte) []byte { return ed25519.Sign(private, m) }, "key-only"},
		{"Ed25519ctx", more2021 + "eddsa-ed25519ctx", context, derKey(t, public), withContext, "key-only"},
		{"Ed448", more2021 + "eddsa-ed448", "", derKey(t, public4), func(m []byte) []byte { return ed448.Sign(private4, m, "") }, "key-only"},
		{"Ed448ph", more2021 + "eddsa-ed448ph", context, derKey(t, public4), func(m []byte) []byte { return ed448.SignPh(private4, m, "mihon") }, "key-only"},
		{"DSA with SHA-1", Namespace + "dsa-sha1", "", dsaValue, signDSA(crypto.SHA1), "weak"},
		{"DSA with SHA-256", namespace11 + "dsa-sha256", "", dsaValue, signDSA(crypto.SHA256), "weak"},
		{"RSA of 512 bits", more2001 + "rsa-sha256", "", small, func(m []byte) []byte {
			em := append([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, digestInfos[crypto.SHA256]...)
			em = append(em, digest(crypto.SHA256, m)...)
			return new(big.Int).Exp(new(big.Int).SetBytes(em), d, n).FillBytes(make([]byte, 64))
		}, "weak"},
	}
}

// smallRSA makes a key that crypto/rsa no longer makes.
func smallRSA(t testing.TB) (n, d *big.Int) {
	one, e := big.NewInt(1), big.NewInt(65537)
	for {
		p, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			t.Fatal(err)
		}
		q, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			t.Fatal(err)
		}
		n = new(big.Int).Mul(p, q)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		if d = new(big.Int).ModInverse(e, phi); d != nil && n.BitLen() == 512 {
			return n, d
		}
	}
}

// faults gives the faults of the only signature, "ok" for none.
func faults(t testing.TB, document string) (all string) {
	t.Helper()
	d, err := Parse([]byte(document))
	if err != nil || len(d.Signatures) != 1 {
		t.Fatalf("%v\n%s", err, document)
	}
	for _, c := range d.VerifyAll(Options{})[0].Checks {
		if !c.OK {
			all += string(c.Fault) + " "
		}
	}
	return all
}

// Every algorithm is read; a key proves nothing of anybody, and what is weak is told. With the value or the
// message changed, or another algorithm named, nothing fits.
func TestAlgorithms(t *testing.T) {
	all := algorithms(t)
	if len(all) < 35 {
		t.Fatalf("only %d algorithms", len(all))
	}
	other := derKey(t, signtest.New(t).Other.Certificate.PublicKey)
	for _, a := range all {
		t.Run(a.name, func(t *testing.T) {
			signed := signedWith(t, a.method, a.parameters, a.key, a.sign)
			got := faults(t, signed)
			if !strings.Contains(got, "key-only") || strings.Contains(got, "weak") != (a.want == "weak") || strings.Contains(got, "value") {
				t.Errorf("%s\n%s", got, signed)
			}
			for name, c := range map[string]change{
				"the value changed": match(`(<SignatureValue>.{5})(.)`, "${1}/"),
				"the value cut":     match(`(<SignatureValue>.{8})[^<]*`, "${1}"),
				"the form changed":  swap(`CanonicalizationMethod Algorithm="`+C14N, `CanonicalizationMethod Algorithm="`+C14N11),
				"another's key":     swap(a.key, other),
				"another parameter": swap("</SignatureMethod>", "<x/></SignatureMethod>"),
			} {
				altered := c(t, signed)
				if altered == signed {
					continue // the character was that already
				}
				if got := faults(t, altered); !strings.Contains(got, "value") && !strings.Contains(got, "format") && !strings.Contains(got, "unsupported") && !strings.Contains(got, "forbidden") {
					t.Errorf("%s: %s", name, got)
				}
			}
		})
	}
}
