package platform_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/platform/records"
	"github.com/jitsuin/jitsuin/rules"
)

// canaries are words and bytes that stand nowhere but in one record.
func canaries(p *platformtest.Person, request api.VerificationRequest) map[string][]byte {
	return map[string][]byte{
		"name": []byte(p.Items.Name), "address": []byte("鳴鳥町"), "account": []byte("CANARY-4477"), "occupation": []byte("金糸雀の飼育"),
		"contract": []byte("CANARY-CONTRACT"), "amendment": []byte("黄色い鳥"), "why it was held": []byte("鳥かごの訴訟"),
		"certificate": p.Sign.Cert.Signature, "signature": request.Signature[len(request.Signature)-200:], "document": []byte("カナリアの申込書"),
	}
}

// files reads every file of the platform: database, its log, and the state folder.
func (b *bank) files(t *testing.T, url string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	roots := []string{b.Config(platformtest.ID, "").State}
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		roots = append(roots, filepath.Dir(path))
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			all[path], err = os.ReadFile(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for table, rows := range b.dump(t) {
		all["table "+table] = []byte(rows)
	}
	return all
}

// found gives what of the canaries is in which file.
func found(files map[string][]byte, words map[string][]byte) (where []string) {
	for name, content := range files {
		for what, word := range words {
			if bytes.Contains(content, word) {
				where = append(where, what+" in "+name)
			}
		}
	}
	return where
}

// A record past its time is gone from every store: not a byte of it is in any file of the platform's or any table, while
// what has to be kept is there. Its certificate of destruction names nobody.
func TestARecordPastItsTimeIsGoneFromEveryStore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		bird := b.Agency.Resident("鳴海　金糸雀")
		bird.Items.Address = "霞県朝霧野市鳴鳥町４４７７番地"
		b.Agency.Reissue(bird, jitsuin.SignCert, nil)
		document := []byte("カナリアの申込書。" + strings.Repeat("歌う。", 3000))
		request := api.VerificationRequest{Document: document, Signature: bird.Sign.Over(t, document), Purpose: "account"}
		request.Record = &api.RecordFacts{Contract: "CANARY-CONTRACT", KeepDocument: true, Items: map[string]string{"account-number": "CANARY-4477", "occupation": "金糸雀の飼育"}}
		words := canaries(bird, request)
		others := b.crowd(t, 12)
		v, err := b.verifyWith(b.tenant, "canary-canary", request)
		if err != nil {
			t.Fatal(err)
		}
		id := v.Record.ID
		others = append(others, b.crowd(t, 12)...)
		if _, err := b.post(id, "/amendments", api.Amendment{Reason: "黄色い鳥", Items: map[string]string{"purpose": "黄色い鳥"}}); err != nil {
			t.Fatal(err)
		}
		hold := b.holdOn(t, id, "鳥かごの訴訟")
		b.read(id)
		b.get(b.tenant, "/v1/record-exports?purpose=audit&record="+string(id), nil)
		if h, err := b.post(id, "/contract-end", api.ContractNote{EndedOn: jitsuin.DateOf(v.CheckedAt)}); err != nil || h.KeepUntil.IsZero() {
			t.Fatalf("%+v, %v", h, err)
		}
		if where := found(b.files(t, url), words); len(where) < len(words) {
			t.Fatalf("the search finds only %v before", where)
		}

		b.to(b.read(id).KeepUntil.AddDays(1).Start()) // a held record outlives its time
		if n := b.count(`SELECT COUNT(*) FROM vault_records`); n != len(others)+1 {
			t.Fatalf("%d records", n)
		}
		if b.read(id).Holds[0].Reason != "鳥かごの訴訟" {
			t.Error("the held record is not there as it was")
		}
		b.ends(t, hold)
		b.until("the record is destroyed and its traces cleaned away", `SELECT COUNT(*) FROM record_destructions WHERE cleaned_at > 0`, 1)
		if where := found(b.files(t, url), words); len(where) > 0 {
			t.Errorf("of the destroyed record there is still %v", where)
		}
		if !strings.Contains(b.dump(t)["record_destructions"], string(id)) || strings.Contains(b.Log.String(), "金糸雀") {
			t.Error("no certificate, or a name in the log")
		}
		for _, other := range others { // what has to be kept is there and whole
			if r := b.read(other); value(r.Items, "name") == "" || len(r.Files) != 3 {
				t.Errorf("another record: %+v", r)
			}
		}
		if resp, _ := b.get(b.tenant, "/v1/records/"+string(id)+"?purpose=audit", nil); resp.StatusCode != 404 {
			t.Errorf("the destroyed record: %s", resp.Status)
		}
		b.Accredit(minister.InForce)
		again, err := b.verifyWith(b.tenant, "canary-canary", request)
		if err != nil || again.ID != v.ID || again.Record != nil || again.Items == nil {
			t.Errorf("the request repeated after that: %+v, %v", again, err)
		}
		if where := found(b.files(t, url), words); len(where) > 0 {
			t.Errorf("after a repetition there is again %v", where)
		}
		b.certifies(t, v.Record.ID)
	})
}

