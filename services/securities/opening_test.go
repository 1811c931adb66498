package securities_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/services/securities"
)

// rows counts what was kept.
func (f *firm) rows() string {
	f.t.Helper()
	var text string
	err := f.firm.DB.View(f.t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT (SELECT COUNT(*) FROM customers) || ' customers, ' || (SELECT COUNT(*) FROM accounts) || ' accounts, ' || (SELECT COUNT(*) FROM confirmation_records) || ' entries'`).Scan(&text)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func has(t *testing.T, what, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("%s: the page lacks %q", what, text)
		}
	}
}

func TestAnAccountIsOpenedWithASignedForm(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		f := open(t, database)
		hanako := f.Agency.Resident("霧島　花子")
		b := f.browser()
		at, page := b.logsIn(hanako.Auth)
		want(t, "a login before there is an account", at.RawQuery, "outcome=no-customer")
		has(t, "it", page, "まだ口座がありません", "口座を開設する")

		a := b.asks()
		answer := b.answer(a, hanako)
		page = b.comesTo(answer)
		has(t, "the result", page, "口座を開設しました", "確認記録", "霧島　花子", "TOTAL-PASSED", "会社員・団体職員", "老後の資金の準備")
		_, english := b.get(f.origin + "/applications/" + a.number + "?lang=en")
		has(t, "in English", english, "Your account is open", "Employee of a company")
		want(t, "what was kept", f.rows(), "1 customers, 1 accounts, 1 entries")

		at, page = b.logsIn(hanako.Auth)
		want(t, "the login leads", at.Path, "/account")
		has(t, "the account", page, "101-", "霧島　花子")
		var me securities.Customer
		want(t, "who is it", b.call("GET", "/me", "", nil, &me), "")
		if me.Items != hanako.Items || me.Account == nil || me.Account.Application != a.number || me.Account.Verification == "" || time.Since(me.Account.OpenedAt) > time.Minute {
			t.Errorf("me: %+v", me)
		}
		checkRecord(t, b.record(), me, hanako.Items)
		f.sameAsThePlatforms(t, b.record().Entries[0], a.number)
		keeps(t, f, b, a, map[string][]byte{"pdf": answer.Documents[0].Content})
		if resp, _ := b.get(f.origin + "/account/application.p7s"); resp.StatusCode != 404 {
			t.Errorf("a signature beside a document that is signed inside: %d", resp.StatusCode)
		}
	})
}

// sameAsThePlatforms wants the record in the firm's vault at the platform to be complete, and to say what the firm's own says.
func (f *firm) sameAsThePlatforms(t *testing.T, own securities.Entry, number string) {
	t.Helper()
	platform, err := client.New(f.Origin, platformtest.ID, f.tenant.ID, f.tenant.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer platform.Close()
	page, err := platform.Records(t.Context(), client.RecordQuery{Account: number})
	if err != nil || len(page.Records) != 1 || !page.Records[0].Complete {
		t.Fatalf("%+v, %v", page, err)
	}
	r, err := platform.Record(t.Context(), page.Records[0].ID, client.ReadAudit)
	if err != nil || len(r.Items) != len(own.Members) {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, i := range r.Items {
		switch i.Key {
		case rules.MemberAccount, rules.MemberAttachment, rules.MemberReceivedAt: // found by another number, and names other files
		default:
			want(t, i.Key, i.Value, member(own, i.Key))
		}
	}
}

// keeps wants a customer to get what was signed, to the octet.
func keeps(t *testing.T, f *firm, b *browser, a asked, files map[string][]byte) {
	t.Helper()
	for path, content := range files {
		resp, got := b.get(f.origin + "/account/application." + path)
		if got != string(content) || !strings.Contains(resp.Header.Get("Content-Disposition"), a.number) {
			t.Errorf("the %s to be kept is not what was signed", path)
		}
	}
}

// A signature beside the document, as holders of before made it, opens an account too, and both are kept.
func TestASignatureBesideTheDocument(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	b := f.browser()
	a := b.asks()
	answer := b.answerBeside(a, hanako)
	has(t, "the result", b.comesTo(answer), "口座を開設しました", "TOTAL-PASSED")
	b.logsIn(hanako.Auth)
	_, _, page := b.returns(f.origin + "/account")
	has(t, "the account", page, "application.p7s")
	keeps(t, f, b, a, map[string][]byte{"pdf": answer.Documents[0].Content, "p7s": answer.Signature})
}

// checkRecord wants every member that the regulation asks for, and the time for which it is kept.
func checkRecord(t *testing.T, r securities.Record, me securities.Customer, items jitsuin.FourItems) {
	t.Helper()
	if len(r.Entries) != 1 || r.Account != me.Account.Number || r.Entries[0].Why != "opened" {
		t.Fatalf("%+v", r)
	}
	today := jitsuin.DateOf(time.Now())
	for _, m := range rules.MembersOf(rules.RecordConfirmation, today, rules.CaseJPKI, rules.CaseForeignPEP) {
		if member(r.Entries[0], m.Key) == "" {
			t.Errorf("the record lacks %q", m.Key)
		}
	}
	for key, value := range map[string]string{rules.MemberName: items.Name, rules.MemberResidence: items.Address, rules.MemberBirthDate: items.BirthDate.String(),
		rules.MemberAccount: me.Account.Number, rules.MemberOccupation: "会社員・団体職員", rules.MemberPurpose: "老後の資金の準備"} {
		want(t, key, member(r.Entries[0], key), value)
	}
	if !strings.Contains(member(r.Entries[0], rules.MemberMethod), "6条1項1号") || !strings.Contains(member(r.Entries[0], rules.MemberAttachment), string(me.Account.Verification)) {
		t.Errorf("method and attachment: %+v", r.Entries[0].Members)
	}
	if k := r.Keeping; k.Years != 7 || k.Until.Year != today.Year+7 {
		t.Errorf("kept for %d years, until %s", k.Years, k.Until)
	}
}

// Who moved signs with a new certificate: no second account, and a note in the record beside what stood there.
func TestASecondApplicationOpensNothingAndIsNoted(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	b := f.browser()
	b.opens(hanako)
	has(t, "the same again", b.comesTo(b.answer(b.asks(), hanako)), "すでに口座をお持ちです")
	want(t, "nothing new to note", f.rows(), "1 customers, 1 accounts, 1 entries")

	before := hanako.Items.Address
	hanako.Items.Address = "霞県夕凪町１番地"
	f.Agency.Reissue(hanako, jitsuin.SignCert, nil)
	has(t, "after a move", b.comesTo(b.answer(b.asks(), hanako)), "すでに口座をお持ちです", "付記")
	want(t, "it is noted", f.rows(), "1 customers, 1 accounts, 2 entries")
	b.logsIn(hanako.Auth)
	r := b.record()
	want(t, "what was recorded", member(r.Entries[0], rules.MemberResidence), before)
	want(t, "what was noted", member(r.Entries[1], rules.MemberResidence), hanako.Items.Address)
	if member(r.Entries[1], rules.MemberName) != "" || member(r.Entries[1], rules.MemberAttachment) == "" {
		t.Errorf("the note has the change and where it comes from: %+v", r.Entries[1])
	}
	var me securities.Customer
	want(t, "who is it", b.call("GET", "/me", "", nil, &me), "")
	if me.Items != hanako.Items {
		t.Errorf("as of the newest document: %+v", me.Items)
	}
}

func TestAnAnswerHasItsEffectOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		f := open(t, database)
		hanako := f.Agency.Resident("霧島　花子")
		b := f.browser()
		answer := b.answer(b.asks(), hanako)
		backs := make([]string, 4)
		var all sync.WaitGroup
		for i := range backs {
			all.Go(func() {
				back, code := b.posts(answer)
				if code != "" {
					t.Error(code)
				}
				backs[i] = back
			})
		}
		all.Wait()
		for _, back := range backs {
			want(t, "the same answer leads", back, backs[0])
		}
		want(t, "at once", f.rows(), "1 customers, 1 accounts, 1 entries")
		other := answer
		other.Signature = hanako.Sign.Over(t, []byte("another"))
		if _, code := b.posts(other); code != "answer-given" {
			t.Errorf("another answer to the same request: %q", code)
		}
		status, _, _ := b.returns(backs[0])
		soon, _, _ := b.returns(backs[0]) // a page that led back by itself was clicked on as well
		f.later()
		again, _, page := b.returns(backs[0])
		if status != 200 || soon != 200 || again != 409 || !strings.Contains(page, "一度だけ使えます") {
			t.Errorf("the way back is open once: %d, %d, %d", status, soon, again)
		}
	})
}

// Two applications of one person that are answered at the same time make one customer with one account.
func TestTwoApplicationsAtOnceMakeOneAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		f := open(t, database)
		hanako := f.Agency.Resident("霧島　花子")
		b := f.browser()
		one, other := b.answer(b.asks(), hanako), b.answer(b.asks(), hanako)
		var all sync.WaitGroup
		all.Go(func() { b.posts(one) })
		all.Go(func() { b.posts(other) })
		all.Wait()
		want(t, "at once", f.rows(), "1 customers, 1 accounts, 1 entries")
	})
}

// The platform is away when the person signs: nothing is lost, and nothing signed twice.
func TestASignedApplicationWaitsForThePlatform(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	b := f.browser()
	answer := b.answer(b.asks(), hanako)
	f.Status.Down.Store(true)
	back, code := b.posts(answer)
	want(t, "the answer is taken in", code, "")
	_, at, page := b.returns(back)
	has(t, "meanwhile", page, "署名を確認しています", "もう一度署名する必要はありません")
	want(t, "nothing is open", f.rows(), "0 customers, 0 accounts, 0 entries")
	again := func() string {
		resp, err := b.PostForm(at.String()+"/check", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		_, page := b.get(at.String())
		return page
	}
	has(t, "still", again(), "署名を確認しています")
	f.Status.Down.Store(false)
	has(t, "afterwards", again(), "口座を開設しました")
	want(t, "one is open", f.rows(), "1 customers, 1 accounts, 1 entries")
}

// An answer that the platform gave long ago says nothing of today: an application whose decision was cut off is
// not decided by it when the certificate may have ended.
func TestAnOldVerificationOpensNothing(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	hanako := f.Agency.Resident("霧島　花子")
	b := f.browser()
	a := b.asks()
	answer := b.answer(a, hanako)
	// The firm takes the answer in, has it checked, and is cut off before it has decided.
	back, code := b.posts(answer)
	want(t, "the answer", code, "")
	f.undo(a.number)
	f.Platform.Clock.Set(time.Hour)
	f.firm.Clock.Set(time.Hour)
	f.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
	again, code := b.posts(answer)
	want(t, "the answer again", code+again, back)
	_, _, page := b.returns(back)
	has(t, "decided by the state of now", page, "署名用電子証明書が失効しています")
	want(t, "nothing is open", f.rows(), "0 customers, 0 accounts, 0 entries")
}

// undo takes back the commit that decided an application, as a crash before it would have.
func (f *firm) undo(number string) {
	f.t.Helper()
	err := f.firm.DB.Update(f.t.Context(), func(tx *store.Tx) error {
		for _, q := range []string{`DELETE FROM confirmation_records`, `DELETE FROM accounts`, `DELETE FROM customers`} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE applications SET outcome = '', customer = '' WHERE number = $1`, number)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// later lets the moment pass in which a way back may be asked for again.
func (f *firm) later() {
	f.t.Helper()
	err := f.firm.DB.Update(f.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE requests SET used_at = $1 WHERE used_at > 0`, store.Micros(time.Now().Add(-time.Minute)))
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}
