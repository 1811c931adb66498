package platform_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

// facts are what a tenant knows of a record: a word for each member that the list asks for and the check does not find.
func facts(missing []api.RecordGap) map[string]string {
	items := map[string]string{}
	for _, m := range missing {
		items[m.Key] = "事業者の記載 " + m.Key
	}
	return items
}

// read reads a record of the bank.
func (b *bank) read(id jitsuin.ID) (r api.FullRecord) {
	b.t.Helper()
	if err := b.Tenant(b.tenant).Call(b.t.Context(), "GET", "/v1/records/"+string(id)+"?purpose=audit", "", nil, &r); err != nil {
		b.t.Fatal(err)
	}
	if err := api.CheckEntries(r.ID, r.Head, r.List); err != nil {
		b.t.Error(err)
	}
	return r
}

// post changes a record of the bank.
func (b *bank) post(id jitsuin.ID, below string, in any) (h api.RecordHead, err error) {
	b.t.Helper()
	err = b.once(b.tenant, "/v1/records/"+string(id)+below, string(jitsuin.NewID()), in, &h)
	return h, err
}

func (b *bank) signedFor(purpose rules.Purpose) api.VerificationRequest {
	r := b.signed(b.Agency.Resident("霧島　花子"))
	r.Purpose = string(purpose)
	return r
}

// A record of each kind is compared with the law's list: what the check finds is there, what only the tenant knows is
// missing by name and article, and with it the record is complete.
func TestARecordOfEachKindHasWhatTheLawAsksFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		today := jitsuin.DateOf(b.Platform.Clock.Now())
		for _, c := range []struct {
			purpose rules.Purpose
			kind    rules.Record
			missing string
			method  string
		}{
			{rules.PurposeAccount, rules.RecordConfirmation, "checked-by made-by declared-at transaction purpose occupation account-number", "6条1項1号カ"},
			{rules.PurposeMobile, rules.RecordMobile, "checked-by made-by", "3条1項1号ト"},
			{rules.PurposeMobileRental, rules.RecordMobile, "checked-by made-by devices telephone-numbers", "3条1項1号ト"},
			{rules.PurposeAntique, rules.RecordAntique, "traded-on goods features occupation", "15条3項11号"},
			{rules.PurposeContract, rules.RecordContract, "", "公的個人認証法2条1項・17条"},
			{rules.PurposeLatestItems, rules.RecordConsent, "service", "-"},
		} {
			request := b.signedFor(c.purpose)
			v := b.verify(request)
			if v.Record == nil || v.Record.Kind != string(c.kind) || v.Record.Complete != (c.missing == "") || keys(v.Record.Missing) != c.missing {
				t.Errorf("%s: %+v, want %q missing", c.purpose, v.Record, c.missing)
				continue
			}
			for _, m := range v.Record.Missing {
				if m.Law.JA == "" || m.Law.EN == "" || m.Text.JA == "" || m.Sure == "" {
					t.Errorf("%s: the gap %q does not say where it comes from: %+v", c.purpose, m.Key, m)
				}
			}
			if c.missing != "" {
				h, err := b.post(v.Record.ID, "/amendments", api.Amendment{By: "本人確認課 佐倉", Reason: "作成時に未記載の事項", Items: facts(v.Record.Missing)})
				if err != nil || !h.Complete || h.Entries != 2 {
					t.Errorf("%s: %+v, %v", c.purpose, h, err)
				}
			}
			r := b.read(v.Record.ID)
			var want []string
			for _, m := range rules.MembersOf(c.kind, today, rules.CasesOf(c.purpose)...) {
				want = append(want, m.Key)
				if value(r.Items, m.Key) == "" {
					t.Errorf("%s: the record lacks %q", c.purpose, m.Key)
				}
			}
			if len(r.Items) != len(want) || len(r.Missing) != 0 || !r.Complete {
				t.Errorf("%s: %d members, the law has %d; missing %v", c.purpose, len(r.Items), len(want), keys(r.Missing))
			}
			if c.method != "-" && !strings.Contains(value(r.Items, rules.MemberMethod), c.method) {
				t.Errorf("%s: by which method? %s", c.purpose, value(r.Items, rules.MemberMethod))
			}
			if (r.CompleteBy != nil) != (c.purpose == rules.PurposeMobileRental) || r.CompleteBy != nil && *r.CompleteBy != today.AddDays(3) {
				t.Errorf("%s: complete by %v", c.purpose, r.CompleteBy)
			}
		}
	})
}

