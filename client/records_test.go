package client_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/rules"
)

// A bank's day with its records: opened with an account, read, completed, a transaction beside it, a second contract, both
// ended, held and asked to be released.
func TestATenantsRecords(t *testing.T) {
	w := platformtest.New(t, "sqlite::memory:", nil)
	w.Accredit(minister.InForce)
	tenant := w.Register("tenant:bank", origin)
	c, err := client.New(w.Origin, platformtest.ID, tenant.ID, tenant.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hanako, document := w.Agency.Resident("霧島　花子"), []byte("口座開設申込書")
	ctx := t.Context()
	verify := func(account string) client.Verification {
		v, err := c.Verify(ctx, "", client.VerificationRequest{Document: document, Signature: hanako.Sign.Over(t, document), Purpose: "account",
			Record: &client.RecordFacts{Contract: "K-" + account, Items: map[string]string{"account-number": account}}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := verify("101-0001")
	id := v.Record.ID
	r, err := c.Record(ctx, id, client.ReadBusiness)
	if err != nil || len(r.Missing) != 6 || r.Account != "101-0001" {
		t.Fatalf("%+v, %v", r, err)
	}
	items := map[string]string{}
	for _, m := range r.Missing {
		items[m.Key] = "x"
	}
	if h, err := c.Amend(ctx, "", id, client.Amendment{Reason: "追記", Items: items}); err != nil || !h.Complete {
		t.Errorf("amended: %+v, %v", h, err)
	}
	today := jitsuin.DateOf(w.Platform.Clock.Now())
	paid, err := c.AddRecord(ctx, "transfer-1", client.NewRecord{Kind: rules.RecordTransaction, About: id, On: today, Items: map[string]string{"transaction": "振込", "value": "1,000,000円"}})
	if err != nil || !paid.Complete || paid.Account != "101-0001" || paid.About != id || paid.User != v.User.ID || paid.KeepUntil.Year != today.Year+7 {
		t.Errorf("a transaction: %+v, %v", paid, err)
	}
	if again, err := c.AddRecord(ctx, "transfer-1", client.NewRecord{Kind: rules.RecordTransaction, About: id, On: today, Items: map[string]string{"transaction": "振込", "value": "1,000,000円"}}); err != nil || again.ID != paid.ID {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	if _, err := c.AddContract(ctx, "", id, client.ContractNote{Contract: "K-2"}); err != nil {
		t.Error(err)
	}
	for _, contract := range []string{"K-101-0001", "K-2"} {
		if _, err := c.EndContract(ctx, "", id, client.ContractNote{Contract: contract, EndedOn: today}); err != nil {
			t.Error(err)
		}
	}
	h, err := c.HoldRecord(ctx, "", id, "係争中")
	if err != nil {
		t.Fatal(err)
	}
	if asked, err := c.AskRelease(ctx, "", h.ID, "和解"); err != nil || asked.AskedBy != tenant.ID {
		t.Errorf("asked: %+v, %v", asked, err)
	}
	if on, err := c.Holds(ctx); err != nil || len(on) != 1 || on[0].Record != id {
		t.Errorf("holds: %+v, %v", on, err)
	}
	if leaf, err := c.RecordFile(ctx, id, client.FileCertificate, client.ReadDispute); err != nil || string(leaf) != string(hanako.Sign.Cert.Raw) {
		t.Errorf("the certificate: %d bytes, %v", len(leaf), err)
	}
	if page, err := c.Destructions(ctx, ""); err != nil || len(page.Destructions) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	lists(t, c, id, verify)
	refusals(t, c, id, today)
}

// lists finds records in every way, and page by page.
func lists(t *testing.T, c *client.Client, id jitsuin.ID, verify func(string) client.Verification) {
	t.Helper()
	ctx := t.Context()
	for i := range 4 {
		verify(fmt.Sprintf("102-%04d", i))
	}
	for name, q := range map[string]struct {
		client.RecordQuery
		want int
	}{
		"all": {client.RecordQuery{}, 6}, "account": {client.RecordQuery{Account: "102-0002"}, 1}, "kind": {client.RecordQuery{Kind: rules.RecordTransaction}, 1},
		"complete": {client.RecordQuery{State: "complete"}, 2}, "incomplete": {client.RecordQuery{State: "incomplete"}, 4}, "held": {client.RecordQuery{State: "held"}, 1},
		"running": {client.RecordQuery{State: "running"}, 4}, "ending": {client.RecordQuery{State: "ending"}, 2}, "nobody": {client.RecordQuery{User: "nobody"}, 0},
		"yesterday": {client.RecordQuery{To: jitsuin.DateOf(time.Now()).AddDays(-1)}, 0}, "today": {client.RecordQuery{From: jitsuin.DateOf(time.Now()).AddDays(-1)}, 6},
	} {
		if page, err := c.Records(ctx, q.RecordQuery); err != nil || len(page.Records) != q.want || page.Next != "" {
			t.Errorf("%s: %d records, want %d (%v)", name, len(page.Records), q.want, err)
		}
	}
	seen, after := map[jitsuin.ID]bool{}, ""
	for range 3 {
		page, err := c.Records(ctx, client.RecordQuery{Limit: 2, After: after})
		if err != nil || len(page.Records) != 2 {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, r := range page.Records {
			seen[r.ID] = true
		}
		after = page.Next
	}
	if len(seen) != 6 || after != "" || !seen[id] {
		t.Errorf("page by page: %d records, then %q", len(seen), after)
	}
	if _, err := c.Records(ctx, client.RecordQuery{After: "somewhere"}); jitsuin.CodeOf(err) != "after" {
		t.Errorf("from nowhere: %v", err)
	}
	file, next, err := c.ExportRecords(ctx, id, client.RecordQuery{}, client.ReadAudit)
	if err != nil || len(file) == 0 || next != "" {
		t.Errorf("%d bytes, %q, %v", len(file), next, err)
	}
}

func refusals(t *testing.T, c *client.Client, id jitsuin.ID, today jitsuin.Date) {
	t.Helper()
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		"id-form":             second(c.Record(ctx, "../tenants", client.ReadAudit)),
		"record-unknown":      second(c.Record(ctx, jitsuin.NewID(), client.ReadAudit)),
		"request-form":        second(c.Record(ctx, id, "curiosity")),
		"record-on":           second(c.AddRecord(ctx, "", client.NewRecord{Kind: "transaction", About: id, On: today.AddDays(1)})),
		"record-member":       second(c.AddRecord(ctx, "", client.NewRecord{Kind: "transaction", About: id, On: today, Items: map[string]string{"x": "y"}})),
		"hold-unknown":        second(c.AskRelease(ctx, "", jitsuin.NewID(), "x")),
		"destruction-unknown": second(c.Destruction(ctx, jitsuin.NewID())),
	} {
		if jitsuin.CodeOf(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}
