package platform

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/records"
)

// maxExport is the size at which an export takes no further record, in bytes of what it holds.
const maxExport = 32 << 20

// exported is a record with what goes with it.
type exported struct {
	record api.FullRecord
	files  []records.File
	report []byte // of the check, as JSON, without the four items
}

func (e exported) size() int {
	n := len(e.report)
	for _, f := range e.files {
		n += f.Size
	}
	return n
}

// export writes a tenant's records into a signed ZIP file: one, or a page of those that q selects. next goes on where the
// file was full, "" at the end. Each record that is in it was read, says the operation log.
func (p *Platform) export(ctx context.Context, tenant string, one jitsuin.ID, q api.RecordQuery, purpose string) (file []byte, next string, err error) {
	var all []exported
	now := p.Clock.Now()
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		if all, next, err = gather(tx, tenant, one, q); err != nil {
			return err
		}
		for _, e := range all {
			if err := noteRead(ctx, tx, now, tenant, e.record.ID, purpose, "export"); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, now, audit.Line{Act: "records-exported", Subject: tenant, Tenant: tenant,
			Detail: map[string]string{"purpose": purpose, "records": strconv.Itoa(len(all))}})
	})
	if err != nil {
		return nil, "", err
	}
	file, err = p.pack(ctx, tenant, purpose, all, next)
	return file, next, err
}

// gather reads what is exported.
func gather(tx *store.Tx, tenant string, one jitsuin.ID, q api.RecordQuery) (all []exported, next string, err error) {
	if one != "" {
		e, err := gatherOne(tx, tenant, one)
		return []exported{e}, "", err
	}
	page, err := records.List(tx, tenant, q)
	if err != nil {
		return nil, "", err
	}
	next = page.Next
	room := maxExport
	for i, h := range page.Records {
		e, err := gatherOne(tx, tenant, h.ID)
		if err != nil {
			return nil, "", err
		}
		if room -= e.size(); room < 0 && i > 0 {
			return all, records.After(page.Records[i-1]), nil
		}
		all = append(all, e)
	}
	return all, next, nil
}

func gatherOne(tx *store.Tx, tenant string, id jitsuin.ID) (e exported, err error) {
	if e.record, err = records.Read(tx, tenant, id); err != nil {
		return e, err
	}
	for _, f := range e.record.Files {
		if f.Name == records.FileStatus {
			continue // it stays; the report says what it said
		}
		file, err := records.ReadFile(tx, tenant, id, f.Name)
		if err != nil {
			return e, err
		}
		e.files = append(e.files, file)
	}
	if e.record.Verification != "" {
		c, err := getEntry(tx, tenant, sortDocument, e.record.Verification)
		if err != nil {
			return e, err
		}
		e.report = []byte(c.report)
	}
	return e, nil
}

// pack writes the file: manifest and its signature first, then the index, then the records.
func (p *Platform) pack(ctx context.Context, tenant, purpose string, all []exported, next string) ([]byte, error) {
	m := api.ExportManifest{Format: api.ExportFormat, Tenant: tenant, Platform: p.cfg.Instance, MadeAt: p.Clock.Now(), Purpose: purpose, Next: next,
		Records: []api.ExportedRecord{}, Files: []api.ExportedFile{}}
	contents := map[string][]byte{}
	add := func(path string, content []byte) {
		sum := sha256.Sum256(content)
		m.Files, contents[path] = append(m.Files, api.ExportedFile{Path: path, Size: len(content), SHA256: hex.EncodeToString(sum[:])}), content
	}
	index, err := indexOf(all)
	if err != nil {
		return nil, err
	}
	add("index.csv", index)
	for _, e := range all {
		m.Records = append(m.Records, api.ExportedRecord{ID: e.record.ID, Kind: e.record.Kind, Entries: e.record.Entries, Head: e.record.Head})
		text, err := json.MarshalIndent(e.record, "", "  ")
		if err != nil {
			return nil, err
		}
		folder := string(e.record.ID) + "/"
		add(folder+"record.json", text)
		for _, f := range e.files {
			add(folder+f.Name+endings[f.MediaType], f.Content)
		}
		if e.report != nil {
			add(folder+"report.json", e.report)
		}
	}
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	signature, err := p.seal(ctx, manifest)
	if err != nil {
		return nil, err
	}
	contents[api.ManifestName], contents[api.ManifestSignature] = manifest, signature
	names := []string{api.ManifestName, api.ManifestSignature}
	for _, f := range m.Files {
		names = append(names, f.Path)
	}
	return zipped(names, contents, p)
}

// endings are how files are called by what they are.
var endings = map[string]string{"application/pkcs7-signature": ".p7s", "application/pkix-cert": ".cer", "application/pdf": ".pdf",
	"application/xml": ".xml", "text/xml; charset=utf-8": ".xml", "application/jose": ".jws", "text/plain; charset=utf-8": ".txt"}

func zipped(names []string, contents map[string][]byte, p *Platform) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.Clock.Now()})
		if err == nil {
			_, err = f.Write(contents[name])
		}
		if err != nil {
			return nil, fmt.Errorf("write the export: %w", err)
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// indexOf writes the index for a spreadsheet, with a byte order mark so that it opens in Japanese everywhere.
func indexOf(all []exported) ([]byte, error) {
	b := bytes.NewBufferString("\ufeff")
	w := csv.NewWriter(b)
	w.Write([]string{"id", "kind", "made_at", "account", "user", "verification", "complete", "keep_until", "held", "entries", "head"})
	for _, e := range all {
		r := e.record
		w.Write([]string{string(r.ID), string(r.Kind), r.MadeAt.In(jitsuin.JST).Format("2006-01-02T15:04:05-07:00"), plainCell(r.Account), r.User, string(r.Verification),
			strconv.FormatBool(r.Complete), r.KeepUntil.String(), strconv.FormatBool(r.Held), strconv.Itoa(r.Entries), r.Head})
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// plainCell keeps a spreadsheet from taking what a tenant wrote for a formula.
func plainCell(s string) string {
	if s != "" && bytes.ContainsAny([]byte(s[:1]), "=+-@\t\r") {
		return "'" + s
	}
	return s
}