func keys(gaps []api.RecordGap) string {
	var all []string
	for _, g := range gaps {
		all = append(all, g.Key)
	}
	return strings.Join(all, " ")
}

func value(items []api.RecordItem, key string) string {
	for _, i := range items {
		if i.Key == key {
			return i.Value
		}
	}
	return ""
}

// What the tenant knows can come with the request, and then the record is complete at once. What the check finds is in
// it as it was found, with the letter of the day.
func TestARecordIsCompleteAtOnce(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	request := b.signedFor(rules.PurposeAccount)
	hanako := *b.verify(request).Items
	request.Record = &api.RecordFacts{Contract: "C-1", KeepDocument: true, Cases: []rules.RecordCase{rules.CaseForeignPEP}, Items: map[string]string{
		"checked-by": "佐倉", "made-by": "口座開設システム", "declared-at": "2026-11-26", "transaction": "総合証券口座の開設", "purpose": "資産形成",
		"occupation": "会社員", "account-number": "101-4477", "foreign-pep": "該当しない"}}
	v := b.verify(request)
	if v.Record == nil || !v.Record.Complete || v.Record.Missing != nil {
		t.Fatalf("%+v", v.Record)
	}
	r := b.read(v.Record.ID)
	for key, want := range map[string]string{rules.MemberName: hanako.Name, rules.MemberResidence: hanako.Address, rules.MemberBirthDate: hanako.BirthDate.String(),
		rules.MemberAccount: "101-4477", rules.MemberReceivedAt: v.CheckedAt.In(jitsuin.JST).Format(time.DateTime) + " JST"} {
		if got := value(r.Items, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if r.Account != "101-4477" || len(r.Contracts) != 1 || r.Contracts[0].Contract != "C-1" || !r.KeepUntil.IsZero() || r.Keeping.Years != 7 || r.User != v.User.ID {
		t.Errorf("%+v", r.RecordHead)
	}
	attached := value(r.Items, rules.MemberAttachment)
	for _, f := range r.Files {
		if !strings.Contains(attached, f.SHA256) {
			t.Errorf("the attachment does not name %+v: %s", f, attached)
		}
	}
	if len(r.Files) != 4 {
		t.Errorf("files: %+v", r.Files)
	}
	_, body := b.get(b.tenant, "/v1/records/"+string(r.ID)+"/file?name=document&purpose=dispute", nil)
	if string(body) != string(document) {
		t.Errorf("the document: %q", body)
	}
	if resp, _ := b.get(b.tenant, "/v1/records/"+string(r.ID)+"/file?name=status&purpose=dispute", nil); resp.StatusCode != 403 {
		t.Errorf("the status answer left the vault: %s", resp.Status)
	}
	if resp, _ := b.get(b.tenant, "/v1/records/"+string(r.ID), nil); resp.StatusCode < 400 {
		t.Errorf("read without a purpose: %s", resp.Status)
	}
	b.readings(t, r.ID, "audit", "dispute")
}

// readings wants the operation log to tell of readings for the purposes.
func (b *bank) readings(t *testing.T, record jitsuin.ID, purposes ...string) {
	t.Helper()
	for _, p := range purposes {
		if n := b.count(`SELECT COUNT(*) FROM (SELECT body FROM feed_outbox UNION ALL SELECT body FROM feed_events) AS lines
			WHERE body LIKE $1 AND body LIKE $2 AND body LIKE $3`, `%"act":"record-read"%`, `%`+string(record)+`%`, `%"purpose":"`+p+`"%`); n == 0 {
			t.Errorf("no line tells that the record was read for %s", p)
		}
	}
}

func TestWhatARecordDoesNotTake(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	good := b.signedFor(rules.PurposeAccount)
	for want, f := range map[string]api.RecordFacts{
		"record-member":       {Items: map[string]string{"shoe-size": "27"}},
		"record-member-found": {Items: map[string]string{"name": "別人"}},
		"record-value":        {Items: map[string]string{"occupation": "a\u202eb"}},
		"record-case":         {Cases: []rules.RecordCase{"rental"}},
		"document-missing":    {KeepDocument: true},
	} {
		r := good
		r.Record = &f
		if want == "document-missing" {
			sum := v32(document)
			r.Document, r.DocumentDigest = nil, sum
		}
		_, err := b.verifyAs(b.tenant, r)
		code(t, err, jitsuin.Invalid, want)
	}
	none := b.signedFor(rules.PurposeApplication)
	none.Record = &api.RecordFacts{}
	_, err := b.verifyAs(b.tenant, none)
	code(t, err, jitsuin.Invalid, "record-none")
	if n := b.count(`SELECT COUNT(*) FROM vault_records`) + b.count(`SELECT COUNT(*) FROM checks`); n != 0 {
		t.Errorf("%d rows of what was refused", n)
	}
	v := b.verify(good)
	for want, a := range map[string]api.Amendment{
		"record-member-found": {Reason: "x", Items: map[string]string{"method": "対面"}},
		"amendment-empty":     {Reason: "x", Items: map[string]string{}},
		"record-member":       {Reason: "x", Items: map[string]string{"telephone-numbers": "1"}},
	} {
		_, err := b.post(v.Record.ID, "/amendments", a)
		code(t, err, jitsuin.Invalid, want)
	}
	if r := b.read(v.Record.ID); r.Entries != 1 {
		t.Errorf("%d entries", r.Entries)
	}
}

// Amendments are appended: the old address stands beside the new one, and an entry that somebody changed in the database
// is found.
func TestWhatWasRecordedStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		v := b.verify(b.signedFor(rules.PurposeAccount))
		before := v.Items.Address
		key := string(jitsuin.NewID())
		move := api.Amendment{By: "佐倉", Reason: "転居の届出", Items: map[string]string{"residence": "霞県夕凪町１番地"}}
		for range 2 { // the second time is a repetition
			var h api.RecordHead
			if err := b.once(b.tenant, "/v1/records/"+string(v.Record.ID)+"/amendments", key, move, &h); err != nil || h.Entries != 2 {
				t.Fatalf("%+v, %v", h, err)
			}
		}
		r := b.read(v.Record.ID)
		if value(r.List[0].Items, "residence") != before || value(r.List[1].Items, "residence") != "霞県夕凪町１番地" || value(r.Items, "residence") != "霞県夕凪町１番地" ||
			r.List[1].By != "佐倉" || r.List[1].Who != "tenant:bank" || r.List[1].Reason != "転居の届出" {
			t.Errorf("%+v", r.List)
		}
		for name, spoil := range map[string]func(list []api.RecordEntry) []api.RecordEntry{
			"changed": func(l []api.RecordEntry) []api.RecordEntry { l[0].Items[0].Value = "別人"; return l },
			"cut":     func(l []api.RecordEntry) []api.RecordEntry { return l[:1] },
			"removed": func(l []api.RecordEntry) []api.RecordEntry { return l[1:] },
			"swapped": func(l []api.RecordEntry) []api.RecordEntry { slices.Reverse(l); return l },
		} {
			list := b.read(v.Record.ID).List
			if err := api.CheckEntries(r.ID, r.Head, spoil(list)); err == nil {
				t.Errorf("%s: not noticed", name)
			}
		}
		err := b.Platform.DB.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`UPDATE record_entries SET body = REPLACE(body, $1, $2) WHERE record = $3 AND n = 1`, before, "霞県別の町", v.Record.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if resp, body := b.get(b.tenant, "/v1/records/"+string(v.Record.ID)+"?purpose=audit", nil); resp.StatusCode != 500 || strings.Contains(string(body), "霞県") {
			t.Errorf("a changed record is given out: %s %s", resp.Status, body)
		}
	})
}

