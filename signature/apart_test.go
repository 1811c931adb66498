package signature_test

import (
	"bytes"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

func embedded(t testing.TB, content []byte) []byte {
	t.Helper()
	who := signtest.New(t).P384
	der, err := (&cms.Signer{Certificate: who.Certificate, Key: who.Key}).Embedded(t.Context(), content, signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A signature that is kept apart still fits its document, fits no other, and does not hold it.
func TestASignatureApartFromItsDocument(t *testing.T) {
	j := signtest.NewJPKI(t)
	for name, whole := range map[string][]byte{"CMS": embedded(t, document), "JWS": compact(t, j.Sign)} {
		kept, err := signature.Apart(whole, "")
		if err != nil || bytes.Contains(kept, document) || len(kept) >= len(whole) {
			t.Fatalf("%s: %d of %d bytes, %v", name, len(kept), len(whole), err)
		}
		for content, want := range map[string]signature.Integrity{string(document): signature.Intact, "another": signature.Broken} {
			r, err := signature.Verify(t.Context(), signature.Input{Signature: kept, Content: bytes.NewReader([]byte(content))}, signature.Policy{At: signtest.Now, AnchorsNone: true})
			if err != nil || r.Integrity != want {
				t.Errorf("%s over %q: %s, %v", name, content, r.Integrity, err)
			}
		}
	}
	detached := detached(t, j.Sign)
	if kept, err := signature.Apart(detached, signature.FormatCAdES); err != nil || !bytes.Equal(kept, detached) {
		t.Errorf("what is detached already was changed: %v", err)
	}
	xml := []byte(`<a><b>text</b><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/><SignatureValue>AA==</SignatureValue></Signature></a>`)
	if kept, err := signature.Apart(xml, ""); err != nil || !bytes.HasPrefix(kept, []byte("<Signature ")) || !bytes.HasSuffix(kept, []byte("</Signature>")) {
		t.Errorf("the element of XML: %s, %v", kept, err)
	}
	for name, raw := range map[string]string{"XML without a signature": "<a/>", "no PDF": "%PDF-1.7", "nothing": ""} {
		if kept, err := signature.Apart([]byte(raw), ""); err == nil {
			t.Errorf("%s: %q", name, kept)
		} else if k := jitsuin.KindOf(err); k != jitsuin.Invalid && k != jitsuin.Unsupported {
			t.Errorf("%s: kind %v", name, k)
		}
	}
}

// Whatever comes in, what is cut is free of content or refused.
func FuzzApart(f *testing.F) {
	f.Add(embedded(f, []byte("document")))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Add([]byte(`{"payload":"eA","protected":"e30","signature":"AA"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept, err := signature.Apart(raw, "")
		if err != nil {
			return
		}
		if sd, err := cms.Parse(kept); signature.FormatOf(raw) == signature.FormatCMS && err == nil && sd.Embedded {
			t.Error("the content is still there")
		}
	})
}
