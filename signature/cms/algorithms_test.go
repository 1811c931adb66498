package cms_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/x509"
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

// TestAlgorithmsThatOthersUse reads what openssl signs with keys and hashes that nothing here signs
// with. Where weak is given, the signature is intact and that check says that it proves little.
func TestAlgorithmsThatOthersUse(t *testing.T) {
	rsaKey := []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}
	for _, c := range []struct {
		name string
		key  []string // of openssl genpkey
		sign []string
		weak string
	}{
		{"RSA with SHA3-256", rsaKey, []string{"-md", "sha3-256"}, ""},
		{"RSA with SHA3-512", rsaKey, []string{"-md", "sha3-512"}, ""},
		{"RSA with SHA-224", rsaKey, []string{"-md", "sha224"}, "digest-strength"},
		{"RSA of 1024 bits", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"}, []string{"-md", "sha256"}, "key-length"},
		{"a key for RSASSA-PSS", []string{"-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"}, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss"}, ""},
		{"a key for RSASSA-PSS with parameters", []string{"-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_pss_keygen_md:sha384",
			"-pkeyopt", "rsa_pss_keygen_mgf1_md:sha384", "-pkeyopt", "rsa_pss_keygen_saltlen:48"}, []string{"-md", "sha384", "-keyopt", "rsa_pss_saltlen:48"}, ""},
		{"PSS with a mask of SHA-384", rsaKey, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha384"}, ""},
		{"PSS with a mask of SHA-1", rsaKey, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1"}, ""},
		{"PSS with a short salt", rsaKey, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:16"}, ""},
		{"PSS without a salt", rsaKey, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:0"}, ""},
		{"PSS with the longest salt", rsaKey, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha384", "-keyopt", "rsa_pss_saltlen:-2"}, ""},
		{"DSA with SHA-256", []string{"-paramfile", signtest.Write(t, "dsa.pem", []byte(dsaGroup))}, []string{"-md", "sha256"}, "algorithm-strength"},
		{"P-256", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, []string{"-md", "sha256"}, ""},
		{"P-256 with SHA-512", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, []string{"-md", "sha512"}, ""},
		{"P-521", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"}, []string{"-md", "sha512"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			der := opensslWith(t, c.key, c.sign)
			intact(t, 1, der, nil)
			weak := ""
			for _, check := range mustVerify(t, der, nil)[0].Checks {
				if check.Fault == cms.FaultWeak {
					weak = check.What
				}
			}
			if weak != c.weak {
				t.Errorf("weakness %q, want %q", weak, c.weak)
			}
			root := tree(t, der)
			root.encap().kids[1].kids[0].body[0] ^= 1
			if got := anyFault(t, root.bytes(), nil); got != cms.FaultContent {
				t.Errorf("content changed: %q", got)
			}
			root = tree(t, der)
			root.signer().signed().attribute(attrTime).kids[1].kids[0].body[5] ^= 1
			if got := anyFault(t, root.bytes(), nil); got != cms.FaultValue {
				t.Errorf("attributes changed: %q", got)
			}
		})
	}
}

// TestAlgorithmsThatOpenSSLDoesNotPutIntoCMS are put together here, with the library's own arithmetic.
func TestAlgorithmsThatOpenSSLDoesNotPutIntoCMS(t *testing.T) {
	p := signtest.New(t)
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	curve := signtest.Identity{Certificate: signtest.Leaf(t, p.Root, private, nil), Key: private}
	sha3OID, sha512OID := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 9}, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	eddsa, ecsha3 := asn1.ObjectIdentifier{1, 3, 101, 112}, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 11}
	withDigest := func(sum []byte) [][]byte {
		return [][]byte{plainAttributes()[0], attribute(attrDigest, octets(sum))}
	}
	long, three := sha512.Sum512(document), sha3.Sum384(document)
	ed := forgery{who: curve, digestOID: sha512OID, sigOID: eddsa, attributes: withDigest(long[:])}
	ed.raw = ed25519.Sign(private, ed.signedBytes())
	ec := forgery{who: p.P384, digestOID: sha3OID, sigOID: ecsha3, attributes: withDigest(three[:])}
	covered := sha3.Sum384(ec.signedBytes())
	if ec.raw, err = p.P384.Key.Sign(rand.Reader, covered[:], crypto.SHA3_384); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    forgery
		want cms.Fault
	}{
		"Ed25519":                           {ed, ""},
		"Ed25519 with SHA-256":              {forgery{who: curve, sigOID: eddsa, raw: ed.raw}, cms.FaultFormat},
		"Ed25519 over other attributes":     {forgery{who: curve, digestOID: sha512OID, sigOID: eddsa, attributes: [][]byte{ed.attributes[0], ed.attributes[1], attribute(oidData)}, raw: ed.raw}, cms.FaultValue},
		"Ed25519 direct over embedded":      {forgery{who: curve, digestOID: sha512OID, sigOID: eddsa, direct: true, content: document, raw: ed25519.Sign(private, document)}, ""},
		"Ed25519 direct over other":         {forgery{who: curve, digestOID: sha512OID, sigOID: eddsa, direct: true, content: document, raw: ed25519.Sign(private, otherDocument)}, cms.FaultValue},
		"Ed25519 direct over detached":      {forgery{who: curve, digestOID: sha512OID, sigOID: eddsa, direct: true, raw: ed25519.Sign(private, document)}, cms.FaultUnsupported},
		"Ed25519 over the digest":           {forgery{who: curve, digestOID: sha512OID, sigOID: eddsa, attributes: ed.attributes, raw: ed25519.Sign(private, long[:])}, cms.FaultValue},
		"an Ed25519 value, called ECDSA":    {forgery{who: curve, digestOID: sha3OID, sigOID: ecsha3, attributes: ec.attributes, raw: ed.raw}, cms.FaultValue},
		"an ECDSA value, called Ed25519":    {forgery{who: p.P384, digestOID: sha512OID, sigOID: eddsa, attributes: ed.attributes, raw: ec.raw}, cms.FaultValue},
		"ECDSA with SHA3-384":               {ec, ""},
		"ECDSA with SHA3-384, listed SHA-2": {forgery{who: p.P384, digestOID: oidSHA384, sigOID: ecsha3, attributes: ec.attributes, raw: ec.raw}, cms.FaultFormat},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fault(t, c.f.make(t), document); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
		})
	}
}

