package filing_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/filing"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
	"github.com/jitsuin/jitsuin/signature/tsp"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// named are the further keys that a signature for a filing has.
const named = "/Name(Mihon Hanako)"

// date is one with its time zone, in place of the one that the maker of files writes.
func dated(m string) func(string) string {
	return func(dict string) string {
		if !strings.Contains(dict, "/M(D:20261124030405Z)") {
			panic("no date")
		}
		return strings.Replace(dict, "/M(D:20261124030405Z)", m, 1)
	}
}

func examine(t testing.TB, document []byte) *filing.Report {
	t.Helper()
	r, err := filing.Examine(t.Context(), document)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcomes are what the checks of a report say, such as "C2 fail, C7 warn"; those that pass are left out.
func outcomes(r *filing.Report) string {
	var all []string
	for _, c := range r.Checks {
		if c.Outcome != filing.Pass {
			all = append(all, c.ID+" "+string(c.Outcome))
		}
	}
	return strings.Join(all, ", ")
}

// sign makes a file with one signature.
func sign(t testing.TB, s pdftest.Sig) []byte {
	t.Helper()
	f := pdftest.Simple(pdftest.Table, "an application for registration")
	f.Sign(t, signtest.NewJPKI(t).Sign, s)
	return f.Bytes
}

// What Signer makes for filings is taken, alone and co-signed, with a seal and without.
func TestOurFilingsAreTaken(t *testing.T) {
	j := signtest.NewJPKI(t)
	out := pdftest.Simple(pdftest.Packed, "an application").Bytes
	for n := 1; n <= 3; n++ {
		s := &pades.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key, Others: []*x509.Certificate{j.SignCA.Certificate}}
		var err error
		if out, err = s.Sign(t.Context(), out, pades.Options{Form: pades.PKCS7, At: signtest.Now, Name: signtest.Hanako.Name}); err != nil {
			t.Fatal(err)
		}
		r := examine(t, out)
		if !r.Accepted || r.Signatures != n || len(r.Checks) != 9*n || outcomes(r) != "" {
			t.Errorf("%d signatures: %v %s", n, r.Accepted, outcomes(r))
		}
	}
}

