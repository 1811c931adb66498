package platform_test

import (
	"bytes"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/jws"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/status"
)

// get fetches what a tenant may see, with headers.
func (b *bank) get(tenant httpapi.Identity, path string, header http.Header) (*http.Response, []byte) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "http://callee"+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = header
	if header == nil {
		req.Header = http.Header{}
	}
	remote := b.Tenant(tenant)
	defer remote.Close()
	resp, err := remote.RoundTrip(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, body
}

func compactJWS(t *testing.T, c platformtest.Credential, payload []byte) []byte {
	t.Helper()
	raw, err := (&jws.Signer{Certificate: c.Cert, Key: c.Key}).Compact(payload)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAReportIsReadAgain(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	good := b.verify(b.signed(hanako))
	spoilt := b.signed(hanako)
	spoilt.Document = []byte("another")
	bad := b.verify(spoilt)
	serial := hanako.Sign.Cert.SerialNumber.Text(16)
	for _, c := range []struct {
		v                  api.Verification
		query, mediaType   string
		header             http.Header
		contains, lacks    string
		begins, disposable string
	}{
		{good, "?purpose=business", "text/html; charset=utf-8", nil, "霧島　花子", serial, "<!doctype html>", ".html"},
		{good, "?format=html&lang=en", "text/html; charset=utf-8", nil, "You can accept this signature.", "受け付けてかまいません", "<!doctype html>", ".html"},
		{good, "?format=text", "text/plain; charset=utf-8", nil, "犯罪収益移転防止法", serial, "有効です。この署名は受け付けられます。\n", ".txt"},
		{good, "?format=json", "application/json", nil, `"action": "accept"`, serial, "{", ".json"},
		{good, "?format=pdf", "application/pdf", nil, "EmbeddedFile", serial, "%PDF-1.7", ".pdf"},
		{good, "", "application/pdf", http.Header{"Accept": {"application/pdf, text/html;q=0"}, "Accept-Language": {"en-GB, ja;q=0.5"}}, "/Lang (en)", serial, "%PDF", ".pdf"},
		{good, "", "text/html; charset=utf-8", http.Header{"Accept": {"*/*"}, "Accept-Language": {"fr"}}, `lang="ja"`, serial, "<", ".html"},
		{bad, "?format=text&lang=en", "text/plain; charset=utf-8", nil, "Do not rely on what the document says", "霧島", "Do not accept it. The signature is not valid.\n", ".txt"},
	} {
		resp, body := b.get(b.tenant, "/v1/verifications/"+string(c.v.ID)+"/report"+c.query, c.header)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != c.mediaType || resp.Header.Get("Cache-Control") != "no-store" ||
			resp.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasSuffix(resp.Header.Get("Content-Disposition"), c.disposable+`"`) ||
			!bytes.Contains(body, []byte(c.contains)) || bytes.Contains(body, []byte(c.lacks)) || !bytes.HasPrefix(body, []byte(c.begins)) {
			t.Errorf("%s %v: %s %v\n%.300s", c.query, c.header, resp.Status, resp.Header, body)
		}
	}
	other := b.Register("tenant:other", "https://other.example")
	for path, who := range map[string]httpapi.Identity{string(good.ID): other, string(jitsuin.NewID()): b.tenant} {
		if resp, body := b.get(who, "/v1/verifications/"+path+"/report", nil); resp.StatusCode != 404 || bytes.Contains(body, []byte("霧島")) {
			t.Errorf("%s for %s: %s", path, who.ID, resp.Status)
		}
	}
	for _, c := range []struct {
		query  string
		header http.Header
	}{{"?format=docx", nil}, {"?lang=fr", nil}, {"", http.Header{"Accept": {"image/png"}}}} {
		if resp, _ := b.get(b.tenant, "/v1/verifications/"+string(good.ID)+"/report"+c.query, c.header); resp.StatusCode < 400 || resp.StatusCode >= 500 {
			t.Errorf("%s %v: %s", c.query, c.header, resp.Status)
		}
	}
	if resp, body := b.get(b.tenant, "/report.schema.json", nil); resp.StatusCode != 200 || !bytes.Equal(body, report.Schema()) {
		t.Errorf("the schema: %s", resp.Status)
	}
}

// The report names the person for a stated purpose, as long as the record is kept, and no longer.
func TestAReportForgetsWithTheRecord(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	request := b.signed(b.Agency.Resident("霧島　花子"))
	request.Purpose = "antique"
	report := "/v1/verifications/" + string(b.verify(request).ID) + "/report?format=text"
	if _, body := b.get(b.tenant, report, nil); bytes.Contains(body, []byte("霧島")) {
		t.Errorf("without a purpose: %s", body)
	}
	if _, body := b.get(b.tenant, report+"&purpose=audit", nil); !bytes.Contains(body, []byte("霧島")) {
		t.Fatalf("%s", body)
	}
	b.advance(3*366*24*time.Hour + 48*time.Hour)
	b.until("the record is gone", `SELECT COUNT(*) FROM vault_records`, 0)
	b.Accredit(minister.InForce)
	if _, body := b.get(b.tenant, report+"&purpose=audit", nil); bytes.Contains(body, []byte("霧島")) || !bytes.HasPrefix(body, []byte("有効です。")) {
		t.Errorf("%s", body)
	}
}

// Every format is taken by one route, and answered alike.
func TestEveryFormatIsTaken(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	token := compactJWS(t, hanako.Sign, document)
	for name, r := range map[string]api.VerificationRequest{
		"JWS": {Signature: token}, "JWS by name": {Signature: token, Format: "jws"}, "JWS as the document": {Document: token},
		"CMS by name": {Signature: hanako.Sign.Over(t, document), Document: document, Format: "cms"}, "CMS with its document as the document": {Document: embed(t, hanako, document)},
	} {
		v := b.verify(r)
		if v.Report.Verdict != signature.Passed || v.Items == nil || v.Record == nil || v.Legal.Action != report.Accept || v.Legal.Letter == "" {
			t.Errorf("%s: %s %v %+v", name, v.Report.Verdict, v.Report.Reasons, v.Legal)
		}
	}
	if n := b.count(`SELECT COUNT(*) FROM vault_records WHERE signature = $1`, token); n != 0 {
		t.Errorf("%d documents lie in the vault", n)
	}
	refused(t, b.verify(api.VerificationRequest{Signature: token, Document: []byte("another")}), signature.Failed, signature.HashFailure)
	refused(t, b.verify(api.VerificationRequest{Signature: token, Format: "pdf"}), signature.Malformed, signature.FormatFailure)
	refused(t, b.verify(api.VerificationRequest{Document: []byte("%PDF-1.7 nothing")}), signature.Malformed, signature.FormatFailure)
	refused(t, b.verify(api.VerificationRequest{Document: []byte("<a/>")}), signature.Failed, signature.FormatFailure)
	refused(t, b.verify(api.VerificationRequest{Signature: compactJWS(t, hanako.Auth, document)}), signature.Failed, signature.ChainConstraints)
	for want, r := range map[string]api.VerificationRequest{
		"signature-missing":  {},
		"request-form":       {Signature: token, Format: "docx"},
		"digest-format":      {Signature: token, DocumentDigest: make([]byte, 32)},
		"file-twice":         {Signature: token, Files: []api.File{{Name: "a", Content: []byte("1")}, {Name: "a", Content: []byte("2")}}},
		"document-too-large": {Signature: token, Document: []byte("x"), Files: []api.File{{Name: "a", Content: make([]byte, 16<<20)}}},
	} {
		if _, err := b.verifyAs(b.tenant, r); jitsuin.CodeOf(err) != want {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}

// A request with another file under one key is another request.
func TestFilesBelongToTheRequest(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	r := api.VerificationRequest{Signature: []byte("<a/>"), Files: []api.File{{Name: "a", Content: []byte("1")}}}
	key := string(jitsuin.NewID())
	first, err := b.verifyWith(b.tenant, key, r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.verifyWith(b.tenant, key, r)
	if err != nil || again.ID != first.ID {
		t.Errorf("repeated: %v, %v", again.ID, err)
	}
	r.Files[0].Content = []byte("2")
	if _, err := b.verifyWith(b.tenant, key, r); jitsuin.KindOf(err) != jitsuin.Conflict {
		t.Errorf("with another file: %v", err)
	}
}

// The PDF is signed with a key of the platform's own, which is drawn once.
func TestAPDFReportIsSealed(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	v := b.verify(b.signed(b.Agency.Resident("霧島　花子")))
	_, pdf := b.get(b.tenant, "/v1/verifications/"+string(v.ID)+"/report?format=pdf", nil)
	_, der := b.get(b.tenant, "/report.cer", nil)
	root, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	_, crl := b.get(b.tenant, "/report.crl", nil)
	lists := &status.Files{Clock: time.Now, Anchors: []*x509.Certificate{root}}
	if err := lists.AddCRL(crl); err != nil {
		t.Fatal(err)
	}
	p := signature.Policy{At: time.Now(), Anchors: []*x509.Certificate{root}, AnyKind: true, Revocation: lists}
	r, err := signature.Verify(t.Context(), signature.Input{Signature: pdf}, p)
	if err != nil || r.Verdict != signature.Passed || len(r.Signatures) != 1 || r.Signatures[0].Coverage != signature.Whole || r.Signatures[0].PDF.Certification != 1 {
		t.Fatalf("%v, %s %v", err, r.Verdict, r.Reasons)
	}
	if inside, err := report.Attached(pdf); err != nil || inside.Legal.Action != report.Accept || inside.MadeBy != platformtest.ID {
		t.Errorf("inside: %+v, %v", inside, err)
	}
	b.Stop()
	b.StartPlatform("sqlite::memory:", nil)
	resp, err := http.Get(b.Origin + "/report.cer")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if again, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(der, again) {
		t.Errorf("after a restart another key seals: %v", err)
	}
}
