package office_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/office"
)

// The table of duties itself: an auditor only reads, nobody approves what has no second person, and what changes something needs a reason.
func TestTheTableOfDuties(t *testing.T) {
	seen := map[office.Act]bool{}
	for _, d := range office.Duties {
		reads := strings.HasSuffix(string(d.Act), "-seen")
		if seen[d.Act] {
			t.Errorf("%s stands twice", d.Act)
		}
		seen[d.Act] = true
		if slices.Contains(append(slices.Clone(d.May), d.Second...), office.Auditor) && !reads {
			t.Errorf("an auditor may do %s", d.Act)
		}
		if len(d.May) == 0 || d.Title.JA == "" || d.Title.EN == "" || d.Reason == reads {
			t.Errorf("%s is not whole: %+v", d.Act, d)
		}
	}
	for _, r := range office.Roles {
		if r.Title().JA == "" || r.Title().EN == "" {
			t.Errorf("%s has no title", r)
		}
	}
	for text, roles := range map[string][]office.Role{"none": {}, "unknown": {"root"}, "twice": {office.Operations, office.Operations}, "an auditor with another": {office.Auditor, office.RecordsDesk}} {
		if err := office.CheckRoles(roles); jitsuin.CodeOf(err) != "roles" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// desk is an office in a database, with a thing that takes two people to change.
type desk struct {
	t     *testing.T
	db    *store.DB
	civil time.Time
	wall  time.Time
	acts  office.Sensitive
	mark  string // of the thing
	done  int
}

func newDesk(t *testing.T, url string) *desk {
	t.Helper()
	db, err := store.Open(t.Context(), url, platform.Migrations(), feed.Tables(), store.Also("web", web.Migrations()), store.Erasing())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	d := &desk{t: t, db: db, civil: time.Date(2027, 4, 1, 9, 0, 0, 0, time.UTC), wall: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC), acts: office.Sensitive{}, mark: "as it was"}
	d.acts.Register(office.ReleaseHold, office.Effect{
		Mark: func(*store.Tx, office.Proposal) (string, error) { return d.mark, nil },
		Show: func(*store.Tx, office.Proposal) ([]office.Fact, error) { return nil, nil },
		Do:   func(context.Context, *store.Tx, office.Proposal, time.Time) error { d.done++; return nil }})
	return d
}

// in runs something in a transaction.
func in[T any](d *desk, do func(tx *store.Tx) (T, error)) (out T, err error) {
	err = d.db.Update(d.t.Context(), func(tx *store.Tx) (err error) { out, err = do(tx); return err })
	return out, err
}

// person gives somebody who has joined.
func (d *desk) person(name string, roles ...office.Role) office.Person {
	d.t.Helper()
	p, err := d.join(name, "user of "+name, roles...)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

func (d *desk) join(name, user string, roles ...office.Role) (office.Person, error) {
	d.t.Helper()
	i, token, err := office.NewInvitation(name, roles, "platform:1", d.civil, d.wall)
	if err != nil {
		d.t.Fatal(err)
	}
	i.Confirmed = true
	fresh := jitsuin.NewID()
	return in(d, func(tx *store.Tx) (office.Person, error) {
		if err := office.PutInvitation(tx, i, token); err != nil {
			return office.Person{}, err
		}
		return office.Join(tx, i.ID, user, fresh, d.civil, d.wall)
	})
}

func (d *desk) propose(by office.Person) (office.Proposal, error) {
	one := office.Proposal{ID: jitsuin.NewID(), Act: office.ReleaseHold, Subject: "thing", Body: json.RawMessage(`{}`), Reason: "和解が成立した"}
	return in(d, func(tx *store.Tx) (office.Proposal, error) { return d.acts.Propose(tx, by.ID, one, d.civil, d.wall) })
}

func (d *desk) mustPropose(by office.Person) office.Proposal {
	d.t.Helper()
	one, err := d.propose(by)
	if err != nil {
		d.t.Fatal(err)
	}
	return one
}

func (d *desk) approve(by office.Person, one office.Proposal, reason string) (office.Proposal, error) {
	return in(d, func(tx *store.Tx) (office.Proposal, error) {
		return d.acts.Approve(d.t.Context(), tx, by.ID, one.ID, reason, d.civil, d.wall)
	})
}

func (d *desk) code(err error, want string) {
	d.t.Helper()
	if jitsuin.CodeOf(err) != want {
		d.t.Errorf("got %q, want %q: %v", jitsuin.CodeOf(err), want, err)
	}
}

// cometo checks what an approval came to, and that nothing was done.
func (d *desk) cometo(by office.Person, one office.Proposal, want office.State, code string) {
	d.t.Helper()
	before := d.done
	got, err := d.approve(by, one, "確かめた")
	if err != nil || got.State != want || jitsuin.CodeOf(got.Outcome()) != code || d.done != before {
		d.t.Errorf("it came to %s %v (%v), done %d times", got.State, got.Outcome(), err, d.done-before)
	}
	_, err = d.approve(by, one, "確かめた")
	d.code(err, "proposal-decided")
}

func TestTwoPeopleAreNeeded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, url)
		first, second := d.person("記録 一", office.RecordsDesk), d.person("記録 二", office.RecordsDesk)
		admin, auditor := d.person("管理 一", office.Administrator), d.person("監査 一", office.Auditor)
		_, err := d.propose(auditor)
		d.code(err, "not-your-duty")
		_, err = d.propose(admin) // may approve, and may not propose
		d.code(err, "not-your-duty")

		one := d.mustPropose(first)
		_, err = d.approve(first, one, "私が見ました")
		d.code(err, "same-person")
		_, err = d.approve(auditor, one, "確かめた")
		d.code(err, "not-your-duty")
		_, err = d.approve(second, one, "  ")
		d.code(err, "reason")
		if d.done != 0 {
			t.Fatal("it took effect without a second person")
		}
		got, err := d.approve(second, one, "裁判所の通知を見た")
		if err != nil || got.State != office.Done || d.done != 1 || got.Decider != second.ID {
			t.Fatalf("%+v, %v, done %d times", got, err, d.done)
		}
		_, err = d.approve(admin, one, "もう一度")
		d.code(err, "proposal-decided")
		if d.done != 1 {
			t.Error("it took effect twice")
		}
	})
}

func TestAProposalComesToNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, url)
		boss, first, second := d.person("管理 一", office.Administrator), d.person("記録 一", office.RecordsDesk), d.person("記録 二", office.RecordsDesk)

		one := d.mustPropose(first) // the thing is changed meanwhile
		d.mark = "otherwise"
		d.cometo(second, one, office.Stale, "proposal-stale")

		one = d.mustPropose(first) // nobody approves in time: the last moment is too late
		d.wall = d.wall.Add(office.ProposalLife)
		d.cometo(second, one, office.Over, "proposal-over")

		one = d.mustPropose(first) // the first loses the role meanwhile
		if _, err := in(d, func(tx *store.Tx) ([]office.Role, error) {
			return office.SetRoles(tx, boss, first.ID, []office.Role{office.Operations})
		}); err != nil {
			t.Fatal(err)
		}
		d.cometo(second, one, office.Void, "proposal-void")
		in(d, func(tx *store.Tx) ([]office.Role, error) {
			return office.SetRoles(tx, boss, first.ID, []office.Role{office.RecordsDesk})
		})

		one = d.mustPropose(first) // the second loses the role meanwhile, whatever their session says
		in(d, func(tx *store.Tx) ([]office.Role, error) {
			return office.SetRoles(tx, boss, second.ID, []office.Role{office.Operations})
		})
		_, err := d.approve(second, one, "確かめた")
		d.code(err, "not-your-duty")

		if _, err := in(d, func(tx *store.Tx) (office.Proposal, error) { return office.Withdraw(tx, second.ID, one.ID, d.civil) }); jitsuin.CodeOf(err) != "not-your-proposal" {
			t.Error(err)
		}
		got, err := in(d, func(tx *store.Tx) (office.Proposal, error) {
			return office.Refuse(tx, boss.ID, one.ID, "根拠がない", d.civil)
		})
		if err != nil || got.State != office.Refused || d.done != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestALeaverIsCutOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, url)
		boss, first, second := d.person("管理 一", office.Administrator), d.person("記録 一", office.RecordsDesk), d.person("記録 二", office.RecordsDesk)
		token := web.NewToken()
		if _, err := in(d, func(tx *store.Tx) (bool, error) {
			return true, office.BeginSession(tx, token, first.ID, "127.0.0.1", []byte("certificate"), d.wall)
		}); err != nil {
			t.Fatal(err)
		}
		session := func() error {
			_, err := in(d, func(tx *store.Tx) (office.Session, error) {
				return office.SessionOf(tx, token, d.wall.Add(time.Minute))
			})
			return err
		}
		if err := session(); err != nil {
			t.Fatal(err)
		}
		one := d.mustPropose(first)
		_, err := in(d, func(tx *store.Tx) (office.Ended, error) { return office.End(tx, boss, boss.ID, d.civil, d.wall) })
		d.code(err, "own-roles")
		_, err = in(d, func(tx *store.Tx) (office.Ended, error) { return office.End(tx, second, boss.ID, d.civil, d.wall) })
		d.code(err, "last-administrator")
		e, err := in(d, func(tx *store.Tx) (office.Ended, error) { return office.End(tx, boss, first.ID, d.civil, d.wall) })
		if err != nil || e.Sessions != 1 || e.Proposals != 1 {
			t.Fatalf("%+v, %v", e, err)
		}
		d.code(session(), "no-session")
		_, err = d.approve(second, one, "確かめた")
		d.code(err, "proposal-decided")
		_, err = d.propose(first)
		d.code(err, "not-your-duty")

		// The same card comes back: the same person. And nobody counts as two.
		back, err := d.join("記録 一（再）", "user of 記録 一", office.RecordsDesk)
		if err != nil || back.ID != first.ID || !back.Works() {
			t.Errorf("%+v, %v", back, err)
		}
		_, err = d.join("別の名前", "user of 記録 二", office.Operations)
		d.code(err, "person-known")
	})
}