// crowd has records of several other people made.
func (b *bank) crowd(t *testing.T, n int) (ids []jitsuin.ID) {
	t.Helper()
	for i := range n {
		who := b.Agency.Resident("霧島　花子")
		r := b.signed(who)
		r.Record = &api.RecordFacts{Contract: fmt.Sprint("C-", i), Items: map[string]string{"account-number": string(jitsuin.NewID())}}
		ids = append(ids, b.verify(r).Record.ID)
	}
	return ids
}

func (b *bank) holdOn(t *testing.T, id jitsuin.ID, reason string) (h api.Hold) {
	t.Helper()
	if err := b.once(b.tenant, "/v1/records/"+string(id)+"/holds", string(jitsuin.NewID()), api.HoldRequest{Reason: reason}, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

// to moves the civil clock to an instant.
func (b *bank) to(at time.Time) { b.Platform.Clock.Set(time.Until(at)) }

// ends ends a hold as two people do, at a time at which no card of this world is good any more.
func (b *bank) ends(t *testing.T, h api.Hold) {
	t.Helper()
	err := b.Platform.DB.Update(t.Context(), func(tx *store.Tx) error {
		_, err := records.End(tx, h.ID, "one", "two", b.Platform.Clock.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Platform.PokeJobs()
}

// A hold is ended by two people of the office. The tenant can only ask, and nobody does it alone.
func TestTwoPeopleEndAHold(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	h := b.holdOn(t, b.verify(b.signedFor(rules.PurposeAccount)).Record.ID, "鳥かごの訴訟")
	var got api.Hold
	if err := b.once(b.tenant, "/v1/record-holds/"+string(h.ID)+"/release", string(jitsuin.NewID()), api.ReleaseRequest{Reason: "和解"}, &got); err != nil || got.State != api.HoldAsked {
		t.Fatalf("asked: %+v, %v", got, err)
	}
	first, second, auditor := b.joined("記録 一郎", "records-desk"), b.joined("記録 二郎", "records-desk"), b.joined("監査 三郎", "auditor")
	status, page := auditor.get("/office/holds")
	auditor.see(page, string(h.Record), "鳥かごの訴訟", "和解")
	if strings.Contains(page, "保全を解くことを提案する") || status != 200 {
		t.Errorf("an auditor may propose the release: %d", status)
	}
	_, page = first.get("/office/holds")
	first.see(page, string(h.Record), "保全を解くことを提案する")
	if status, _ := first.post("/office/holds/"+string(h.ID)+"/release", nil); status != 422 {
		t.Errorf("without a reason: %d", status)
	}
	_, page = first.post("/office/holds/"+string(h.ID)+"/release", url.Values{"reason": {"和解を確認"}})
	first.see(page, "提案しました", "別の人")
	proposal := b.text(`SELECT id FROM office_proposal WHERE subject = $1`, h.ID)
	if status, page := first.post("/office/approvals/"+proposal, url.Values{"decision": {"approve"}, "reason": {"自分で"}}); status != 403 || !strings.Contains(page, "same-person") {
		t.Errorf("alone: %d %s", status, page)
	}
	if n := b.count(`SELECT COUNT(*) FROM vault_records WHERE held = 1`); n != 1 {
		t.Fatalf("%d held", n)
	}
	_, page = second.get("/office/approvals/" + proposal)
	second.see(page, string(h.Record), "和解を確認", "鳥かごの訴訟")
	_, page = second.post("/office/approvals/"+proposal, url.Values{"decision": {"approve"}, "reason": {"書面を見た"}})
	second.see(page, "承認しました")
	r := b.read(h.Record)
	if r.Held || len(r.Holds) != 1 || r.Holds[0].State != api.HoldReleased || !strings.Contains(r.Holds[0].ReleasedBy, "記録 一郎") || !strings.Contains(r.Holds[0].ReleasedBy, "記録 二郎") {
		t.Errorf("%+v", r.Holds)
	}
	err := b.once(b.tenant, "/v1/record-holds/"+string(h.ID)+"/release", string(jitsuin.NewID()), api.ReleaseRequest{Reason: "x"}, nil)
	code(t, err, jitsuin.Conflict, "hold-released")
}

// root gives the certificate that whoever relies on the platform's signatures trusts.
func (b *bank) root(t *testing.T) []byte {
	t.Helper()
	_, der := b.get(b.tenant, "/report.cer", nil)
	return der
}

// certifies wants a signed certificate of destruction of a record, and near copies to be refused.
func (b *bank) certifies(t *testing.T, record jitsuin.ID) {
	t.Helper()
	_, body := b.get(b.tenant, "/v1/record-destructions", nil)
	var page api.DestructionPage
	if err := json.Unmarshal(body, &page); err != nil || len(page.Destructions) != 1 {
		t.Fatalf("%s, %v", body, err)
	}
	_, body = b.get(b.tenant, "/v1/record-destructions/"+string(page.Destructions[0].ID), nil)
	var d api.SignedDestruction
	root, err := cert.Parse(b.root(t))
	if err != nil || json.Unmarshal(body, &d) != nil {
		t.Fatal(err)
	}
	if err := client.CheckDestruction(d, root); err != nil || d.Record != record || d.Rule != "keep-confirmation" || d.CleanedAt == nil || d.Entries != 3 {
		t.Errorf("%+v, %v", d.Destruction, err)
	}
	d.Record = jitsuin.NewID()
	if client.CheckDestruction(d, root) == nil {
		t.Error("a certificate of another record passes")
	}
}

// The last day is a day in Japan: at its last second the record is there, a second later it is not.
func TestTheLastDayIsADayInJapan(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	v := b.verify(b.signedFor(rules.PurposeAntique))
	last := v.Record.KeepUntil
	if last.Year != jitsuin.DateOf(v.CheckedAt).Year+3 {
		t.Fatalf("kept until %s", last)
	}
	b.to(last.AddDays(1).Start().Add(-2 * time.Second).Add(-time.Minute))
	due, ok, err := b.Platform.NextRecordEnd(t.Context())
	if err != nil || !ok || !due.Equal(last.AddDays(1).Start()) || b.count(`SELECT COUNT(*) FROM vault_records`) != 1 {
		t.Fatalf("due at %v (%v, %v)", due, ok, err)
	}
	b.to(last.AddDays(1).Start())
	b.until("the record is gone", `SELECT COUNT(*) FROM vault_records`, 0)
}

// An auditor finds the evidence of all tenants for a stated purpose, sees no four items, and stands in the log.
func TestAnAuditorSearchesTheEvidence(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		other := b.Register("tenant:other", "https://other.example")
		mine := b.verify(b.signedFor(rules.PurposeAccount))
		theirs, err := b.verifyAs(other, b.signedFor(rules.PurposeContract))
		if err != nil {
			t.Fatal(err)
		}
		spoilt := b.signedFor(rules.PurposeAccount)
		spoilt.Document = []byte("another")
		bad := b.verify(spoilt)
		auditor := b.As("minister:1")
		defer auditor.Close()
		search := func(q api.EvidenceQuery) (a api.EvidenceAnswer) {
			q.Purpose, q.Reason = "supervision", "立入検査 第3号"
			if err := auditor.Call(t.Context(), "POST", "/v1/evidence-searches", string(jitsuin.NewID()), q, &a); err != nil {
				t.Fatal(err)
			}
			text, _ := json.Marshal(a)
			for _, word := range []string{"霧島", mine.Items.Address, "1980-02-17"} {
				if bytes.Contains(text, []byte(word)) {
					t.Errorf("an auditor is told %q", word)
				}
			}
			return a
		}
		all := search(api.EvidenceQuery{})
		if len(all.Lines) != 3 || all.Lines[0].Verification != mine.ID || all.Lines[1].Tenant != "tenant:other" || all.Lines[2].Verdict != string(bad.Report.Verdict) {
			t.Fatalf("%+v", all.Lines)
		}
		if l := all.Lines[0]; l.Method == nil || !strings.Contains(l.Method.JA, "6条1項1号カ") || l.Record == nil || l.Record.Complete || l.Digest == "" || all.Lines[2].Method != nil || all.Lines[2].Record != nil {
			t.Errorf("%+v", l)
		}
		sum := sha256.Sum256(document)
		for name, c := range map[string]struct {
			q    api.EvidenceQuery
			want int
		}{
			"digest": {api.EvidenceQuery{Digest: strings.ToUpper(hex.EncodeToString(sum[:]))}, 2}, "tenant": {api.EvidenceQuery{Tenant: "tenant:other"}, 1},
			"record": {api.EvidenceQuery{Record: theirs.Record.ID}, 1}, "another tenant's record": {api.EvidenceQuery{Record: theirs.Record.ID, Tenant: "tenant:bank"}, 0},
			"verdict": {api.EvidenceQuery{Verdict: "TOTAL-FAILED"}, 1}, "use": {api.EvidenceQuery{Use: rules.PurposeContract}, 1}, "user": {api.EvidenceQuery{User: mine.User.ID}, 1},
			"yesterday": {api.EvidenceQuery{To: jitsuin.DateOf(mine.CheckedAt).AddDays(-1)}, 0}, "today": {api.EvidenceQuery{From: jitsuin.DateOf(mine.CheckedAt)}, 3},
		} {
			if got := search(c.q); len(got.Lines) != c.want {
				t.Errorf("by %s: %d lines, want %d", name, len(got.Lines), c.want)
			}
		}
		first := search(api.EvidenceQuery{Limit: 2})
		rest := search(api.EvidenceQuery{Limit: 2, After: first.Next})
		if len(first.Lines) != 2 || first.Next == "" || len(rest.Lines) != 1 || rest.Next != "" || rest.Lines[0].Verification != bad.ID {
			t.Errorf("page by page: %+v, %+v", first, rest)
		}
		n := b.count(`SELECT COUNT(*) FROM (SELECT body FROM feed_outbox UNION ALL SELECT body FROM feed_events) AS lines WHERE body LIKE $1 AND body LIKE $2`,
			`%"act":"evidence-searched"%`, `%立入検査%`)
		if n != 12 {
			t.Errorf("%d lines of the log tell of 12 searches", n)
		}
		code(t, auditor.Call(t.Context(), "POST", "/v1/evidence-searches", "key-0001", api.EvidenceQuery{Reason: "立入検査"}, nil), jitsuin.Invalid, "request-form")
	})
}

// The office holds a record and searches the evidence on its pages.
func TestTheOfficeHoldsAndSearches(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	v := b.verify(b.signedFor(rules.PurposeAccount))
	desk, auditor := b.joined("記録 一郎", "records-desk"), b.joined("監査 三郎", "auditor")
	if status, page := desk.post("/office/holds", url.Values{"record": {string(jitsuin.NewID())}, "reason": {"訴訟の通知"}}); status != 422 || !strings.Contains(page, "この番号の記録はありません") {
		t.Errorf("a record that is not there: %d %s", status, page)
	}
	_, page := desk.post("/office/holds", url.Values{"record": {string(v.Record.ID)}, "reason": {"訴訟の通知"}})
	desk.see(page, "保全しました", string(v.Record.ID), "訴訟の通知", "tenant:bank")
	if r := b.read(v.Record.ID); !r.Held || len(r.Holds) != 1 || !strings.Contains(r.Holds[0].PlacedBy, "記録 一郎") {
		t.Errorf("%+v", r.Holds)
	}
	_, page = auditor.get("/office/records")
	auditor.see(page, "証跡照会", "照会の根拠")
	if status, _ := auditor.post("/office/records", url.Values{"purpose": {"audit"}}); status != 422 {
		t.Errorf("without a reason: %d", status)
	}
	for _, id := range []string{string(v.Record.ID), string(v.ID)} {
		_, page = auditor.post("/office/records", url.Values{"purpose": {"audit"}, "reason": {"年次監査 第2項"}, "id": {id}})
		auditor.see(page, string(v.ID), string(v.Record.ID), "TOTAL-PASSED", "6条1項1号カ", "確認記録", "係争中", "未記載あり", "契約の終了まで保存")
		if strings.Contains(page, v.Items.Name) || strings.Contains(page, v.Items.Address) {
			t.Error("an auditor is told who it is")
		}
	}
	_, page = auditor.post("/office/records", url.Values{"purpose": {"audit"}, "reason": {"年次監査 第2項"}, "tenant": {"tenant:nobody"}})
	auditor.see(page, "当てはまる証跡はありません")
	if n := b.count(`SELECT COUNT(*) FROM (SELECT body FROM feed_outbox UNION ALL SELECT body FROM feed_events) AS lines WHERE body LIKE $1 AND body LIKE $2 AND body LIKE $3`,
		`%"act":"evidence-searched"%`, `%年次監査 第2項%`, `%監査 三郎%`); n != 3 {
		t.Errorf("%d lines of 3 searches", n)
	}
}

// An export is whole by its manifest, signed by the platform: openssl says so, the client says so, and what was changed is found.
func TestAnExportProvesItself(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	request := b.signedFor(rules.PurposeAccount)
	request.Record = &api.RecordFacts{KeepDocument: true, Items: map[string]string{"account-number": "=1+2"}}
	v := b.verify(request)
	b.verify(b.signedFor(rules.PurposeContract))
	resp, file := b.get(b.tenant, "/v1/record-exports?purpose=authority", nil)
	root, err := cert.Parse(b.root(t))
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s %v", resp.Status, err)
	}
	m, list, err := client.CheckExport(file, root)
	if err != nil || len(list) != 2 || list[0].ID != v.Record.ID || m.Purpose != "authority" || m.Tenant != "tenant:bank" {
		t.Fatalf("%+v, %v", m, err)
	}
	b.readings(t, v.Record.ID, "authority")
	contents := unzipped(t, file)
	if !bytes.Contains(contents["index.csv"], []byte("'=1+2")) || string(contents[string(v.Record.ID)+"/document.txt"]) != string(document) ||
		contents[string(v.Record.ID)+"/status"] != nil || bytes.Contains(contents[string(v.Record.ID)+"/report.json"], []byte("霧島")) {
		t.Errorf("what is in it: %v", m.Files)
	}
	for name, content := range contents {
		changed := map[string][]byte{}
		for k, c := range contents {
			changed[k] = c
		}
		changed[name] = append(bytes.Clone(content), ' ')
		if strings.HasSuffix(name, ".p7s") && name == api.ManifestSignature {
			changed[name] = bytes.Clone(content)
			changed[name][len(content)-9] ^= 1
		}
		if _, _, err := client.CheckExport(pack(t, changed), root); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s was changed: %v", name, err)
		}
		delete(changed, name)
		if _, _, err := client.CheckExport(pack(t, changed), root); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s was taken out: %v", name, err)
		}
	}
	if openssl, err := exec.LookPath("openssl"); err == nil {
		dir := t.TempDir()
		for name, content := range map[string][]byte{"m.json": contents[api.ManifestName], "m.p7s": contents[api.ManifestSignature]} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		pem, err := exec.Command(openssl, "x509", "-inform", "DER", "-in", writeFile(t, dir, "root.cer", root.Raw), "-out", filepath.Join(dir, "root.pem")).CombinedOutput()
		if err != nil {
			t.Fatalf("%s", pem)
		}
		out, err := exec.Command(openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", filepath.Join(dir, "m.p7s"), "-content", filepath.Join(dir, "m.json"),
			"-CAfile", filepath.Join(dir, "root.pem"), "-purpose", "any", "-out", os.DevNull).CombinedOutput()
		if err != nil {
			t.Errorf("openssl refuses the manifest: %s", out)
		}
	} else if os.Getenv("CI") == "true" {
		t.Fatal("the judge openssl is missing")
	}
}

func writeFile(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func unzipped(t *testing.T, file []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
		contents[f.Name] = b.Bytes()
	}
	return contents
}

func pack(t *testing.T, contents map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range contents {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