// Each of the nine has near copies that fail on it and on nothing before it.
func TestNearCopiesAreRejected(t *testing.T) {
	const pkcs7 = "adbe.pkcs7.detached"
	change := func(old, new string) func(string) string {
		return func(dict string) string {
			if !strings.Contains(dict, old) {
				t.Fatalf("no %q in %s", old, dict)
			}
			return strings.Replace(dict, old, new, 1)
		}
	}
	for name, c := range map[string]struct {
		sig    pdftest.Sig
		after  func(b []byte) []byte
		want   string
		passes bool
	}{
		"the good one":           {sig: pdftest.Sig{}, passes: true},
		"a date with quotes":     {sig: pdftest.Sig{Layout: dated("/M(D:20261124120405+09'00')")}, passes: true},
		"without the last quote": {sig: pdftest.Sig{Layout: dated("/M(D:20261124120405+09'00)")}, passes: true},
		"another filter":         {sig: pdftest.Sig{Layout: change("Adobe.PPKLite", "Entrust.PPKEF")}, passes: true},
		"BER":                    {sig: pdftest.Sig{Value: indefinite(t)}, passes: true},
		"direct":                 {sig: pdftest.Sig{Value: direct(t, false)}, passes: true},
		"no signing-time":        {sig: pdftest.Sig{Value: untimed(t)}, want: "C7 warn", passes: true},
		"P-384":                  {sig: pdftest.Sig{Value: p384(t)}, want: "C9 warn", passes: true},

		"no type":             {sig: pdftest.Sig{Layout: change("/Type/Sig", "")}, want: "C1 fail"},
		"a time-stamp's type": {sig: pdftest.Sig{Layout: change("/Type/Sig", "/Type/DocTimeStamp")}, want: "C1 fail"},
		"PAdES":               {sig: pdftest.Sig{SubFilter: "ETSI.CAdES.detached"}, want: "C2 fail"},
		"SHA-1 inside":        {sig: pdftest.Sig{SubFilter: "adbe.pkcs7.sha1"}, want: "C2 fail"},
		"nearly the form":     {sig: pdftest.Sig{SubFilter: "adbe.pkcs7.detachd"}, want: "C2 fail"},
		"no form":             {sig: pdftest.Sig{Layout: change("/SubFilter/"+pkcs7, "")}, want: "C2 fail"},
		"no name":             {sig: pdftest.Sig{Layout: change(named, "")}, want: "C3 fail"},
		"an empty name":       {sig: pdftest.Sig{Layout: change(named, "/Name()")}, want: "C3 fail"},
		"a name of spaces":    {sig: pdftest.Sig{Layout: change(named, "/Name<feff30003000>")}, want: "C3 fail"},
		"a name that is none": {sig: pdftest.Sig{Layout: change(named, "/Name/Mihon")}, want: "C3 fail"},
		"no date":             {sig: pdftest.Sig{Layout: dated("")}, want: "C4 fail"},
		"no time zone":        {sig: pdftest.Sig{Layout: dated("/M(D:20261124030405)")}, want: "C4 fail"},
		"a day alone":         {sig: pdftest.Sig{Layout: dated("/M(D:20261124Z)")}, want: "C4 fail"},
		"month 13":            {sig: pdftest.Sig{Layout: dated("/M(D:20261324030405Z)")}, want: "C4 fail"},
		"30 February":         {sig: pdftest.Sig{Layout: dated("/M(D:20260230030405Z)")}, want: "C4 fail"},
		"hour 24":             {sig: pdftest.Sig{Layout: dated("/M(D:20261124240405Z)")}, want: "C4 fail"},
		"ISO 8601":            {sig: pdftest.Sig{Layout: dated("/M(2026-11-24T03:04:05Z)")}, want: "C4 fail"},
		"a broken time zone":  {sig: pdftest.Sig{Layout: dated("/M(D:20261124030405+0900)")}, want: "C4 fail"},

		"one byte less": {sig: pdftest.Sig{Range: func(r [4]int) string { return fmt.Sprintf("[%d %d %d %d]", r[0], r[1], r[2], r[3]-1) }},
			want: "C5 fail"},
		"the brackets too": {sig: pdftest.Sig{Range: func(r [4]int) string { return fmt.Sprintf("[%d %d %d %d]", r[0], r[1]+1, r[2]-1, r[3]+1) }},
			want: "C5 fail"},
		"from byte 1":     {sig: pdftest.Sig{Range: func(r [4]int) string { return fmt.Sprintf("[1 %d %d %d]", r[1]-1, r[2], r[3]) }}, want: "C5 fail"},
		"two numbers":     {sig: pdftest.Sig{Range: func(r [4]int) string { return fmt.Sprintf("[%d %d]", r[0], r[1]) }}, want: "C5 fail"},
		"a word after it": {after: func(b []byte) []byte { return append(b, "more"...) }, want: "C5 fail"},

		"no CMS":          {sig: pdftest.Sig{Value: func([]byte) []byte { return []byte{0x30, 3, 2, 1, 5} }}, want: "C6 fail"},
		"content inside":  {sig: pdftest.Sig{Value: embedded(t)}, want: "C6 fail"},
		"two signers":     {sig: pdftest.Sig{Value: both(t), Room: 8192}, want: "C6 fail"},
		"a literal":       {sig: pdftest.Sig{Layout: change("/Contents<%C>", "/Contents(x)/Other<%C>")}, want: "C5 fail"},
		"padding of ones": {sig: pdftest.Sig{}, after: padded, want: "C5 fail"},

		"no certificate":          {sig: pdftest.Sig{Value: without(t)}, want: "C7 fail"},
		"another's certificate":   {sig: pdftest.Sig{Value: foreign(t)}, want: "C7 fail"},
		"another document":        {sig: pdftest.Sig{Value: func([]byte) []byte { return pdftest.CMS(t, signtest.NewJPKI(t).Sign, []byte("another")) }}, want: "C8 fail"},
		"direct, another":         {sig: pdftest.Sig{Value: direct(t, true)}, want: "C8 fail"},
		"one byte of it is other": {after: func(b []byte) []byte { return bytes.Replace(b, []byte("registration"), []byte("Registration"), 1) }, want: "C8 fail"},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.sig
			s.Keys = named + s.Keys
			if s.SubFilter == "" {
				s.SubFilter = pkcs7
			}
			b := sign(t, s)
			if c.after != nil {
				b = c.after(b)
			}
			r, err := filing.Examine(t.Context(), b)
			if err != nil {
				if jitsuin.KindOf(err) != jitsuin.Invalid || c.passes {
					t.Error(err)
				}
				return // not even a PDF
			}
			got := outcomes(r)
			if r.Accepted != c.passes || !strings.HasPrefix(got, c.want) || c.passes && got != c.want {
				t.Errorf("accepted %t: %s\n%s", r.Accepted, got, r.Text("en"))
			}
		})
	}
}

