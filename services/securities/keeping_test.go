package securities_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/services/securities"
)

// Whichever commit of an answer is lost, or happens without anybody knowing: the holder sends the same answer again,
// and there is one account with one record.
func TestACommitThatIsLostIsMadeUpFor(t *testing.T) {
	t.Parallel()
	for _, fault := range []store.Fault{store.CommitLost, store.CommitPersisted} {
		for nth := int64(1); nth <= 2; nth++ {
			t.Run(fmt.Sprintf("%d of commit %d", fault, nth), func(t *testing.T) {
				var left atomic.Int64
				f := open(t, "sqlite::memory:", store.WithFaults(func() store.Fault {
					if left.Add(-1) == 0 {
						return fault
					}
					return store.NoFault
				}))
				hanako := f.Agency.Resident("霧島　花子")
				b := f.browser()
				answer := b.answer(b.asks(), hanako)
				left.Store(nth)
				_, code := b.posts(answer)
				if left.Load() > 0 {
					t.Fatal("the fault did not come")
				}
				if nth == 1 && code == "" {
					t.Error("an answer that may be lost was taken in")
				}
				has(t, "the answer again", b.comesTo(answer), "口座を開設しました")
				want(t, "what was kept", f.rows(), "1 customers, 1 accounts, 1 entries")
			})
		}
	}
}

// What came to nothing is erased, and what was opened stays.
func TestWhatCameToNothingIsErased(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako, taro := f.Agency.Resident("霧島　花子"), f.Agency.Resident("沢渡　太郎")
	f.Agency.Revoke(jitsuin.SignCert, taro.Sign.Cert)
	b := f.browser()
	b.opens(hanako)
	refused := b.asks()
	b.comesTo(b.answer(refused, taro))
	b.asks() // never answered
	count := func() (text string) {
		err := f.firm.DB.View(t.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT (SELECT COUNT(*) FROM applications) || ' applications, ' || (SELECT COUNT(*) FROM documents) || ' documents, ' || (SELECT COUNT(*) FROM requests) || ' requests'`).Scan(&text)
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	forget := func(days int) {
		if err := f.firm.Forget(t.Context(), time.Now().AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
	}
	forget(0)
	want(t, "today", count(), "3 applications, 2 documents, 3 requests")
	forget(2)
	want(t, "the day after", count(), "3 applications, 2 documents, 0 requests")
	forget(31)
	want(t, "after a month", count(), "1 applications, 1 documents, 0 requests")
	if status, _, _ := b.returns(f.origin + "/applications/" + refused.number); status != http.StatusNotFound {
		t.Errorf("the erased application: %d", status)
	}
	b.logsIn(hanako.Auth)
	if r := b.record(); len(r.Entries) != 1 {
		t.Errorf("the record: %+v", r)
	}
}

// A customer of the time before this firm had its own form has contracts and no account, and can open one.
func TestACustomerOfEarlierOpensAnAccount(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	b := f.browser()
	b.opens(hanako)
	b.logsIn(hanako.Auth)
	err := f.firm.DB.Update(t.Context(), func(tx *store.Tx) error {
		for _, q := range []string{`DELETE FROM confirmation_records`, `DELETE FROM accounts`, `DELETE FROM documents`,
			`INSERT INTO contracts (id, customer, accepted_at, digest, document, verification, items)
				SELECT '0123456789abcdef0123456789abcdef', id, since, 'digest', 'document', 'verification', '{"name":"霧島　花子","address":"霞県","birth_date":"1980-02-17","sex":"2"}' FROM customers`,
			`DELETE FROM applications`} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _, page := b.returns(f.origin + "/account")
	has(t, "without an account", page, "口座はまだありません", "口座を開設する", "霧島　花子")
	var before, after securities.Customer
	want(t, "me", b.call("GET", "/me", "", nil, &before), "")
	want(t, "the record", b.call("GET", "/me/record", "", nil, nil), "no-account")
	if before.Account != nil || len(before.Contracts) != 1 {
		t.Errorf("before: %+v", before)
	}
	b.opens(hanako)
	want(t, "me", b.call("GET", "/me", "", nil, &after), "")
	if after.ID != before.ID || after.Account == nil || after.Items != hanako.Items || len(after.Contracts) != 1 {
		t.Errorf("after: %+v", after)
	}
}
