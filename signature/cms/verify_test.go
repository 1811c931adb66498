package cms_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"io"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// TestRules breaks one rule at a time; the signature value is right in every case.
func TestRules(t *testing.T) {
	p := signtest.New(t)
	who := p.RSA
	plain := plainAttributes()
	twice := func(a []byte) [][]byte { return [][]byte{a, plain[1], plain[0]} }
	reversed := func(a [][]byte) [][]byte {
		a = slices.SortedFunc(slices.Values(a), bytes.Compare)
		slices.Reverse(a)
		return a
	}
	utc := []byte("\x17\x0d261124030405Z")
	ess := func(c *x509.Certificate) []byte {
		return attribute(attrCertV2, build(func(b *cryptobyte.Builder) {
			sum := sha256.Sum256(c.Raw)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum[:]) })
				})
			})
		}))
	}
	protect := func(hex string) []byte { return attribute(attrProtection, unhex(t, hex)) }
	for name, c := range map[string]struct {
		f    forgery
		want cms.Fault
	}{
		"nothing broken":                       {forgery{}, ""},
		"attributes in another order":          {forgery{order: slices.Reverse[[][]byte]}, cms.FaultFormat},
		"signed in another order than DER":     {forgery{order: slices.Reverse[[][]byte], covered: reversed}, cms.FaultFormat},
		"signed in an order that is not shown": {forgery{covered: reversed}, cms.FaultValue},
		"content-type missing":                 {forgery{attributes: plain[1:]}, cms.FaultFormat},
		"content-type of another":              {forgery{attributes: [][]byte{attribute(attrContentType, oidValue(oidOtherType)), plain[1]}}, cms.FaultFormat},
		"content-type twice":                   {forgery{attributes: twice(plain[0])}, cms.FaultFormat},
		"content-type with two values":         {forgery{attributes: [][]byte{attribute(attrContentType, oidValue(oidData), oidValue(oidOtherType)), plain[1]}}, cms.FaultFormat},
		"message-digest missing":               {forgery{attributes: plain[:1]}, cms.FaultFormat},
		"message-digest twice":                 {forgery{attributes: twice(plain[1])}, cms.FaultFormat},
		"message-digest twice, one of another": {forgery{attributes: twice(attribute(attrDigest, digestValue(nil)))}, cms.FaultFormat},
		"message-digest with two values":       {forgery{attributes: [][]byte{plain[0], attribute(attrDigest, digestValue(document), digestValue(nil))}}, cms.FaultFormat},
		"message-digest with no value":         {forgery{attributes: [][]byte{plain[0], attribute(attrDigest)}}, cms.FaultFormat},
		"message-digest of another":            {forgery{attributes: [][]byte{plain[0], attribute(attrDigest, digestValue(nil))}}, cms.FaultContent},
		"message-digest shortened":             {forgery{attributes: [][]byte{plain[0], attribute(attrDigest, octets(make([]byte, 31)))}}, cms.FaultContent},
		"empty attributes":                     {forgery{attributes: [][]byte{}}, cms.FaultFormat},
		"signing-time":                         {forgery{attributes: append(slices.Clone(plain), attribute(attrTime, utc))}, ""},
		"signing-time twice":                   {forgery{attributes: append(slices.Clone(plain), attribute(attrTime, utc), attribute(attrTime, utc))}, cms.FaultFormat},
		"signing-time that is none":            {forgery{attributes: append(slices.Clone(plain), attribute(attrTime, []byte("\x17\x0d269924030405Z")))}, cms.FaultFormat},
		"certificate named":                    {forgery{attributes: append(slices.Clone(plain), ess(who.Certificate))}, ""},
		"another certificate named":            {forgery{attributes: append(slices.Clone(plain), ess(p.Other.Certificate))}, cms.FaultReference},
		"unreadable certificate name":          {forgery{attributes: append(slices.Clone(plain), attribute(attrCertV2, []byte{5, 0}))}, cms.FaultReference},
		"direct":                               {forgery{direct: true}, ""},
		"direct over other than data":          {forgery{direct: true, contentType: oidOtherType}, cms.FaultFormat},
		"digest named otherwise":               {forgery{digestOID: oidSHA384}, cms.FaultFormat},
		"signature hash named otherwise":       {forgery{sigOID: oidRSASHA384}, cms.FaultFormat},
		"hash left to the digest":              {forgery{sigOID: oidRSA}, ""},
		"MD5":                                  {forgery{digestOID: oidMD5}, cms.FaultForbidden},
		"unknown digest":                       {forgery{digestOID: oidOtherType}, cms.FaultUnsupported},
		"unknown signature algorithm":          {forgery{sigOID: oidOtherType}, cms.FaultUnsupported},
		"parameters that do not belong":        {forgery{sigOID: oidRSASHA256, sigParams: []byte{4, 0}}, cms.FaultFormat},
		"algorithms protected":                 {forgery{attributes: append(slices.Clone(plain), protect("301c300b0609608648016503040201a10d06092a864886f70d01010b0500"))}, ""},
		"other algorithms protected":           {forgery{attributes: append(slices.Clone(plain), protect("301c300b0609608648016503040202a10d06092a864886f70d01010b0500"))}, cms.FaultFormat},
		"no certificate":                       {forgery{certificate: []byte{}}, cms.FaultSigner},
		"a certificate of somebody else":       {forgery{certificate: p.Other.Certificate.Raw}, cms.FaultSigner},
		"a certificate that is none":           {forgery{certificate: []byte{0x30, 3, 2, 1, 1}}, cms.FaultSigner},
		"by key identifier":                    {forgery{keyID: who.Certificate.SubjectKeyId}, ""},
		"by another key identifier":            {forgery{keyID: p.Other.Certificate.SubjectKeyId}, cms.FaultSigner},
		"by an empty key identifier":           {forgery{keyID: []byte{}}, cms.FaultSigner},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.who = who
			if got := fault(t, c.f.make(t), document); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
		})
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPSSParametersMustBeSane(t *testing.T) {
	who := signtest.New(t).RSA
	const sha256ID, mgf256, mgf1SHA1 = "a00f300d06096086480165030402010500", "a11c301a06092a864886f70d010108300d06096086480165030402010500", "a116301406092a864886f70d01010830070605" + "2b0e03021a"
	for name, c := range map[string]struct {
		params string
		salt   int
		want   cms.Fault
	}{
		"as usual":              {"3034" + sha256ID + mgf256 + "a203020120", 32, ""},
		"salt not as named":     {"3034" + sha256ID + mgf256 + "a203020120", 20, cms.FaultValue},
		"the standard's salt":   {"302f" + sha256ID + mgf256, 20, ""},
		"a salt, called none":   {"3034" + sha256ID + mgf256 + "a203020100", 1, cms.FaultValue},
		"a salt beyond the key": {"3035" + sha256ID + mgf256 + "a20402020400", 32, cms.FaultValue},
		"a salt without bound":  {"3035" + sha256ID + mgf256 + "a20402020401", 32, cms.FaultFormat},
		"negative salt":         {"3034" + sha256ID + mgf256 + "a2030201ff", 32, cms.FaultFormat},
		"another trailer":       {"3039" + sha256ID + mgf256 + "a203020120" + "a303020102", 32, cms.FaultFormat},
		"the trailer in words":  {"3039" + sha256ID + mgf256 + "a203020120" + "a303020101", 32, ""},
		"MGF1 with SHA-1":       {"302e" + sha256ID + mgf1SHA1 + "a203020120", 32, cms.FaultValue}, // made with another mask
		"SHA-1 by silence":      {"3000", 20, cms.FaultFormat},                                     // disagrees with the digest
		"no parameters":         {"", 32, cms.FaultFormat},
		"something after":       {"3036" + sha256ID + mgf256 + "a203020120" + "0500", 32, cms.FaultFormat},
	} {
		t.Run(name, func(t *testing.T) {
			f := forgery{who: who, sigOID: oidPSS, sigParams: unhex(t, c.params),
				opts: &rsa.PSSOptions{SaltLength: max(c.salt, 1), Hash: crypto.SHA256}}
			if got := fault(t, f.make(t), document); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
		})
	}
}