func TestInvitationsAndSessionsEnd(t *testing.T) {
	d := newDesk(t, storetest.SQLite().Fresh(t))
	boss := d.person("管理 一", office.Administrator)
	put := func(roles ...office.Role) (office.Invitation, string) {
		t.Helper()
		i, token, err := office.NewInvitation("新人", roles, boss.Caller(), d.civil, d.wall)
		if err == nil {
			_, err = in(d, func(tx *store.Tx) (bool, error) { return true, office.PutInvitation(tx, i, token) })
		}
		if err != nil {
			t.Fatal(err)
		}
		return i, token
	}
	opens := func(token string, after time.Duration) error {
		_, err := in(d, func(tx *store.Tx) (office.Invitation, error) { return office.Invited(tx, token, d.wall.Add(after)) })
		return err
	}
	i, token := put(office.Operations)
	if err := opens(token, office.InvitationLife-time.Second); err != nil {
		t.Error(err)
	}
	d.code(opens(token, office.InvitationLife), "invitation-unknown")
	d.code(opens(token+"x", 0), "invitation-unknown")
	if _, err := in(d, func(tx *store.Tx) (office.Invitation, error) { return office.WithdrawInvitation(tx, i.ID, d.wall) }); err != nil {
		t.Error(err)
	}
	d.code(opens(token, 0), "invitation-unknown")

	i, token = put(office.Administrator) // waits for a second person
	d.code(opens(token, 0), "invitation-unknown")
	if _, err := in(d, func(tx *store.Tx) (bool, error) { return true, office.ConfirmInvitation(tx, i.ID, d.wall) }); err != nil || opens(token, 0) != nil {
		t.Error(err)
	}

	session := web.NewToken()
	in(d, func(tx *store.Tx) (bool, error) {
		return true, office.BeginSession(tx, session, boss.ID, "seat", []byte{}, d.wall)
	})
	at := func(after time.Duration) error {
		_, err := in(d, func(tx *store.Tx) (office.Session, error) { return office.SessionOf(tx, session, d.wall.Add(after)) })
		return err
	}
	if err := at(office.SessionIdle - time.Second); err != nil {
		t.Error(err)
	}
	d.code(at(office.SessionIdle), "no-session")
	for used := 20 * time.Minute; used < office.SessionLife; used += 20 * time.Minute { // however busy, a day ends
		in(d, func(tx *store.Tx) (bool, error) { return true, office.Seen(tx, web.Hash(session), d.wall.Add(used)) })
	}
	if err := at(office.SessionLife - time.Second); err != nil {
		t.Error(err)
	}
	d.code(at(office.SessionLife), "no-session")
}
