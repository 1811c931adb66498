package tsp_test

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

var document = []byte("遺言書 a document whose existence at a time is to be shown\n")

// unreadable stands for a token that Parse refuses.
const unreadable cms.Fault = "unreadable"

// outcome gives what the token fails on, "" where it is sound.
func outcome(der, covered []byte) cms.Fault {
	t, err := tsp.Parse(der)
	if err != nil {
		return unreadable
	}
	r := t.VerifyBytes(covered, nil)
	for _, c := range r.Checks {
		if !c.OK {
			return c.Fault
		}
	}
	if !r.Intact() {
		return "not intact"
	}
	return ""
}

func TestSoundTokens(t *testing.T) {
	a := signtest.NewTSA(t)
	name := build(directory(a.Unit.Certificate.RawSubject))
	for _, c := range []struct {
		name   string
		change func(*forgery)
	}{
		{"as it is", func(*forgery) {}},
		{"without accuracy and nonce", func(f *forgery) { f.info.Accuracy, f.info.Nonce = nil, nil }},
		{"with the authority's name", func(f *forgery) { f.info.TSA = name }},
		{"with ordering", func(f *forgery) { f.info.Ordering = true }},
		{"with an extension that is not critical", func(f *forgery) { f.info.Extensions = []tsp.Extension{{ID: oidData, Value: []byte{5, 0}}} }},
		{"reference by SHA-1, as RFC 3161 had it", func(f *forgery) { f.ess = [][]byte{ess1(f.who.Certificate)} }},
		{"both references", func(f *forgery) { f.ess = [][]byte{ess1(f.who.Certificate), ess2(f.who.Certificate)} }},
		{"milliseconds", func(f *forgery) { f.info.Time = f.info.Time.Add(120 * time.Millisecond) }},
		{"a number of 160 bits", func(f *forgery) { f.info.Serial = new(big.Int).Lsh(big.NewInt(1), 159) }},
		{"ordering FALSE written out", func(f *forgery) {
			f.content = func(der []byte) []byte { return insertBefore(der, []byte{0x02, 0x01, 99}, []byte{1, 1, 0}) }
		}},
		{"SHA-512", func(f *forgery) { f.info.Imprint = imprint(t, crypto.SHA512, document) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := sound(t, document)
			c.change(f)
			der := f.token(t)
			if got := outcome(der, document); got != "" {
				t.Fatalf("fails on %q", got)
			}
			if got := outcome(der, document[1:]); got != cms.FaultContent {
				t.Fatalf("over another document it fails on %q", got)
			}
			read, err := tsp.Parse(der)
			if err != nil || !read.Info.Time.Equal(f.info.Time) || read.Info.Serial.Cmp(f.info.Serial) != 0 || read.Info.Ordering != f.info.Ordering {
				t.Fatalf("read as %+v, %v", read.Info, err)
			}
		})
	}
}

