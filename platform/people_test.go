package platform_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

// do calls a route as a tenant with a key of its own.
func do[O any](b *bank, tenant httpapi.Identity, method, path string, in any) (O, error) {
	b.t.Helper()
	return doWith[O](b, tenant, string(jitsuin.NewID()), method, path, in)
}

func doWith[O any](b *bank, tenant httpapi.Identity, key, method, path string, in any) (out O, err error) {
	b.t.Helper()
	remote := b.Tenant(tenant)
	defer remote.Close()
	return httpapi.Do[O](b.t.Context(), remote, method, path, key, in)
}

var no = false

// Whoever does not need the person named, gets no user, and no link is asked for; status checks go by the verification then.
func TestIdentifyUserIsAChoice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		hanako := b.Agency.Resident("霧島　花子")
		r := b.signed(hanako)
		r.IdentifyUser = &no
		v := b.verify(r)
		if v.Report.Verdict != signature.Passed || v.User != nil || v.Items == nil || v.Record == nil {
			t.Fatalf("without a user: %+v %+v %+v", v.User, v.Items, v.Record)
		}
		c := b.challenge(b.tenant)
		a, err := c.Challenge.ToSign().Sign(hanako.Auth.Cert, hanako.Auth.Key)
		if err != nil {
			t.Fatal(err)
		}
		l, err := b.send(b.tenant, api.LoginRequest{Challenge: c.ID, Certificate: a.Certificate.Raw, Signature: a.Signature, DigestAlg: a.DigestAlg, IdentifyUser: &no})
		if err != nil || l.User != nil || l.Report.Verdict != signature.Passed {
			t.Errorf("a login without a user: %+v %v", l.User, err)
		}
		if n := b.Agency.AskedLinks.Load(); n != 0 {
			t.Errorf("links were asked for %d times", n)
		}
		if n := b.count(`SELECT COUNT(*) FROM users`); n != 0 {
			t.Errorf("%d users were made", n)
		}
		s, err := do[api.StatusCheck](b, b.tenant, "POST", "/v1/verifications/"+string(v.ID)+"/status-checks", api.StatusRequest{Purpose: "現況の確認"})
		if err != nil || s.Status != api.StatusGood || s.User != "" || s.Verification != v.ID {
			t.Errorf("the status behind the verification: %+v %v", s, err)
		}
	})
}

// The id is the same with every later certificate of the person: after a re-issue, a move, with a whole new card; until the tenant forgets them.
func TestUsersOfATenant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		other := b.Register("tenant:other", origin)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		user := b.verify(b.signed(hanako)).User
		b.verify(b.signed(taro))
		b.Agency.Moves(hanako, "霞県夕霧市新町９番地")
		b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
		if u := b.verify(b.signed(hanako)).User; u.ID != user.ID || u.New {
			t.Errorf("after a move: %+v, want %s", u, user.ID)
		}
		b.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
		b.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
		b.Agency.Reissue(hanako, jitsuin.SignCert, nil) // a new card: both are new
		b.Agency.Reissue(hanako, jitsuin.AuthCert, nil)
		if l, err := b.login(b.tenant, hanako.Auth); err != nil || l.User.ID != user.ID {
			t.Errorf("with a new card: %+v %v, want %s", l.User, err, user.ID)
		}
		all, err := do[api.Users](b, b.tenant, "GET", "/v1/users", nil)
		if err != nil || len(all.Users) != 2 || all.More || !slices.IsSortedFunc(all.Users, func(a, b api.KnownUser) int { return strings.Compare(a.ID, b.ID) }) {
			t.Errorf("the users: %+v %v", all, err)
		}
		rest, err := do[api.Users](b, b.tenant, "GET", "/v1/users?after="+all.Users[0].ID, nil)
		if err != nil || len(rest.Users) != 1 || rest.Users[0].ID != all.Users[1].ID {
			t.Errorf("the second page: %+v %v", rest, err)
		}
		one, err := do[api.KnownUser](b, b.tenant, "GET", "/v1/users/"+user.ID, nil)
		if err != nil || len(one.Kinds) != 2 || one.LastSeen.Before(one.FirstSeen) || one.Subscribed {
			t.Errorf("one user: %+v %v", one, err)
		}
		_, err = do[api.KnownUser](b, other, "GET", "/v1/users/"+user.ID, nil)
		code(t, err, jitsuin.NotFound, "user-unknown")

		gone, err := do[api.ForgottenUser](b, b.tenant, "DELETE", "/v1/users/"+user.ID, nil)
		if err != nil || len(gone.Records) != 2 || gone.Records[0].Kind != "confirmation" {
			t.Fatalf("forgotten: %+v %v", gone, err)
		}
		_, err = do[api.KnownUser](b, b.tenant, "GET", "/v1/users/"+user.ID, nil)
		code(t, err, jitsuin.NotFound, "user-unknown")
		_, err = do[api.ForgottenUser](b, b.tenant, "DELETE", "/v1/users/"+user.ID, nil)
		code(t, err, jitsuin.NotFound, "user-unknown")
		if n := b.count(`SELECT COUNT(*) FROM vault_records`); n != 3 {
			t.Errorf("%d records are left, want 3: the law keeps them", n)
		}
		if u := b.verify(b.signed(hanako)).User; !u.New || u.ID == user.ID {
			t.Errorf("whoever comes back is new: %+v", u)
		}
	})
}