// dsaGroup is a group of 1024 bits for throwaway keys; to find one takes a while.
const dsaGroup = `-----BEGIN DSA PARAMETERS-----
MIIBJgKBgQC3ceIc2AN2N6wI98md8Uoilx3BdI8h5bIeRHufDQusGDDCzSHKAuUe
xD58OOAz09aDgtJQ0j2yQdE7hiJhNYStub9cYJ8SHI8FEZwLl2B2dGhKMtKeFsIL
k3s8do97RGw949VcaOBxexzAkfcULzgVVKo1BOjK1Hzc3XPl7gt/PQIdAM7zaP3q
txee+nC7id6ymkbsg4PVHp7cShGD3O8CgYBi+gjNCSJzR/ahqHtCR/rrXABhPGYe
7JMckLptZ2SZyCEfRfNi8XCMU+Nlk4jZN+Iz9bI07iJbMprecvQrwRiVfQAn1QXY
YImJPvqz/LVXHnvOFXDEwzbJCz9GZNaWMow1sHl93qeOOQoTRUgnFsyeMt4bRKfm
gabLsLO9nns/IA==
-----END DSA PARAMETERS-----
`

// opensslWith signs document with a fresh self-signed key.
func opensslWith(t *testing.T, key, sign []string) []byte {
	t.Helper()
	dir := t.TempDir()
	k, c, out := filepath.Join(dir, "k"), filepath.Join(dir, "c"), filepath.Join(dir, "out")
	for _, args := range [][]string{
		append([]string{"genpkey", "-out", k}, key...),
		{"req", "-x509", "-new", "-key", k, "-out", c, "-subj", "/CN=somebody", "-days", "9000"},
		append([]string{"cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", c, "-inkey", k, "-in", signtest.Write(t, "d", document), "-out", out}, sign...),
	} {
		if log, err := signtest.Judge(t, "openssl", args...); err != nil {
			t.Fatalf("openssl %s: %s", args[0], log)
		}
	}
	der, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// ess is an entry of a signing-certificate attribute, put together by hand.
type ess struct {
	hash    asn1.ObjectIdentifier // named; nil: not named
	sum     []byte
	issuer  []byte // of IssuerSerial; nil: no IssuerSerial
	serial  int64  // added to the right one
	second  []byte // a further entry
	after   []byte // after the entries
	version int
}

func (e ess) attribute(c *x509.Certificate) []byte {
	value := build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					if e.hash != nil {
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(e.hash) })
					}
					b.AddASN1OctetString(e.sum)
					if e.issuer != nil {
						serial := asn1.RawValue{FullBytes: build(func(b *cryptobyte.Builder) { b.AddASN1BigInt(addTo(c, e.serial)) })}
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(e.issuer) })
							b.AddBytes(serial.FullBytes)
						})
					}
				})
				b.AddBytes(e.second)
			})
			b.AddBytes(e.after)
		})
	})
	if e.version == 1 {
		return attribute(attrCertV1, value)
	}
	return attribute(attrCertV2, value)
}

func directory(name []byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(4).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(name) })
	})
}

