package client

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// What is told and asked about records.
type (
	RecordFacts     = api.RecordFacts
	RecordHead      = api.RecordHead
	FullRecord      = api.FullRecord
	RecordQuery     = api.RecordQuery
	RecordPage      = api.RecordPage
	NewRecord       = api.NewRecord
	Amendment       = api.Amendment
	ContractNote    = api.ContractNote
	Hold            = api.Hold
	Destruction     = api.Destruction
	DestructionPage = api.DestructionPage
)

// Purposes for which a record is read.
const (
	ReadBusiness   = api.ReadBusiness
	ReadDisclosure = api.ReadDisclosure
	ReadAuthority  = api.ReadAuthority
	ReadAudit      = api.ReadAudit
	ReadDispute    = api.ReadDispute
)

func values(q RecordQuery) url.Values {
	v := url.Values{}
	for name, text := range map[string]string{"user": q.User, "account": q.Account, "kind": string(q.Kind), "state": q.State,
		"from": q.From.String(), "to": q.To.String(), "after": q.After} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// Records gives a page of this tenant's records, the oldest first, without what stands in them.
func (c *Client) Records(ctx context.Context, q RecordQuery) (RecordPage, error) {
	return httpapi.Do[RecordPage](ctx, c.remote, http.MethodGet, "/v1/records?"+values(q).Encode(), "", nil)
}

// Record reads one record as it stands, and makes sure that its entries are whole and unchanged. purpose is one of
// ReadBusiness and its neighbours, and stands in the platform's operation log.
func (c *Client) Record(ctx context.Context, id jitsuin.ID, purpose string) (FullRecord, error) {
	r, err := onRecord[FullRecord](ctx, c, http.MethodGet, id, "?purpose="+url.QueryEscape(purpose), "", nil)
	if err != nil {
		return r, err
	}
	return r, api.CheckEntries(r.ID, r.Head, r.List)
}

// onRecord calls a route below one record.
func onRecord[O any](ctx context.Context, c *Client, method string, id jitsuin.ID, below, key string, in any) (out O, err error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return out, err
	}
	if method != http.MethodGet && key == "" {
		key = NewRequestID()
	}
	return httpapi.Do[O](ctx, c.remote, method, "/v1/records/"+string(id)+below, key, in)
}

// Names of the files of a record's attachment.
const (
	FileSignature   = "signature"
	FileCertificate = "certificate"
	FileDocument    = "document"
)

// maxExport is the size of the largest file that is taken, in bytes.
const maxExport = 128 << 20

// RecordFile reads a file of a record's attachment: FileSignature, FileCertificate or FileDocument.
func (c *Client) RecordFile(ctx context.Context, id jitsuin.ID, name, purpose string) ([]byte, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return nil, err
	}
	body, _, err := c.download(ctx, "/v1/records/"+string(id)+"/file?"+url.Values{"name": {name}, "purpose": {purpose}}.Encode())
	return body, err
}

// AddRecord makes the record of a transaction beside a confirmation record. requestID is as for Verify.
func (c *Client) AddRecord(ctx context.Context, requestID string, r NewRecord) (RecordHead, error) {
	if requestID == "" {
		requestID = NewRequestID()
	}
	return httpapi.Do[RecordHead](ctx, c.remote, http.MethodPost, "/v1/records", requestID, r)
}

// Amend adds to a record what changed or was missing. requestID is as for Verify.
func (c *Client) Amend(ctx context.Context, requestID string, id jitsuin.ID, a Amendment) (RecordHead, error) {
	return onRecord[RecordHead](ctx, c, http.MethodPost, id, "/amendments", requestID, a)
}

// AddContract tells that a further contract rests on the check of a record.
func (c *Client) AddContract(ctx context.Context, requestID string, id jitsuin.ID, n ContractNote) (RecordHead, error) {
	return onRecord[RecordHead](ctx, c, http.MethodPost, id, "/contracts", requestID, n)
}

// EndContract tells that a contract has ended; KeepUntil of the answer is the record's last day when all have.
func (c *Client) EndContract(ctx context.Context, requestID string, id jitsuin.ID, n ContractNote) (RecordHead, error) {
	return onRecord[RecordHead](ctx, c, http.MethodPost, id, "/contract-end", requestID, n)
}

// HoldRecord keeps a record that is under dispute from being destroyed.
func (c *Client) HoldRecord(ctx context.Context, requestID string, id jitsuin.ID, reason string) (Hold, error) {
	return onRecord[Hold](ctx, c, http.MethodPost, id, "/holds", requestID, api.HoldRequest{Reason: reason})
}

// Holds lists the holds on this tenant's records that are on.
func (c *Client) Holds(ctx context.Context) ([]Hold, error) {
	list, err := httpapi.Do[struct {
		Holds []Hold `json:"holds"`
	}](ctx, c.remote, http.MethodGet, "/v1/record-holds", "", nil)
	return list.Holds, err
}

// AskRelease asks that a hold ends; two people of the platform decide.
func (c *Client) AskRelease(ctx context.Context, requestID string, hold jitsuin.ID, reason string) (Hold, error) {
	if _, err := jitsuin.ParseID(string(hold)); err != nil {
		return Hold{}, err
	}
	if requestID == "" {
		requestID = NewRequestID()
	}
	return httpapi.Do[Hold](ctx, c.remote, http.MethodPost, "/v1/record-holds/"+string(hold)+"/release", requestID, api.ReleaseRequest{Reason: reason})
}

