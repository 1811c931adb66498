package pades_test

import (
	"bytes"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// What was signed comes back to the octet, whatever the signature says beside it; with anything else in its revision it does not.
func TestOriginal(t *testing.T) {
	for name, style := range styles {
		in := document(style)
		o := options()
		o.Reason, o.Location, o.Contact, o.Form = "契約 (1)", "見本県", "none", pades.PKCS7
		out := mustSign(t, hanako(t), in, o)
		if got, err := pades.Original(out); err != nil || !bytes.Equal(got, in) {
			t.Errorf("%s: %v", name, err)
		}
		twice := mustSign(t, hanako(t), out, options())
		if got, err := pades.Original(twice); err != nil || !bytes.Equal(got, out) {
			t.Errorf("%s, signed twice: %v", name, err)
		}
	}
	in := document(pdftest.Table)
	filled := withForm(forms["an object"], "[28 0 R]")
	o := options()
	o.Field = "Buyer"
	if got, err := pades.Original(mustSign(t, hanako(t), filled, o)); err != nil || !bytes.Equal(got, filled) {
		t.Errorf("an empty field: %v", err)
	}
	sign := func(change func(*pades.Options)) []byte {
		o := options()
		change(&o)
		return mustSign(t, hanako(t), in, o)
	}
	plain := sign(func(*pades.Options) {})
	foreign := pdftest.Simple(pdftest.Table, "a contract")
	foreign.Sign(t, signtest.NewJPKI(t).Sign, pdftest.Sig{})
	more := pdftest.Simple(pdftest.Table, "a contract")
	more.Sign(t, signtest.NewJPKI(t).Sign, pdftest.Sig{Objects: map[int]string{pdftest.Content: pdftest.StreamOf("", "BT /F1 12 Tf 72 770 Td (another) Tj ET")}})
	evidence, err := pades.Preserve(plain, now, pades.Evidence{Certificates: certificates(hanako(t))})
	if err != nil {
		t.Fatal(err)
	}
	archived, err := pades.Archive(t.Context(), in, stamper(t, now), 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing":                         nil,
		"not signed":                      in,
		"a seal":                          sign(func(o *pades.Options) { o.Seal = impression(t, 100, 100) }),
		"a certification":                 sign(func(o *pades.Options) { o.Certify = pades.FormsAndSigns }),
		"a lock":                          sign(func(o *pades.Options) { o.Lock = &pades.Lock{Action: "All"} }),
		"evidence after it":               evidence,
		"a time-stamp alone":              archived,
		"a byte more":                     append(bytes.Clone(plain), '\n'),
		"a comment after it":              append(bytes.Clone(plain), "% more\n"...),
		"another program's":               foreign.Bytes,
		"another page in the same update": more.Bytes,
		"a changed flag":                  bytes.Replace(plain, []byte("/F 132"), []byte("/F 133"), 1),
		"a changed name":                  bytes.Replace(plain, []byte("/SigFlags 3"), []byte("/SigFlags 1"), 1),
	} {
		if got, err := pades.Original(b); got != nil || jitsuin.KindOf(err) != jitsuin.Invalid && jitsuin.KindOf(err) != jitsuin.Conflict {
			t.Errorf("%s: taken, %v", name, err)
		}
	}
}