// TestSigningCertificate names the signer's certificate in every way, and others in ways that look so.
func TestSigningCertificate(t *testing.T) {
	p := signtest.New(t)
	who, other := p.RSA.Certificate, p.Other.Certificate
	s1, s256, s3, wrong := sha1.Sum(who.Raw), sha256.Sum256(who.Raw), sha3.Sum256(who.Raw), sha256.Sum256(other.Raw)
	issuer := directory(who.RawIssuer)
	entry := func(sum []byte) []byte { return tlvOf(0x30, octets(sum)) }
	sha3OID := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 8}
	for name, c := range map[string]struct {
		all  []ess
		want cms.Fault
	}{
		"version 2":                                {[]ess{{sum: s256[:]}}, ""},
		"version 2 with the hash named":            {[]ess{{hash: oidSHA256, sum: s256[:]}}, ""},
		"version 2 with SHA-3":                     {[]ess{{hash: sha3OID, sum: s3[:]}}, ""},
		"version 2 with issuer and number":         {[]ess{{sum: s256[:], issuer: issuer}}, ""},
		"version 2 with the path after it":         {[]ess{{sum: s256[:], second: entry(wrong[:])}}, ""},
		"version 2 with policies":                  {[]ess{{sum: s256[:], after: tlvOf(0x30)}}, ""},
		"version 1":                                {[]ess{{sum: s1[:], version: 1}}, ""},
		"both versions":                            {[]ess{{sum: s1[:], version: 1}, {sum: s256[:]}}, ""},
		"another certificate":                      {[]ess{{sum: wrong[:]}}, cms.FaultReference},
		"another certificate in version 1":         {[]ess{{sum: make([]byte, 20), version: 1}}, cms.FaultReference},
		"version 1 right and version 2 of another": {[]ess{{sum: s1[:], version: 1}, {sum: wrong[:]}}, cms.FaultReference},
		"version 2 right and version 1 of another": {[]ess{{sum: make([]byte, 20), version: 1}, {sum: s256[:]}}, cms.FaultReference},
		"the right one only in second place":       {[]ess{{sum: wrong[:], second: entry(s256[:])}}, cms.FaultReference},
		"another number":                           {[]ess{{sum: s256[:], issuer: issuer, serial: 1}}, cms.FaultReference},
		"another issuer":                           {[]ess{{sum: s256[:], issuer: directory(other.RawSubject)}}, cms.FaultReference},
		"two issuers":                              {[]ess{{sum: s256[:], issuer: append(slices.Clone(issuer), issuer...)}}, cms.FaultReference},
		"no issuer in its place":                   {[]ess{{sum: s256[:], issuer: []byte{}}}, cms.FaultReference},
		"the hash cut":                             {[]ess{{sum: s256[:31]}}, cms.FaultReference},
		"an empty hash":                            {[]ess{{sum: nil}}, cms.FaultReference},
		"the hash under another name":              {[]ess{{hash: oidSHA384, sum: s256[:]}}, cms.FaultReference},
		"the hash under no known name":             {[]ess{{hash: oidOtherType, sum: s256[:]}}, cms.FaultReference},
		"the hash with MD5":                        {[]ess{{hash: oidMD5, sum: s256[:16]}}, cms.FaultReference},
		"SHA-1 in version 2 without a name":        {[]ess{{sum: s1[:]}}, cms.FaultReference},
		"SHA-256 in version 1":                     {[]ess{{sum: s256[:], version: 1}}, cms.FaultReference},
		"something after the policies":             {[]ess{{sum: s256[:], after: append(tlvOf(0x30), 5, 0)}}, cms.FaultReference},
		"version 2 twice":                          {[]ess{{sum: s256[:]}, {sum: s256[:]}}, cms.FaultFormat},
	} {
		t.Run(name, func(t *testing.T) {
			f := forgery{who: p.RSA, attributes: plainAttributes()}
			for _, e := range c.all {
				f.attributes = append(f.attributes, e.attribute(who))
			}
			if got := fault(t, f.make(t), document); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
		})
	}
}

// TestCertificatesWithOneKeyIdentifier: the signer is named by an identifier that several certificates
// claim.
func TestCertificatesWithOneKeyIdentifier(t *testing.T) {
	p := signtest.New(t)
	id := p.RSA.Certificate.SubjectKeyId
	claim := func(key crypto.Signer) *x509.Certificate {
		return signtest.Leaf(t, p.Root, key, func(c *x509.Certificate) { c.SubjectKeyId = id })
	}
	stranger, twin, real := claim(p.Other.Key), claim(p.RSA.Key), p.RSA.Certificate
	sum := sha256.Sum256(real.Raw)
	named := append(plainAttributes(), ess{sum: sum[:]}.attribute(real))
	for name, c := range map[string]struct {
		attributes [][]byte
		given      []*x509.Certificate
		want       cms.Fault
		chosen     *x509.Certificate
	}{
		"a stranger's alone":                        {plainAttributes(), []*x509.Certificate{stranger}, cms.FaultValue, stranger},
		"a stranger's before the right one":         {plainAttributes(), []*x509.Certificate{stranger, real}, "", real},
		"a stranger's, and the right one is named":  {named, []*x509.Certificate{stranger}, cms.FaultReference, stranger},
		"a twin of the same key, and another named": {named, []*x509.Certificate{twin}, cms.FaultReference, twin},
		"a twin before the one that is named":       {named, []*x509.Certificate{twin, stranger, real}, "", real},
	} {
		t.Run(name, func(t *testing.T) {
			var set []byte
			for _, one := range c.given {
				set = append(set, one.Raw...)
			}
			der := forgery{who: p.RSA, attributes: c.attributes, keyID: id, certificate: set}.make(t)
			if got := fault(t, der, document); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
			if r := mustVerify(t, der, document)[0]; !r.Certificate.Equal(c.chosen) {
				t.Error("another certificate is taken for the signer's")
			}
		})
	}
}