// TestSignedAttributesAreNoContent is the attack that passes a signature over attributes off as a
// direct signature over content: the value fits, and it must not count.
func TestSignedAttributesAreNoContent(t *testing.T) {
	f := forgery{who: signtest.New(t).RSA}
	f.attributes = plainAttributes()
	attributes := f.signedBytes()
	attack := forgery{who: f.who, direct: true, content: attributes}.make(t)
	all, err := verify(t, attack, nil)
	if err != nil {
		t.Fatal(err)
	}
	last := all[0].Checks[len(all[0].Checks)-1]
	if last.What != "signature-value" || !last.OK {
		t.Fatal("the value should fit, or this tests nothing")
	}
	if got := fault(t, attack, nil); got != cms.FaultAmbiguous {
		t.Fatalf("fault %q", got)
	}
	harmless := append([]byte("x"), attributes...)
	if got := fault(t, forgery{who: f.who, direct: true, content: harmless}.make(t), nil); got != "" {
		t.Fatalf("content that is no set: %q", got)
	}
}

// TestSwappedCertificate puts certificates with the same issuer and number in place of the signer's.
func TestSwappedCertificate(t *testing.T) {
	p := signtest.New(t)
	same := func(c *x509.Certificate) {
		c.SerialNumber, c.Subject = p.RSA.Certificate.SerialNumber, p.RSA.Certificate.Subject
	}
	otherKey := signtest.Leaf(t, p.Root, p.Other.Key, same)
	sameKey := signtest.Leaf(t, p.Root, p.RSA.Key, func(c *x509.Certificate) { same(c); c.KeyUsage = 0 })
	if got := fault(t, forgery{who: p.RSA, certificate: otherKey.Raw}.make(t), document); got != cms.FaultValue {
		t.Errorf("another key: %q", got)
	}
	both := append(bytes.Clone(otherKey.Raw), p.RSA.Certificate.Raw...)
	if got := fault(t, forgery{who: p.RSA, certificate: both}.make(t), document); got != "" {
		t.Errorf("the right one stands beside it: %q", got)
	}
	der := sign(t, p.RSA, false, document)
	if bytes.Contains(der, sameKey.Raw) || !bytes.Contains(der, p.RSA.Certificate.Raw) {
		t.Fatal("the test is wrong")
	}
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	sd.Certificates = []*x509.Certificate{sameKey}
	d, err := sd.Digest(context.Background(), bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	r := sd.Verify(sd.Signers[0], d, nil)
	if r.Intact() || !slices.ContainsFunc(r.Checks, func(c cms.Check) bool { return c.Fault == cms.FaultReference }) {
		t.Error("the same key under another certificate counts, although the signature names its certificate")
	}
	if r := sd.Verify(sd.Signers[0], d, []*x509.Certificate{p.RSA.Certificate}); !r.Intact() {
		t.Error("the right certificate, given beside, is not found")
	}
}

func TestOneBitFlipped(t *testing.T) {
	p := signtest.New(t)
	for name, who := range map[string]signtest.Identity{"RSA-2048": p.RSA, "P-384": p.P384} {
		der := sign(t, who, true, []byte("short content"))
		start := bytes.Index(der, []byte("short content"))
		bits := map[string]int{"RSA-2048": 8, "P-384": 1}[name] // per byte: P-384 is slow
		flip(t, name+" content", der, start, start+len("short content"), bits)
		first := bytes.LastIndex(der, oidValue(attrContentType)) - 2 // the attributes, the algorithm, the value
		flip(t, name+" attributes and value", der, first, len(der), bits)
	}
}

// flip turns single bits of der[from:to], 8 or fewer per byte, and expects no signature to be intact.
func flip(t *testing.T, name string, der []byte, from, to, bits int) {
	t.Helper()
	accepted := 0
	for i := from; i < to; i++ {
		for n := range bits {
			near, bit := bytes.Clone(der), (i+n)%8
			near[i] ^= 1 << bit
			all, err := verify(t, near, nil)
			if err != nil || len(all) == 0 || !all[0].Intact() {
				continue
			}
			accepted++
			t.Errorf("%s: bit %d of byte %d (%02x) does not matter", name, bit, i, der[i])
			if accepted > 5 {
				return
			}
		}
	}
}

func TestTruncatedAndExtended(t *testing.T) {
	der := sign(t, signtest.New(t).P384, true, []byte("short content"))
	for n := range der {
		if _, err := cms.Parse(der[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are read", n, len(der))
		}
	}
	for _, after := range [][]byte{{0}, {0, 0}, {5, 0}, der} {
		if _, err := cms.Parse(append(bytes.Clone(der), after...)); err == nil {
			t.Fatalf("% x after the end is read over", after[:min(len(after), 4)])
		}
	}
}

// TestBombsEndSoon has no clock: it would hang or run out of memory if a bomb worked.
func TestBombsEndSoon(t *testing.T) {
	der := sign(t, signtest.New(t).RSA, false, document)
	set := func(tag byte, n int, one []byte) []byte {
		return build(func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(bytes.Repeat(one, n)) })
		})
	}
	for name, bomb := range map[string][]byte{
		"nested without end":   bytes.Repeat([]byte{0x30, 0x80}, 5<<20),
		"strings in strings":   bytes.Repeat([]byte{0x24, 0x80}, 5<<20),
		"a million signers":    bytes.Replace(der, []byte{0x06, 0x09, 0x2a}, set(0x31, 1<<20, []byte{0x30, 0}), 1),
		"a very long OID":      set(0x30, 1, append(set(0x06, 4<<20, []byte{1}), 0xa0, 2, 0x30, 0)),
		"a very long length":   {0x30, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a sea of empty nulls": set(0x30, 1<<21, []byte{5, 0}),
	} {
		if _, err := cms.Parse(bomb); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestNumbersHaveLimits(t *testing.T) {
	p := signtest.New(t)
	many := bytes.Repeat(p.RSA.Certificate.Raw, cms.MaxCertificates+1)
	if _, err := cms.Parse(forgery{who: p.RSA, certificate: many}.make(t)); err == nil {
		t.Error("too many certificates are read")
	}
	attributes := plainAttributes()
	for i := range 200 {
		attributes = append(attributes, attribute([]int{1, 2, 3, i}, octets(nil)))
	}
	if _, err := cms.Parse(forgery{who: p.RSA, attributes: attributes}.make(t)); err == nil {
		t.Error("too many attributes are read")
	}
	giant := &x509.Certificate{PublicKey: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 200_000), E: 65537},
		Raw: p.RSA.Certificate.Raw, RawIssuer: p.RSA.Certificate.RawIssuer, SerialNumber: p.RSA.Certificate.SerialNumber}
	sd, err := cms.Parse(forgery{who: p.RSA, certificate: []byte{}}.make(t))
	if err != nil {
		t.Fatal(err)
	}
	d, err := sd.Digest(context.Background(), bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	r := sd.Verify(sd.Signers[0], d, []*x509.Certificate{giant})
	if last := r.Checks[len(r.Checks)-1]; last.Fault != cms.FaultForbidden {
		t.Errorf("a giant key is computed with: %+v", last)
	}
}

func TestSignerRefuses(t *testing.T) {
	p := signtest.New(t)
	now := signtest.Now
	for name, c := range map[string]struct {
		s  cms.Signer
		at time.Time
	}{
		"no certificate":        {cms.Signer{Key: p.RSA.Key}, now},
		"no key":                {cms.Signer{Certificate: p.RSA.Certificate}, now},
		"another's key":         {cms.Signer{Certificate: p.RSA.Certificate, Key: p.Other.Key}, now},
		"no time":               {cms.Signer{Certificate: p.RSA.Certificate, Key: p.RSA.Key}, time.Time{}},
		"a time beyond writing": {cms.Signer{Certificate: p.RSA.Certificate, Key: p.RSA.Key}, now.AddDate(9000, 0, 0)},
		"a key that lies":       {cms.Signer{Certificate: p.RSA.Certificate, Key: liar{p.RSA.Key, p.Other.Key}}, now},
	} {
		if der, err := c.s.Embedded(context.Background(), document, c.at); err == nil || der != nil {
			t.Errorf("%s: signed", name)
		}
	}
}

// liar shows one public key and signs with another.
type liar struct{ shown, used crypto.Signer }

func (l liar) Public() crypto.PublicKey { return l.shown.Public() }
func (l liar) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return l.used.Sign(r, digest, o)
}

func TestSigningTimeBeyond2049(t *testing.T) {
	p := signtest.New(t)
	s := cms.Signer{Certificate: p.RSA.Certificate, Key: p.RSA.Key}
	at := time.Date(2051, 2, 3, 4, 5, 6, 0, time.UTC)
	der, err := s.Embedded(context.Background(), nil, at)
	if err != nil {
		t.Fatal(err)
	}
	intact(t, 1, der, nil)
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if got, present, ok := sd.Signers[0].SigningTime(); !present || !ok || !got.Equal(at) {
		t.Fatalf("%s", got)
	}
	if !sd.Embedded || len(sd.Content) != 0 || !sd.DER {
		t.Fatal("empty content is still embedded, and DER is DER")
	}
}
