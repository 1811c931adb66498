package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

func certificates(s *pades.Signer) []*x509.Certificate { return []*x509.Certificate{s.Certificate} }

// A signature gets a time-stamp, evidence, and a time-stamp over all, which is renewed later.
func TestLevels(t *testing.T) {
	tsa := signtest.NewTSA(t)
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			s := hanako(t)
			s.Stamper = stamper(t, now)
			out := mustSign(t, s, document(style), options()) // B-T
			judges(t, out, 1)
			for i, e := range [][]pades.Evidence{
				{{Field: "Signature1", Certificates: []*x509.Certificate{signtest.NewJPKI(t).SignCA.Certificate}}, {Certificates: []*x509.Certificate{tsa.Root.Certificate}}},
				{{Field: "Signature2", Certificates: []*x509.Certificate{tsa.Root.Certificate, tsa.Unit.Certificate}}},
			} {
				before := out
				var err error
				if out, err = pades.Preserve(out, now, e...); err != nil { // B-LT
					t.Fatal(err)
				}
				if !bytes.HasPrefix(out, before) {
					t.Fatal("evidence is not appended")
				}
				signatures(t, out)
				before = out
				if out, err = pades.Archive(t.Context(), out, stamper(t, now.Add(time.Duration(i+1)*time.Hour)), 0); err != nil { // B-LTA
					t.Fatal(err)
				}
				if !bytes.HasPrefix(out, before) {
					t.Fatal("the time-stamp is not appended")
				}
			}
			all := signatures(t, out)
			if len(all) != 3 || !all[1].Stamped || !all[2].Stamped || all[2].Coverage != pdf.CoversWhole {
				t.Fatalf("%+v", all)
			}
			file := signtest.Write(t, "lta.pdf", out)
			if answer, err := signtest.Judge(t, "qpdf", "--check", file); err != nil {
				t.Errorf("qpdf: %v\n%s", err, answer)
			}
			answer, _ := signtest.Judge(t, "pdfsig", "-nocert", file) // it does not judge document time-stamps
			if !strings.Contains(answer, "Signature is Valid.") {
				t.Errorf("pdfsig: %s", answer)
			}
			store(t, out)
		})
	}
}

// store looks into the document security store: both signatures named, and no certificate twice.
func store(t *testing.T, document []byte) {
	t.Helper()
	d, err := pdf.Read(document)
	if err != nil {
		t.Fatal(err)
	}
	v := d.Current()
	root, _, err := v.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	dss, err := v.Dict(root.Get("DSS"))
	if err != nil || dss == nil {
		t.Fatal("no DSS", err)
	}
	vri, _ := v.Dict(dss.Get("VRI"))
	certs, _ := v.Array(dss.Get("Certs"))
	if len(vri.Entries) != 2 || len(certs) != 3 || dss.Has("CRLs") || dss.Has("OCSPs") {
		t.Errorf("VRI has %d entries and Certs %d", len(vri.Entries), len(certs))
	}
	for _, e := range vri.Entries {
		if len(e.Key) != 40 || strings.Trim(string(e.Key), "0123456789ABCDEF") != "" {
			t.Errorf("VRI is named %q", e.Key)
		}
	}
}

func TestEvidenceThatIsNone(t *testing.T) {
	signed := mustSign(t, hanako(t), document(pdftest.Table), options())
	some := certificates(hanako(t))
	for name, c := range map[string]struct {
		at   time.Time
		e    []pades.Evidence
		want string
	}{
		"nothing":           {now, nil, "pdf-evidence"},
		"no part":           {now, []pades.Evidence{{Field: "Signature1"}}, "pdf-evidence"},
		"no time":           {time.Time{}, []pades.Evidence{{Certificates: some}}, "pdf-evidence"},
		"a list that isn't": {now, []pades.Evidence{{CRLs: [][]byte{{0x30, 0}}}}, "pdf-evidence"},
		"no response":       {now, []pades.Evidence{{OCSPs: [][]byte{some[0].Raw}}}, "pdf-evidence"},
		"another field":     {now, []pades.Evidence{{Field: "Signature2", Certificates: some}}, "pdf-field"},
	} {
		out, err := pades.Preserve(signed, c.at, c.e...)
		if got := code(t, out, err); got != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := pades.Preserve(signed, now, pades.Evidence{Field: "none", Certificates: some}); jitsuin.KindOf(err) != jitsuin.NotFound {
		t.Error(err)
	}
}

// Status of residents' certificates stays out of documents, unless the caller says by what right it may go in; that of
// other authorities goes in.
func TestArticle52(t *testing.T) {
	j, tsa := signtest.NewJPKI(t), signtest.NewTSA(t)
	signed := mustSign(t, hanako(t), document(pdftest.Table), options())
	list := func(issuer signtest.Identity) []byte {
		template := &cert.CRLTemplate{Issuer: issuer.Certificate, Number: 1, ThisUpdate: now, NextUpdate: now.Add(24 * time.Hour)}
		der, err := template.Build(t.Context(), func(func(cert.CRLEntry) bool) {}, func(_ context.Context, tbs []byte) ([]byte, error) { return certtest.SignTBS(issuer.Key, tbs) })
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	id, err := cert.NewCertID(crypto.SHA1, j.SignCA.Certificate, j.Sign.Certificate.SerialNumber)
	if err != nil {
		t.Fatal(err)
	}
	answer := &cert.OCSPTemplate{Responder: j.SignCA.Certificate, ProducedAt: now, Singles: []cert.OCSPSingle{{ID: id, State: cert.Good, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}}
	response, err := answer.Build(t.Context(), func(_ context.Context, tbs []byte) ([]byte, error) { return certtest.SignTBS(j.SignCA.Key, tbs) })
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		e    pades.Evidence
		want string
	}{
		"a list of residents":     {pades.Evidence{CRLs: [][]byte{list(tsa.Root), list(j.SignCA)}}, "pdf-article-52"},
		"an answer on a resident": {pades.Evidence{OCSPs: [][]byte{response}}, "pdf-article-52"},
		"both, by right":          {pades.Evidence{CRLs: [][]byte{list(j.SignCA)}, OCSPs: [][]byte{response}, ResidentStatus: true}, ""},
		"another authority's":     {pades.Evidence{CRLs: [][]byte{list(tsa.Root)}}, ""},
	} {
		out, err := pades.Preserve(signed, now, c.e)
		if got := code(t, out, err); got != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			signatures(t, out)
		}
	}
}