// What is added after the last signature is enough for a rejection, however it is allowed elsewhere.
func TestWhatFollowsTheLastSignature(t *testing.T) {
	j := signtest.NewJPKI(t)
	s := &pades.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
	signed, err := s.Sign(t.Context(), pdftest.Simple(pdftest.Table, "an application").Bytes, pades.Options{Form: pades.PKCS7, At: signtest.Now, Name: "見本"})
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := pades.Preserve(signed, signtest.Now, pades.Evidence{Certificates: []*x509.Certificate{j.SignCA.Certificate}})
	if err != nil {
		t.Fatal(err)
	}
	tsa := signtest.NewTSA(t)
	p := func(ctx context.Context, h crypto.Hash, sum []byte) ([]byte, error) {
		q, err := tsp.NewRequest(h, sum, nil)
		if err != nil {
			return nil, err
		}
		return tsa.Issuer().Token(ctx, q, big.NewInt(1), signtest.Now)
	}
	archived, err := pades.Archive(t.Context(), signed, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{"evidence": {evidence, "C5 fail"}, "a document time-stamp": {archived, "C1 fail, C2 fail, C3 fail, C4 fail"}} {
		if r := examine(t, c.in); r.Accepted || !strings.HasPrefix(outcomes(r), c.want) {
			t.Errorf("%s: %s", name, outcomes(r))
		}
	}
	later, err := s.Sign(t.Context(), evidence, pades.Options{Form: pades.PKCS7, At: signtest.Now, Name: "見本"})
	if err != nil {
		t.Fatal(err)
	}
	if r := examine(t, later); !r.Accepted { // and a co-signature that covers it heals it
		t.Errorf("co-signed after evidence: %s", outcomes(r))
	}
}

// A file without a signature fails on C1, and one that is no PDF is an error.
func TestNothingToExamine(t *testing.T) {
	r := examine(t, pdftest.Simple(pdftest.Stream, "nothing").Bytes)
	if r.Accepted || r.Signatures != 0 || len(r.Checks) != 9 || r.Checks[0].Outcome != filing.Fail || r.Checks[8].Outcome != filing.Unchecked {
		t.Errorf("%+v", r)
	}
	for _, in := range [][]byte{nil, []byte("text"), []byte("%PDF-1.7\n")} {
		if _, err := filing.Examine(t.Context(), in); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// The report says in both languages what is wrong and what to do, and nothing that a file says steers a terminal.
func TestTheReport(t *testing.T) {
	b := sign(t, pdftest.Sig{SubFilter: "ETSI.CAdES.detached", Field: "a\x1b[2J", Keys: named})
	r := examine(t, b)
	for lang, want := range map[string][]string{
		"ja": {"判定：提出できる形式ではありません", "✗ C2 署名の形式が adbe.pkcs7.detached ではありません", "実際: ETSI.CAdES.detached", "根拠: 法務省", "✓ C1"},
		"en": {"Verdict: Not the form", "✗ C2 The form of the signature is not adbe.pkcs7.detached. Sign again", "found: ETSI.CAdES.detached"},
	} {
		text := r.Text(lang)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", lang, w, text)
			}
		}
		if strings.ContainsRune(text, '\x1b') {
			t.Error("the terminal is steered")
		}
	}
	raw, err := json.Marshal(r)
	if err != nil || !bytes.Contains(raw, []byte(`"id":"C2","name":"sub-filter"`)) {
		t.Errorf("%s %v", raw, err)
	}
	for _, c := range r.Checks {
		if c.JA == "" || c.EN == "" || c.Source == "" || c.Expected == "" {
			t.Errorf("%s says too little", c.ID)
		}
	}
}

// FuzzExamine reads anything.
func FuzzExamine(f *testing.F) {
	for _, style := range []pdftest.Style{pdftest.Table, pdftest.Packed} {
		file := pdftest.Simple(style, "an application")
		file.Sign(f, signtest.NewJPKI(f).P384, pdftest.Sig{SubFilter: "adbe.pkcs7.detached", Keys: named, Style: style})
		f.Add(file.Bytes)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := filing.Examine(t.Context(), in)
		if err != nil {
			if jitsuin.KindOf(err) == jitsuin.Internal {
				t.Fatal(err)
			}
			return
		}
		if len(r.Checks) != 9*max(r.Signatures, 1) {
			t.Fatalf("%d checks of %d signatures", len(r.Checks), r.Signatures)
		}
		r.Text("ja")
	})
}

// The makers of values.

