package pades_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// Every way to write a cross-reference is continued in its own way, in both forms and with both suites of keys; programs
// that we did not write agree.
func TestSigning(t *testing.T) {
	j := signtest.NewJPKI(t)
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			for _, form := range []pades.Form{pades.CAdES, pades.PKCS7} {
				for _, who := range []signtest.Identity{j.Sign, j.P384} {
					s := &pades.Signer{Certificate: who.Certificate, Key: who.Key}
					o := options()
					o.Form, o.Reason, o.Location, o.Contact = form, "契約 (1) \\", "見本県", "none"
					out := mustSign(t, s, document(style), o)
					all := signatures(t, out)
					if len(all) != 1 || all[0].Coverage != pdf.CoversWhole || all[0].SubFilter != pdf.Name(form) || all[0].Fields[0] != "Signature1" {
						t.Fatalf("%s: %+v", form, all)
					}
					for key, want := range map[pdf.Name]string{"Name": o.Name, "Reason": o.Reason, "Location": o.Location, "ContactInfo": "none", "M": "D:20261124120405+09'00'"} {
						if got := all[0].Text(key); got != want {
							t.Errorf("/%s is %q", key, got)
						}
					}
					attributes(t, all[0].Contents, form)
					judges(t, out, 1)
				}
			}
		})
	}
}

// attributes holds CMS to its form: PAdES names the certificate and leaves the time out, the other has it.
func attributes(t *testing.T, der []byte, form pades.Form) {
	t.Helper()
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if _, timed, _ := sd.Signers[0].SigningTime(); timed != (form == pades.PKCS7) || !sd.Signers[0].CAdES() {
		t.Errorf("%s: signing-time %t, signing-certificate %t", form, timed, sd.Signers[0].CAdES())
	}
}

// Several people sign one after another; each signature covers those before it, and all hold.
func TestSeveralSignatures(t *testing.T) {
	j := signtest.NewJPKI(t)
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			out := document(style)
			for i, who := range []signtest.Identity{j.Sign, j.P384, j.Sign} {
				o := options()
				if i == 0 { // a seal that is new after a signature might hide what was signed: see TestLaterSeals
					o.Seal = impression(t, 100, 100)
				}
				out = mustSign(t, &pades.Signer{Certificate: who.Certificate, Key: who.Key}, out, o)
			}
			all := signatures(t, out)
			if len(all) != 3 || all[0].Coverage != pdf.CoversRevision || all[2].Coverage != pdf.CoversWhole || all[2].Fields[0] != "Signature3" {
				t.Fatalf("%+v", all)
			}
			judges(t, out, 3)
			for i := range 3 { // and none holds over a changed byte of what the first covers
				bad := bytes.Clone(out)
				bad[200+i]++
				file := signtest.Write(t, "bad.pdf", bad)
				if answer, _ := signtest.Judge(t, "pdfsig", "-nocert", file); strings.Contains(answer, "Signature is Valid.") {
					t.Errorf("pdfsig accepts a changed document:\n%s", answer)
				}
			}
		})
	}
}

// After a signature a seal goes into a field that was there already: its place was signed too. In a new field it is put only
// where every earlier signature still holds for a verifier.
func TestLaterSeals(t *testing.T) {
	first := mustSign(t, hanako(t), withForm(forms["an object"], "[28 0 R]"), options())
	o := options()
	o.Field, o.Seal = "Buyer", impression(t, 0, 0)
	second := mustSign(t, hanako(t), first, o)
	if all := signatures(t, second); len(all) != 2 {
		t.Errorf("%d signatures", len(all))
	}
	judges(t, second, 2)
	o = options()
	o.Seal = impression(t, 72, 750) // over the words
	out, err := hanako(t).Sign(t.Context(), first, o)
	if code(t, out, err) != "pdf-forbidden" {
		t.Errorf("a new seal over what was signed: %v", err)
	}
}

// A certification says what others may do afterwards; only the first signature certifies.
func TestCertification(t *testing.T) {
	for permission, further := range map[pades.Permission]string{pades.NoChanges: "pdf-certified", pades.FormsAndSigns: "", pades.Annotations: ""} {
		o := options()
		o.Certify = permission
		certified := mustSign(t, hanako(t), document(pdftest.Packed), o)
		if all := signatures(t, certified); len(all) != 1 || all[0].Certification != int(permission) {
			t.Errorf("certification %d is read as %+v", permission, all)
		}
		judges(t, certified, 1)
		out, err := hanako(t).Sign(t.Context(), certified, options())
		if got := code(t, out, err); got != further {
			t.Errorf("after certification %d: %q %v", permission, got, err)
		}
		if err == nil {
			signatures(t, out)
			judges(t, out, 2)
		}
		for what, again := range map[string]func() ([]byte, error){
			"a second certification": func() ([]byte, error) { return hanako(t).Sign(t.Context(), certified, o) },
			"evidence": func() ([]byte, error) {
				return pades.Preserve(certified, now, pades.Evidence{Certificates: certificates(hanako(t))})
			},
			"a time-stamp": func() ([]byte, error) { return pades.Archive(t.Context(), certified, stamper(t, now), 0) },
		} {
			out, err := again()
			want := further
			if what == "a second certification" {
				want = "pdf-signed"
			}
			if got := code(t, out, err); got != want && !(permission == pades.NoChanges && got == "pdf-certified") {
				t.Errorf("%s after certification %d: %v", what, permission, err)
			}
		}
	}
}

// A lock keeps fields from changing, later signatures among them.
func TestLocks(t *testing.T) {
	for _, c := range []struct {
		lock  pades.Lock
		field string
		want  string
	}{
		{pades.Lock{Action: "All"}, "", "pdf-locked"},
		{pades.Lock{Action: "Include", Fields: []string{"B"}}, "B", "pdf-locked"},
		{pades.Lock{Action: "Include", Fields: []string{"B"}}, "C", ""},
		{pades.Lock{Action: "Exclude", Fields: []string{"B"}}, "B", ""},
		{pades.Lock{Action: "Exclude", Fields: []string{"B"}}, "C", "pdf-locked"},
	} {
		o := options()
		o.Lock = &c.lock
		locked := mustSign(t, hanako(t), document(pdftest.Table), o)
		judges(t, locked, 1)
		next := options()
		next.Field = c.field
		out, err := hanako(t).Sign(t.Context(), locked, next)
		if got := code(t, out, err); got != c.want {
			t.Errorf("%+v, field %q: %v", c.lock, c.field, err)
		}
		if err == nil {
			signatures(t, out)
		}
	}
}