// 現況確認: good, then since when and why not; expired without asking; unknown where nobody can tell. Never a serial number.
func TestStatusOfAUser(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		other := b.Register("tenant:other", origin)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		user, second := b.verify(b.signed(hanako)).User.ID, b.verify(b.signed(taro)).User.ID
		path, ask := "/v1/users/"+user+"/status-checks", api.StatusRequest{Purpose: "年金の現況の確認"}
		key := string(jitsuin.NewID())
		good, err := doWith[api.StatusCheck](b, b.tenant, key, "POST", path, ask)
		if err != nil || good.Status != api.StatusGood || good.Method != "ocsp" || good.Kind != jitsuin.SignCert || good.CheckPurpose != api.LivenessCheck || good.Since != nil || good.UpdatedAt == nil {
			t.Fatalf("in force: %+v %v", good, err)
		}
		at := b.Platform.Clock.Now().Truncate(time.Second)
		b.Agency.RevokeAt(jitsuin.SignCert, hanako.Sign.Cert, at)
		again, err := doWith[api.StatusCheck](b, b.tenant, key, "POST", path, ask)
		if err != nil || again.ID != good.ID || again.Status != api.StatusGood {
			t.Errorf("the same request again: %+v %v", again, err)
		}
		dead, err := do[api.StatusCheck](b, b.tenant, "POST", path, ask)
		if err != nil || dead.Status != api.StatusRevoked || dead.Since == nil || !dead.Since.Equal(at) || dead.Reason != jitsuin.ReasonAffiliationChanged {
			t.Errorf("after a move: %+v %v", dead, err)
		}
		b.Status.Down.Store(true)
		lost, err := do[api.StatusCheck](b, b.tenant, "POST", path, ask)
		if err != nil || lost.Status != api.StatusUnknown || lost.Why == "" {
			t.Errorf("nobody answers: %+v %v", lost, err)
		}
		b.Status.Down.Store(false)
		all, err := do[api.StatusChecks](b, b.tenant, "POST", "/v1/status-checks", api.StatusBatch{Users: []string{user, second, user, "nobody"}, Purpose: "一括の確認"})
		if err != nil || len(all.Checks) != 2 || !slices.Equal(all.Unknown, []string{"nobody"}) {
			t.Errorf("a batch: %+v %v", all, err)
		}
		_, err = do[api.StatusCheck](b, other, "POST", path, ask)
		code(t, err, jitsuin.NotFound, "user-unknown")
		_, err = do[api.StatusCheck](b, b.tenant, "POST", path, api.StatusRequest{})
		if jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("without a purpose: %v", err)
		}
		kept, err := do[api.StatusChecks](b, b.tenant, "GET", path, nil)
		if err != nil || len(kept.Checks) != 4 || kept.Checks[3].Status != api.StatusGood || kept.Checks[2].Since == nil {
			t.Errorf("what is kept: %+v %v", kept, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM status_checks WHERE check_purpose = 'liveness_check'`); n != 5 {
			t.Errorf("%d looks are recorded for reports, want 5", n)
		}
		b.advance(5 * 365 * 24 * time.Hour)
		b.Accredit("in-force")
		old, err := do[api.StatusCheck](b, b.tenant, "POST", "/v1/users/"+second+"/status-checks", ask)
		if err != nil || old.Status != api.StatusExpired || old.Method != "none" || old.Since == nil {
			t.Errorf("years later: %+v %v", old, err)
		}
	})
}

// events gives the events of a type that a tenant was told.
func (b *bank) toldOf(tenant httpapi.Identity, kind string) (all []api.Event) {
	b.t.Helper()
	page, err := do[api.Events](b, tenant, "GET", "/v1/events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range page.Events {
		if e.Type == kind {
			all = append(all, e)
		}
	}
	return all
}

// settle waits until the platform's jobs have done what is due now.
func (b *bank) settle() {
	b.t.Helper()
	now := b.Platform.Clock.Now() // before the jobs look, so that they look at it
	b.Platform.PokeJobs()
	resp, err := http.Get(b.Origin + "/clock?fired=" + url.QueryEscape(now.Format(time.RFC3339Nano)))
	if err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.t.Fatalf("what is due does not fire: HTTP %d", resp.StatusCode)
	}
}

// A subscribed user moves: the tenant is told once, by the next day, what and why, and never of anybody else.
func TestATenantIsToldOnceThatACertificateLapsed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		other := b.Register("tenant:other", origin)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		user, second := b.verify(b.signed(hanako)).User.ID, b.verify(b.signed(taro)).User.ID
		if _, err := b.verifyAs(other, b.signed(hanako)); err != nil {
			t.Fatal(err)
		}
		s, err := do[api.Subscriptions](b, b.tenant, "POST", "/v1/subscriptions", api.SubscriptionRequest{Users: []string{user, "nobody"}, Purpose: "住所の更新"})
		if err != nil || !slices.Equal(s.Users, []string{user}) || !slices.Equal(s.Unknown, []string{"nobody"}) {
			t.Fatalf("subscribed: %+v %v", s, err)
		}
		b.settle()
		if n := len(b.toldOf(b.tenant, api.EventCertificateLapsed)); n != 0 {
			t.Fatalf("told %d times of nothing", n)
		}
		b.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
		b.Agency.Revoke(jitsuin.SignCert, taro.Sign.Cert)
		for range 3 { // three days on, told once
			b.advance(25 * time.Hour)
			b.settle()
		}
		got := b.toldOf(b.tenant, api.EventCertificateLapsed)
		if len(got) != 1 {
			t.Fatalf("told %d times, want once: %+v", len(got), got)
		}
		text := string(got[0].Data)
		if !strings.Contains(text, user) || !strings.Contains(text, "affiliationChanged") || strings.Contains(text, second) {
			t.Errorf("told %s", text)
		}
		for _, secret := range []string{hanako.Sign.Cert.SerialNumber.Text(16), "霧島", "霞県"} {
			if strings.Contains(text, secret) {
				t.Errorf("the event tells %q", secret)
			}
		}
		if n := len(b.toldOf(other, api.EventCertificateLapsed)); n != 0 {
			t.Errorf("a tenant that did not subscribe was told %d times", n)
		}
		b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
		b.verify(b.signed(hanako))
		b.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
		b.advance(25 * time.Hour)
		b.settle()
		if n := len(b.toldOf(b.tenant, api.EventCertificateLapsed)); n != 2 {
			t.Errorf("told %d times after the next certificate lapsed too, want 2", n)
		}
		if _, err := do[api.KnownUser](b, b.tenant, "DELETE", "/v1/users/"+user+"/subscription", nil); err != nil {
			t.Fatal(err)
		}
		b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
		b.verify(b.signed(hanako))
		b.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
		b.advance(25 * time.Hour)
		b.settle()
		if n := len(b.toldOf(b.tenant, api.EventCertificateLapsed)); n != 2 {
			t.Errorf("told %d times, also after nothing was wanted any more", n)
		}
	})
}

// consents has a person give a tenant their consent.
func (b *bank) consents(tenant httpapi.Identity, who *platformtest.Person) api.Consent {
	b.t.Helper()
	v, err := b.verifyAs(tenant, b.signed(who))
	if err != nil {
		b.t.Fatal(err)
	}
	c := b.drawsFor(tenant, v.User.ID)
	b.Answered(c.Open, who)
	return c
}

// draws has the bank draw a consent for a user.
func (b *bank) draws(user string) api.Consent {
	b.t.Helper()
	return b.drawsFor(b.tenant, user)
}

func (b *bank) drawsFor(tenant httpapi.Identity, user string) api.Consent {
	b.t.Helper()
	c, err := do[api.Consent](b, tenant, "POST", "/v1/consents", api.ConsentRequest{User: user, Service: api.Words{JA: "総合口座", EN: "General account"},
		Purpose: "お客様の住所等を最新にするため", Contact: "お客様窓口", ReturnURL: origin + "/consents"})
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bank) consent(id jitsuin.ID) api.Consent {
	b.t.Helper()
	c, err := do[api.Consent](b, b.tenant, "GET", "/v1/consents/"+string(id), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func acts(c api.Consent) (all []string) {
	for _, e := range c.Ledger {
		all = append(all, e.Act)
	}
	return all
}

// The life of a consent at the platform: drawn, signed by its user and by nobody else, asked under, charged once, withdrawn by the resident.
func TestConsentAndLatestItems(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		other := b.Register("tenant:other", origin)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		user := b.verify(b.signed(hanako)).User.ID
		b.verify(b.signed(taro))

		foreign := b.draws(user)
		b.Answered(foreign.Open, taro)
		if c := b.consent(foreign.ID); c.State != api.ConsentRefused || c.Ledger[1].Detail != "another-person" {
			t.Errorf("signed by somebody else: %+v", c)
		}
		drawn := b.draws(user)
		latest := func(key string) (api.LatestItems, error) {
			return doWith[api.LatestItems](b, b.tenant, key, "POST", "/v1/users/"+user+"/latest-items", api.LatestRequest{Consent: drawn.ID})
		}
		_, err := latest(string(jitsuin.NewID()))
		code(t, err, jitsuin.Denied, "consent-drawn")
		back := b.Answered(drawn.Open, hanako)
		if p := redirect(b, back); !strings.HasPrefix(p, origin+"/consents?consent="+string(drawn.ID)) {
			t.Errorf("the browser is led to %s", p)
		}
		c := b.consent(drawn.ID)
		today := jitsuin.DateOf(b.Platform.Clock.Now())
		if c.State != api.ConsentInForce || c.GivenOn != today || c.LastDay.Year != today.Year+10 || c.Remind.Year != today.Year+1 {
			t.Fatalf("given: %+v", c)
		}
		if l, err := latest(string(jitsuin.NewID())); err != nil || l.New || l.Yen != 0 {
			t.Errorf("nothing is new: %+v %v", l, err)
		}
		b.Agency.Moves(hanako, "霞県夕霧市新町９番地")
		key := string(jitsuin.NewID())
		l, err := latest(key)
		if err != nil || !l.New || l.Items == nil || l.Items.Address != "霞県夕霧市新町９番地" || !slices.Equal(l.Which, []string{"address"}) || l.Yen != 20 {
			t.Fatalf("after the move: %+v %v", l, err)
		}
		if again, err := latest(key); err != nil || again.ID != l.ID || again.Items == nil {
			t.Errorf("an answer that was lost: %+v %v", again, err)
		}
		if l, err := latest(string(jitsuin.NewID())); err != nil || l.New {
			t.Errorf("asked again: %+v %v", l, err)
		}
		if yen, _ := b.Agency.Yen(); yen != 20 {
			t.Errorf("%d yen were charged, want 20", yen)
		}
		_, err = do[api.LatestItems](b, other, "POST", "/v1/users/"+user+"/latest-items", api.LatestRequest{Consent: drawn.ID})
		code(t, err, jitsuin.NotFound, "user-unknown")
		for table, rows := range b.dump(t) {
			if strings.Contains(rows, "新町") {
				t.Errorf("the platform keeps the new address in %s", table)
			}
		}

		b.advance(366 * 24 * time.Hour)
		b.Accredit("in-force")
		b.settle()
		if got := b.toldOf(b.tenant, api.EventConsentReminder); len(got) != 1 {
			t.Errorf("reminded %d times in a year", len(got))
		}
		b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
		me := b.Browser()
		me.Errand("/me/login", nil, hanako)
		if p := me.Errand("/me/consents/"+string(drawn.ID)+"/withdrawal", nil, hanako); p.Status != http.StatusOK {
			t.Errorf("after the withdrawal: HTTP %d %s", p.Status, p.Body)
		}
		_, err = latest(string(jitsuin.NewID()))
		code(t, err, jitsuin.Revoked, "consent-withdrawn")
		_, err = latest(key)
		code(t, err, jitsuin.Revoked, "consent-withdrawn")
		if got := acts(b.consent(drawn.ID)); !slices.Equal(got, []string{"drawn", "given", "supplied", "reminded", "withdrawn"}) {
			t.Errorf("the ledger: %v", got)
		}
		for _, kind := range []string{api.EventConsentGiven, api.EventConsentWithdrawn, api.EventConsentRefused} {
			if got := b.toldOf(b.tenant, kind); len(got) != 1 {
				t.Errorf("%s was told %d times", kind, len(got))
			}
		}
	})
}

// redirect tells where an address leads.
func redirect(b *bank, link string) string {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, link, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.Browser().HTTP.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.Header.Get("Location")
}

// A consent ends by itself after its last day, and its ledger when its own time is over.
func TestAConsentExpiresAndItsLedgerIsDropped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		hanako := b.Agency.Resident("霧島　花子")
		user := b.verify(b.signed(hanako)).User.ID
		drawn := b.draws(user)
		b.Answered(drawn.Open, hanako)
		last := b.consent(drawn.ID).LastDay
		until := func(d jitsuin.Date) { b.advance(d.Start().Add(time.Hour).Sub(b.Platform.Clock.Now())) }
		until(last)
		b.settle()
		if c := b.consent(drawn.ID); c.State != api.ConsentInForce {
			t.Errorf("on its last day it is %s", c.State)
		}
		until(last.AddDays(1))
		b.settle()
		if c := b.consent(drawn.ID); c.State != api.ConsentExpired {
			t.Errorf("on the next day it is %s", c.State)
		}
		if n := len(b.toldOf(b.tenant, api.EventConsentReminder)); n < 1 || n > 9 {
			t.Errorf("reminded %d times", n)
		}
		keep := jitsuin.Date{Year: last.Year + 10, Month: last.Month, Day: last.Day}
		until(keep)
		b.settle()
		if n := b.count(`SELECT COUNT(*) FROM consents`); n != 1 {
			t.Errorf("on the last day of the ledger %d consents are there", n)
		}
		until(keep.AddDays(1))
		b.settle()
		if n := b.count(`SELECT (SELECT COUNT(*) FROM consents) + (SELECT COUNT(*) FROM consent_entries)`); n != 0 {
			t.Errorf("after the time of the ledger %d rows are left", n)
		}
	})
}