// The time of a record begins with the end of the last of its contracts, by the day in Japan.
func TestARecordIsKeptUntilItsLastContractIsOver(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	request := b.signedFor(rules.PurposeAccount)
	request.Record = &api.RecordFacts{Contract: "C-1"}
	v := b.verify(request)
	id, made := v.Record.ID, jitsuin.DateOf(v.CheckedAt)
	end := func(contract string, on jitsuin.Date) (api.RecordHead, error) {
		return b.post(id, "/contract-end", api.ContractNote{Contract: contract, EndedOn: on})
	}
	b.advance(40 * 24 * time.Hour)
	_, err := end("C-1", made.AddDays(-1))
	code(t, err, jitsuin.Invalid, "ended-before")
	_, err = end("C-1", made.AddDays(41))
	code(t, err, jitsuin.Invalid, "ended-future")
	_, err = end("C-9", made.AddDays(1))
	code(t, err, jitsuin.NotFound, "contract-unknown")
	if h, err := b.post(id, "/contracts", api.ContractNote{Contract: "C-2"}); err != nil || h.Entries != 2 {
		t.Fatalf("%+v, %v", h, err)
	}
	_, err = b.post(id, "/contracts", api.ContractNote{Contract: "C-2"})
	code(t, err, jitsuin.Conflict, "contract-known")
	if h, err := end("C-2", made.AddDays(30)); err != nil || !h.KeepUntil.IsZero() {
		t.Errorf("one contract runs still: %+v, %v", h, err)
	}
	k, err := rules.KeepingOf(rules.RecordConfirmation, made)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := end("", made.AddDays(3)); err == nil {
		t.Errorf("which of two contracts? %+v", h)
	}
	if h, err := end("C-1", made.AddDays(3)); err != nil || h.KeepUntil != k.Until(made.AddDays(30)) || h.KeepUntil.Year-made.AddDays(30).Year != 7 {
		t.Errorf("the later of two: %+v, %v", h, err)
	}
	if h, err := b.post(id, "/contracts", api.ContractNote{Contract: "C-3"}); err != nil || !h.KeepUntil.IsZero() {
		t.Errorf("a third contract began: %+v, %v", h, err)
	}
	if r := b.read(id); r.Entries != 5 || len(r.Contracts) != 3 || r.List[3].EndedOn == nil || *r.List[3].EndedOn != made.AddDays(3) {
		t.Errorf("%+v", r)
	}
	book := b.verify(b.signedFor(rules.PurposeAntique))
	_, err = b.post(book.Record.ID, "/contract-end", api.ContractNote{EndedOn: made})
	code(t, err, jitsuin.Conflict, "record-without-contract")
}