func signer(t testing.TB, change func(*cms.Signer)) *cms.Signer {
	j := signtest.NewJPKI(t)
	s := &cms.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
	if change != nil {
		change(s)
	}
	return s
}

func valued(t testing.TB, change func(*cms.Signer)) func([]byte) []byte {
	return func(covered []byte) []byte {
		der, err := signer(t, change).Detached(t.Context(), bytes.NewReader(covered), signtest.Now)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
}

func untimed(t testing.TB) func([]byte) []byte {
	return valued(t, func(s *cms.Signer) { s.OmitTime = true })
}

func without(t testing.TB) func([]byte) []byte {
	return valued(t, func(s *cms.Signer) { s.OmitCertificates = true })
}

func p384(t testing.TB) func([]byte) []byte {
	j := signtest.NewJPKI(t)
	return valued(t, func(s *cms.Signer) { s.Certificate, s.Key = j.P384.Certificate, j.P384.Key })
}

// foreign has a certificate inside, and not the signer's.
func foreign(t testing.TB) func([]byte) []byte {
	return func(covered []byte) []byte {
		der := without(t)(covered)
		more, err := cms.AddEvidence(der, []*x509.Certificate{signtest.NewJPKI(t).P384.Certificate}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return more
	}
}

func embedded(t testing.TB) func([]byte) []byte {
	return func(covered []byte) []byte {
		der, err := signer(t, nil).Embedded(t.Context(), []byte("inside"), signtest.Now)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
}

func both(t testing.TB) func([]byte) []byte {
	return func(covered []byte) []byte {
		j := signtest.NewJPKI(t)
		der, err := signer(t, func(s *cms.Signer) { s.Certificate, s.Key = j.P384.Certificate, j.P384.Key }).
			Add(t.Context(), valued(t, nil)(covered), bytes.NewReader(covered), signtest.Now)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
}

// indefinite writes the outer lengths as BER may (X.690 §8.1.3.6).
func indefinite(t testing.TB) func([]byte) []byte {
	return func(covered []byte) []byte {
		in := cryptobyte.String(valued(t, nil)(covered))
		var info, oid, content cryptobyte.String
		if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Element(&oid, cbasn1.OBJECT_IDENTIFIER) ||
			!info.ReadASN1(&content, cbasn1.Tag(0).ContextSpecific().Constructed()) {
			t.Fatal("no ContentInfo")
		}
		out := append([]byte{0x30, 0x80}, oid...)
		return append(append(append(out, 0xa0, 0x80), content...), 0, 0, 0, 0)
	}
}

// direct signs the document itself, without attributes; other signs another one.
func direct(t testing.TB, other bool) func([]byte) []byte {
	return func(covered []byte) []byte {
		if other {
			covered = []byte("another")
		}
		who := signtest.NewJPKI(t).Sign
		sum := sha256.Sum256(covered)
		value, err := who.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		sequence := func(b *cryptobyte.Builder, f cryptobyte.BuilderContinuation) { b.AddASN1(cbasn1.SEQUENCE, f) }
		named := func(oid ...int) cryptobyte.BuilderContinuation {
			return func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier(oid)) }
		}
		sha := named(2, 16, 840, 1, 101, 3, 4, 2, 1)
		tagged := cbasn1.Tag(0).ContextSpecific().Constructed()
		var b cryptobyte.Builder
		sequence(&b, func(b *cryptobyte.Builder) {
			named(1, 2, 840, 113549, 1, 7, 2)(b)
			b.AddASN1(tagged, func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) {
					b.AddASN1Int64(1)
					b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { sequence(b, sha) })
					sequence(b, named(1, 2, 840, 113549, 1, 7, 1))
					b.AddASN1(tagged, func(b *cryptobyte.Builder) { b.AddBytes(who.Certificate.Raw) })
					b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
						sequence(b, func(b *cryptobyte.Builder) {
							b.AddASN1Int64(1)
							sequence(b, func(b *cryptobyte.Builder) {
								b.AddBytes(who.Certificate.RawIssuer)
								b.AddASN1BigInt(who.Certificate.SerialNumber)
							})
							sequence(b, sha)
							sequence(b, func(b *cryptobyte.Builder) { named(1, 2, 840, 113549, 1, 1, 1)(b); b.AddASN1NULL() })
							b.AddASN1OctetString(value)
						})
					})
				})
			})
		})
		return b.BytesOrPanic()
	}
}

// padded puts something else than zeros behind the value.
func padded(b []byte) []byte {
	i := bytes.LastIndex(b, []byte("00>"))
	c := bytes.Clone(b)
	c[i] = '1'
	return c
}