// TestNearCopiesAreRefused has a token beside each sound one that differs in one thing.
func TestNearCopiesAreRefused(t *testing.T) {
	a, p := signtest.NewTSA(t), signtest.New(t)
	other := signtest.NewIdentity(t, a.Root, 256, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{signtest.Purposes(true, signtest.TimeStamping)}
	})
	purpose := func(e ...pkix.Extension) func(*forgery) {
		return func(f *forgery) { f.with(t, func(c *x509.Certificate) { c.ExtraExtensions = e }) }
	}
	usage := func(u x509.KeyUsage) func(*forgery) {
		return func(f *forgery) {
			f.with(t, func(c *x509.Certificate) {
				c.KeyUsage, c.ExtraExtensions = u, []pkix.Extension{signtest.Purposes(true, signtest.TimeStamping)}
			})
		}
	}
	patch := func(old, new []byte) func(*forgery) { // after it was signed
		return func(f *forgery) { f.afterward = func(der []byte) []byte { return replaceOnce(t, der, old, new) } }
	}
	signed := func(old, new []byte) func(*forgery) { // before it is signed
		return func(f *forgery) { f.content = func(der []byte) []byte { return replaceOnce(t, der, old, new) } }
	}
	codeSigning, anyPurpose := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}, asn1.ObjectIdentifier{2, 5, 29, 37, 0}
	stated := []byte("20261124030405Z")
	for _, c := range []struct {
		name   string
		change func(*forgery)
		want   cms.Fault
	}{
		{"the digest of another document", func(f *forgery) { f.info.Imprint = imprint(t, crypto.SHA256, document[1:]) }, cms.FaultContent},
		{"the digest of another document, with SHA-384", func(f *forgery) { f.info.Imprint = imprint(t, crypto.SHA384, document[1:]) }, cms.FaultContent},
		{"a digest that is cut short", func(f *forgery) { f.info.Imprint.Sum = f.info.Imprint.Sum[:20] }, unreadable},
		{"a digest of SHA-512's length said to be SHA-256", func(f *forgery) { sum := sha512.Sum512(document); f.info.Imprint.Sum = sum[:] }, unreadable},
		{"a digest with SHA-1", func(f *forgery) {
			sum := sha1.Sum(document)
			a, _ := cms.HashAlgorithm(crypto.SHA1)
			f.info.Imprint = tsp.Imprint{Hash: crypto.SHA1, Algorithm: a, Sum: sum[:]}
		}, cms.FaultWeak},
		{"a digest with MD5", func(f *forgery) {
			f.info.Imprint = tsp.Imprint{Algorithm: cms.Algorithm{OID: oidMD5}, Sum: make([]byte, 16)}
		}, cms.FaultUnsupported},
		{"parameters of the digest algorithm that mean something", func(f *forgery) { f.info.Imprint.Algorithm.Parameters = []byte{2, 1, 5} }, cms.FaultUnsupported},

		{"an earlier time, after signing", patch(stated, []byte("20251124030405Z")), cms.FaultContent},
		{"another number, after signing", patch([]byte{2, 1, 7, 0x18}, []byte{2, 1, 8, 0x18}), cms.FaultContent},
		{"another nonce, after signing", patch([]byte{2, 1, 99}, []byte{2, 1, 98}), cms.FaultContent},
		{"a better accuracy, after signing", patch([]byte{0x30, 3, 2, 1, 1}, []byte{0x30, 3, 2, 1, 0}), cms.FaultContent},
		{"a flipped bit of the signature", func(f *forgery) {
			f.afterward = func(der []byte) []byte { der[len(der)-1] ^= 1; return der }
		}, cms.FaultValue},
		{"another authority's signature", func(f *forgery) { f.who = signtest.Identity{Certificate: f.who.Certificate, Key: other.Key} }, cms.FaultValue},

		{"a certificate without purpose", purpose(), cms.FaultFormat},
		{"a purpose that is not critical", purpose(signtest.Purposes(false, signtest.TimeStamping)), cms.FaultFormat},
		{"two purposes", purpose(signtest.Purposes(true, signtest.TimeStamping, codeSigning)), cms.FaultFormat},
		{"two purposes, time-stamping second", purpose(signtest.Purposes(true, codeSigning, signtest.TimeStamping)), cms.FaultFormat},
		{"the purpose named twice", purpose(signtest.Purposes(true, signtest.TimeStamping, signtest.TimeStamping)), cms.FaultFormat},
		{"another purpose", purpose(signtest.Purposes(true, codeSigning)), cms.FaultFormat},
		{"any purpose", purpose(signtest.Purposes(true, anyPurpose)), cms.FaultFormat},
		{"key usage for certificates too", usage(x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign), cms.FaultFormat},
		{"key usage for encryption alone", usage(x509.KeyUsageKeyEncipherment), cms.FaultFormat},
		{"a resident's certificate, with its own key", func(f *forgery) {
			f.by(signtest.NewIdentity(t, p.Root, 256, nil))
		}, cms.FaultFormat},

		{"a reference to another certificate", func(f *forgery) { f.ess = [][]byte{ess2(other.Certificate)} }, cms.FaultReference},
		{"a reference by SHA-1 to another certificate", func(f *forgery) { f.ess = [][]byte{ess1(other.Certificate)} }, cms.FaultReference},
		{"two references that contradict each other", func(f *forgery) {
			f.ess = [][]byte{ess1(other.Certificate), ess2(f.who.Certificate)}
		}, cms.FaultReference},
		{"a reference to the root", func(f *forgery) { f.ess = [][]byte{ess2(a.Root.Certificate)} }, cms.FaultReference},
		{"no reference", func(f *forgery) { f.ess = nil }, cms.FaultFormat},
		{"an empty reference", func(f *forgery) { f.ess = [][]byte{attribute(oidESS2, []byte{0x30, 2, 0x30, 0})} }, cms.FaultReference},
		{"another unit's certificate embedded", func(f *forgery) { f.certs = []*x509.Certificate{other.Certificate} }, cms.FaultSigner},
		{"no certificate", func(f *forgery) { f.certs = nil }, cms.FaultSigner},

		{"two signers", func(f *forgery) { f.signers = 2 }, cms.FaultFormat},
		{"no signer", func(f *forgery) { f.signers = 0 }, cms.FaultFormat},
		{"no signed attributes", func(f *forgery) { f.direct = true }, cms.FaultFormat},
		{"plain data for content", func(f *forgery) { f.outer, f.inner = oidData, oidData }, unreadable},
		{"plain data in the attribute", func(f *forgery) { f.inner = oidData }, cms.FaultFormat},
		{"plain data outside", func(f *forgery) { f.outer = oidData }, unreadable},
		{"content that lies elsewhere", func(f *forgery) { f.detached = true }, unreadable},
		{"a name that is not in the certificate", func(f *forgery) { f.info.TSA = build(directory(other.Certificate.RawIssuer)) }, cms.FaultReference},
		{"a name of another form", func(f *forgery) { f.info.TSA = append([]byte{0x82, 8}, "tsa.test"...) }, cms.FaultReference},
		{"a critical extension", func(f *forgery) {
			f.info.Extensions = []tsp.Extension{{ID: oidData, Critical: true, Value: []byte{5, 0}}}
		}, cms.FaultUnsupported},
		{"an extension twice", func(f *forgery) {
			f.info.Extensions = []tsp.Extension{{ID: oidData, Value: []byte{5, 0}}, {ID: oidData, Value: []byte{5, 0}}}
		}, unreadable},

		{"version 2", signed([]byte{2, 1, 1, 6}, []byte{2, 1, 2, 6}), unreadable},
		{"a time without zone", signed(stated, []byte("202611240304050")), unreadable},
		{"a time with an offset", withTime("20261124120405+0900"), unreadable},
		{"a time with trailing zeros", withTime("20261124030405.100Z"), unreadable},
		{"a time with a lone point", withTime("20261124030405.Z"), unreadable},
		{"a time with a comma", withTime("20261124030405,1Z"), unreadable},
		{"a time of ten digits behind the point", withTime("20261124030405.1234567891Z"), unreadable},
		{"a time on no day", withTime("20260230030405Z"), unreadable},
		{"a time in two digits of year", withTime("261124030405Z"), unreadable},
		{"an accuracy of a thousand milliseconds", signed([]byte{0x30, 3, 2, 1, 1}, []byte{0x30, 4, 0x80, 2, 3, 0xe8}), unreadable},
		{"an accuracy of no milliseconds", signed([]byte{0x30, 3, 2, 1, 1}, []byte{0x30, 3, 0x80, 1, 0}), unreadable},
		{"a negative accuracy", signed([]byte{0x30, 3, 2, 1, 1}, []byte{0x30, 3, 2, 1, 0xff}), unreadable},
		{"an accuracy of a century", signed([]byte{0x30, 3, 2, 1, 1}, []byte{0x30, 6, 2, 4, 0x7f, 0, 0, 0}), unreadable},
		{"a nonce written long-windedly", signed([]byte{2, 1, 99}, []byte{2, 2, 0, 99}), unreadable},
		{"a member more", func(f *forgery) { f.content = func(der []byte) []byte { return grow(der, []byte{5, 0}) } }, unreadable},
		{"octets behind the TSTInfo", func(f *forgery) { f.content = func(der []byte) []byte { return append(der, 0) } }, unreadable},
		{"octets behind the token", func(f *forgery) { f.afterward = func(der []byte) []byte { return append(der, 0) } }, unreadable},
		{"a token cut short", func(f *forgery) { f.afterward = func(der []byte) []byte { return der[:len(der)-1] } }, unreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := sound(t, document)
			c.change(f)
			if got := outcome(f.token(t), document); got != c.want {
				t.Fatalf("fails on %q, not %q", got, c.want)
			}
		})
	}
}