func v32(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] }

// The four items are answered to the request that brought the certificate, repeated or not, and to no other; for a purpose
// for which no law asks a record, nothing at all is kept.
func TestTheFourItemsAreAnsweredOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		for _, purpose := range []rules.Purpose{rules.PurposeApplication, rules.PurposeAccount} {
			request := b.signedFor(purpose)
			key := string(jitsuin.NewID())
			first, err := b.verifyWith(b.tenant, key, request)
			if err != nil || first.Items == nil {
				t.Fatalf("%+v, %v", first, err)
			}
			b.Status.Down.Store(true)
			again, err := b.verifyWith(b.tenant, key, request)
			b.Status.Down.Store(false)
			if err != nil || again.Items == nil || *again.Items != *first.Items || again.ID != first.ID {
				t.Errorf("%s repeated: %+v, %v", purpose, again.Items, err)
			}
			var later api.Verification
			if err := b.Tenant(b.tenant).Call(t.Context(), "GET", "/v1/verifications/"+string(first.ID), "", nil, &later); err != nil || later.Items != nil || later.User == nil {
				t.Errorf("%s later: %+v, %v", purpose, later.Items, err)
			}
			if (first.Record == nil) != (purpose == rules.PurposeApplication) {
				t.Errorf("%s: record %+v", purpose, first.Record)
			}
			for table, rows := range b.dump(t) {
				kept := table == "vault_records" || table == "record_entries"
				if strings.Contains(rows, first.Items.Name) && (purpose == rules.PurposeApplication || !kept) {
					t.Errorf("%s: table %s names the person", purpose, table)
				}
			}
		}
	})
}
