package platform_test

import (
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/matching"
)

// A tenant sends what it has on file and is told how the four items agree with it; the platform keeps none of it.
func TestTheCustomerRecordIsCompared(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	r := b.signed(b.Agency.Resident("髙瀬　花子"))
	r.CustomerRecord = &api.CustomerRecord{Name: "高瀬 花子", Address: "霞県朝霧市見本1-2-4", BirthDate: "canary 1"}
	_, err := b.verifyAs(b.tenant, r)
	code(t, err, jitsuin.Invalid, "record-date")
	if e := err.(*jitsuin.Error); strings.Contains(e.Message+e.Hint, "canary") {
		t.Errorf("the error repeats the record: %v", e)
	}
	r.CustomerRecord.BirthDate = ""
	key := string(jitsuin.NewID())
	v, err := b.verifyWith(b.tenant, key, r)
	if err != nil {
		t.Fatal(err)
	}
	c := v.Comparison
	if c == nil || c.Result != matching.Different || len(c.Items) != 2 || c.Items[0].Result != matching.Variant || c.Items[1].Reasons[0].Code != "numbers-differ" {
		t.Errorf("%+v", c)
	}
	again, err := b.verifyWith(b.tenant, key, r)
	if err != nil || again.Comparison == nil || again.Comparison.Result != c.Result || again.ID != v.ID {
		t.Errorf("repeated: %+v, %v", again.Comparison, err)
	}
	other := r
	other.CustomerRecord = &api.CustomerRecord{Name: "髙瀬　花子"}
	_, err = b.verifyWith(b.tenant, key, other)
	code(t, err, jitsuin.Conflict, "idempotency-key-reused")
	for _, table := range []string{"checks", "vault_records", "api_request"} {
		err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error {
			rows, err := tx.Query(`SELECT * FROM ` + table)
			if err != nil {
				return err
			}
			defer rows.Close()
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			for rows.Next() {
				cells, into := make([]any, len(columns)), make([]any, len(columns))
				for i := range cells {
					into[i] = &cells[i]
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
				for i, c := range cells {
					text, ok := c.(string)
					if raw, is := c.([]byte); is {
						text, ok = string(raw), true
					}
					if ok && strings.Contains(text, "見本1-2-4") {
						t.Errorf("%s.%s keeps the customer record", table, columns[i])
					}
				}
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoIsRefusedIsNotCompared(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	r := b.signed(b.Agency.Resident("髙瀬　花子"))
	r.CustomerRecord = &api.CustomerRecord{Name: "髙瀬　花子"}
	altered := r
	altered.Document = append([]byte("x"), r.Document...)
	if v := b.verify(altered); v.Comparison != nil || v.Items != nil {
		t.Errorf("compared: %+v", v.Comparison)
	}
	empty := r
	empty.CustomerRecord = &api.CustomerRecord{}
	_, err := b.verifyAs(b.tenant, empty)
	code(t, err, jitsuin.Invalid, "record-empty")
	past, at := r, b.Platform.Clock.Now()
	past.At = &at
	_, err = b.verifyAs(b.tenant, past)
	code(t, err, jitsuin.Invalid, "compare-past")
}