// Destructions gives a page of the certificates of records that were destroyed; after is Next of the page before.
func (c *Client) Destructions(ctx context.Context, after string) (DestructionPage, error) {
	return httpapi.Do[DestructionPage](ctx, c.remote, http.MethodGet, "/v1/record-destructions?"+url.Values{"after": {after}}.Encode(), "", nil)
}

// Destruction gives one certificate with the platform's signature.
func (c *Client) Destruction(ctx context.Context, id jitsuin.ID) (d api.SignedDestruction, err error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return d, err
	}
	return httpapi.Do[api.SignedDestruction](ctx, c.remote, http.MethodGet, "/v1/record-destructions/"+string(id), "", nil)
}

// ExportRecords gives a signed ZIP file of the records that q selects, or of one where id is not "". Where next is not "",
// there are more: put it into After. CheckExport reads it.
func (c *Client) ExportRecords(ctx context.Context, id jitsuin.ID, q RecordQuery, purpose string) (file []byte, next string, err error) {
	v := values(q)
	v.Set("purpose", purpose)
	if id != "" {
		v.Set("record", string(id))
	}
	return c.download(ctx, "/v1/record-exports?"+v.Encode())
}

func (c *Client) download(ctx context.Context, path string) (body []byte, next string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://callee"+path, nil)
	if err != nil {
		return nil, "", err
	}
	resp, err := c.remote.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return nil, "", httpapi.DecodeProblem(resp)
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxExport+1))
	if err != nil || len(body) > maxExport {
		return nil, "", jitsuin.Errorf(jitsuin.Unavailable, "download-cut", "the file was cut short, or has more than %d bytes", maxExport)
	}
	return body, resp.Header.Get("X-Next"), nil
}

// CheckExport makes sure that an export is whole and the platform's: the signature over its manifest leads to root (the
// certificate at /report.cer), every file has the digest that the manifest names, no other is there, and the entries of
// each record follow from each other. It needs no network. The error says what is wrong first, with kind Invalid.
func CheckExport(file []byte, root *x509.Certificate) (m api.ExportManifest, records []FullRecord, err error) {
	bad := func(format string, args ...any) error {
		return jitsuin.Errorf(jitsuin.Invalid, "export-changed", format, args...)
	}
	contents, err := unzip(file)
	if err != nil {
		return m, nil, bad("the export cannot be read: %w", err)
	}
	if err := checkSeal(contents[api.ManifestName], contents[api.ManifestSignature], root); err != nil {
		return m, nil, err
	}
	if err := json.Unmarshal(contents[api.ManifestName], &m); err != nil || m.Format != api.ExportFormat {
		return m, nil, bad("the manifest is none of %s", api.ExportFormat)
	}
	if len(contents) != len(m.Files)+2 {
		return m, nil, bad("the export has %d files and its manifest names %d", len(contents)-2, len(m.Files))
	}
	for _, f := range m.Files {
		sum := sha256.Sum256(contents[f.Path])
		if _, there := contents[f.Path]; !there || hex.EncodeToString(sum[:]) != f.SHA256 {
			return m, nil, bad("the file %s is not what was exported", f.Path)
		}
	}
	for _, e := range m.Records {
		var r FullRecord
		if err := json.Unmarshal(contents[string(e.ID)+"/record.json"], &r); err != nil || r.ID != e.ID {
			return m, nil, bad("the record %s is not in the export", e.ID)
		}
		if err := api.CheckEntries(e.ID, e.Head, r.List); err != nil {
			return m, nil, err
		}
		records = append(records, r)
	}
	return m, records, nil
}

func unzip(file []byte) (map[string][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	contents, room := map[string][]byte{}, int64(2*maxExport)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(io.LimitReader(r, room+1))
		r.Close()
		if room -= int64(len(content)); err != nil || room < 0 {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "export-size", "the export holds more than %d bytes", 2*maxExport)
		}
		if _, twice := contents[f.Name]; twice {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "export-twice", "two files have one name")
		}
		contents[f.Name] = content
	}
	return contents, nil
}

// checkSeal checks a signature of the platform's own over data: one signer, whose certificate leads to root.
func checkSeal(content, der []byte, root *x509.Certificate) error {
	bad := func(why string) error {
		return jitsuin.Errorf(jitsuin.Invalid, "seal", "the platform's signature does not hold: %s", why)
	}
	sd, err := cms.Parse(der)
	if err != nil || len(sd.Signers) != 1 {
		return bad("there is none that can be read")
	}
	d, err := sd.Digest(context.Background(), bytes.NewReader(content))
	if err != nil {
		return bad("the data cannot be read")
	}
	r := sd.Verify(sd.Signers[0], d, nil)
	if !r.Intact() {
		return bad("the data were changed")
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	if _, err := r.Certificate.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: r.Certificate.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return bad("its certificate does not lead to the one that is trusted")
	}
	return nil
}

// CheckDestruction makes sure that a certificate of destruction is the platform's and says what it says: root is the
// certificate at /report.cer.
func CheckDestruction(d api.SignedDestruction, root *x509.Certificate) error {
	if err := checkSeal(d.Statement, d.Signature, root); err != nil {
		return err
	}
	var stated Destruction
	said, err := json.Marshal(d.Destruction)
	if err == nil {
		err = json.Unmarshal(d.Statement, &stated)
	}
	if again, _ := json.Marshal(stated); err != nil || !bytes.Equal(again, said) {
		return jitsuin.Errorf(jitsuin.Invalid, "seal", "what was signed is another certificate of destruction")
	}
	return nil
}