// A certificate that is not embedded may be given; only the one that the token names counts.
func TestACertificateIsGivenBeside(t *testing.T) {
	f := sound(t, document)
	f.certs = nil
	read, err := tsp.Parse(f.token(t))
	if err != nil {
		t.Fatal(err)
	}
	if r := read.VerifyBytes(document, []*x509.Certificate{f.who.Certificate}); !r.Intact() {
		t.Fatalf("%+v", r.Checks)
	}
	if r := read.VerifyBytes(document, []*x509.Certificate{signtest.NewTSA(t).Root.Certificate}); r.Intact() {
		t.Fatal("intact without the unit's certificate")
	}
}

func TestWhatIsStampedIsNotAtHand(t *testing.T) {
	read, err := tsp.Parse(sound(t, document).token(t))
	if err != nil {
		t.Fatal(err)
	}
	r := read.Verify(nil, nil)
	if last := r.Checks[len(r.Checks)-1]; r.Intact() || len(r.Checks) == 0 {
		t.Fatalf("intact: %+v", last)
	}
	for _, c := range r.Checks {
		if !c.OK && c.Fault != cms.FaultNoContent {
			t.Errorf("%s fails with %s", c.What, c.Fault)
		}
	}
}

func imprint(t testing.TB, h crypto.Hash, covered []byte) tsp.Imprint {
	t.Helper()
	sum := h.New()
	sum.Write(covered)
	i, err := tsp.NewImprint(h, sum.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// replaceOnce replaces the one place where old stands; lengths around it are mended where they
// change, for a TSTInfo of less than 128 octets.
func replaceOnce(t testing.TB, der, old, new []byte) []byte {
	t.Helper()
	if n := bytes.Count(der, old); n != 1 {
		t.Fatalf("%x stands %d times", old, n)
	}
	out := bytes.Replace(der, old, new, 1)
	if grown := len(new) - len(old); grown != 0 {
		out[1] += byte(grown)
	}
	return out
}

func insertBefore(der, mark, insert []byte) []byte {
	out := bytes.Replace(der, mark, append(bytes.Clone(insert), mark...), 1)
	out[1] += byte(len(insert))
	return out
}

func grow(der, more []byte) []byte {
	der[1] += byte(len(more))
	return append(der, more...)
}

func withTime(stated string) func(*forgery) {
	return func(f *forgery) {
		f.content = func(der []byte) []byte {
			out := bytes.Replace(der, append([]byte{0x18, 15}, "20261124030405Z"...), append([]byte{0x18, byte(len(stated))}, stated...), 1)
			out[1] += byte(len(stated) - 15)
			return out
		}
	}
}
