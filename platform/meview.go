package platform

import (
	"context"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
)

// meView is what a resident sees of themself. It is joined over tenants from the certificates that are known for this very person; no id of
// a tenant's is in it.
type meView struct {
	Certificates  []meCertificate
	Checks        []meCheck
	Looks         []meLook
	Consents      []meConsent
	Supplies      []meSupply
	Subscriptions []meSubscription
	Records       []meRecord
	Tries         []meTry
	Children      []meChild
	Child         *meChild // whose record it is, where a legal representative looks; nil for their own
	ChildForm     *web.Form
	Added         string       // what came of adding a child, where it was not added
	NotAdded      string       // the stem of the words about a child's certificate that was refused
	Done          string       // what has just been done, or not
	Since         jitsuin.Date // uses before this day are left out; zero for none
	Form          *web.Form
	Lost          string // where a card is reported lost; "" where nobody knows
	Logins        []meLogin
	Given         []meGiven
	Ended         bool // a login was ended just now
}

// meLogin is a login at a client that goes on.
type meLogin struct {
	ID         string
	Firm       meFirm
	Client     string
	Since, End time.Time
}

// meGiven is what the person gave at a login.
type meGiven struct {
	At     time.Time
	Firm   meFirm
	Claims []string
}

// meFirm is a tenant by the names that people read.
type meFirm struct{ JA, EN string }

type meCheck struct {
	At      time.Time
	Firm    meFirm
	Sort    string
	Purpose string
}

type meLook struct {
	At              time.Time
	Firm            meFirm
	Purpose, Status string
}

type meConsent struct {
	ID                   jitsuin.ID
	Firm                 meFirm
	ServiceJA            string
	ServiceEN            string
	Purpose, State       string
	GivenOn, LastDay     jitsuin.Date
	InForce, MayWithdraw bool
}

type meSupply struct {
	At        time.Time
	Firm      meFirm
	ServiceJA string
	ServiceEN string
	Items     []string
}

type meSubscription struct {
	Since   time.Time
	Firm    meFirm
	Purpose string
}

type meRecord struct {
	Firm      meFirm
	Kind, Law string
	MadeAt    time.Time
	KeepUntil jitsuin.Date
}

// mine are the queries of a meView. Each goes from the person of our own sector over their certificates.
const (
	ofMe = ` JOIN check_certificates k ON k.verification = c.id AND k.tenant = c.tenant JOIN person_certificates m ON m.kind = k.kind AND m.serial = k.serial
		JOIN tenants t ON t.id = c.tenant WHERE m.person = $1 `
	mineWhy = `/* every tenant: a resident's own view, by their certificates */ `

	mineChecks = mineWhy + `SELECT c.checked_at, t.name, t.name_en, c.sort, c.purpose FROM checks c` + ofMe + `AND c.checked_at >= $2 ORDER BY c.checked_at DESC, c.id LIMIT 200`
	mineLooks  = mineWhy + `SELECT s.checked_at, t.name, t.name_en, s.purpose, s.status FROM status_checks s JOIN check_certificates k ON k.verification = s.verification AND k.tenant = s.tenant
		JOIN person_certificates m ON m.kind = k.kind AND m.serial = k.serial JOIN tenants t ON t.id = s.tenant WHERE m.person = $1 ORDER BY s.checked_at DESC, s.id LIMIT 200`
	mineRecords  = mineWhy + `SELECT r.made_at, t.name, t.name_en, r.kind, r.law, r.keep_until FROM vault_records r JOIN checks c ON c.id = r.verification AND c.tenant = r.tenant` + ofMe + `ORDER BY r.made_at DESC, r.id LIMIT 200`
	mineConsents = mineWhy + `SELECT n.id, t.name, t.name_en, n.service, n.service_en, n.purpose, n.state, n.given_on, n.last_day FROM consents n
		JOIN person_certificates m ON m.kind = n.kind AND m.serial = n.serial JOIN tenants t ON t.id = n.tenant WHERE m.person = $1 ORDER BY n.drawn_at DESC, n.id LIMIT 200`
	mineSupplies = mineWhy + `SELECT l.at, t.name, t.name_en, n.service, n.service_en, l.items FROM latest_items l JOIN consents n ON n.id = l.consent AND n.tenant = l.tenant
		JOIN person_certificates m ON m.kind = n.kind AND m.serial = n.serial JOIN tenants t ON t.id = l.tenant WHERE m.person = $1 AND l.found = 1 ORDER BY l.at DESC, l.id LIMIT 200`
	mineSubscriptions = mineWhy + `SELECT DISTINCT s.since, t.name, t.name_en, s.purpose FROM subscriptions s JOIN check_certificates k ON k.tenant = s.tenant AND k.user_id = s.user_id
		JOIN person_certificates m ON m.kind = k.kind AND m.serial = k.serial JOIN tenants t ON t.id = s.tenant WHERE m.person = $1 ORDER BY s.since DESC LIMIT 200`
)

// usageOf reads what there is of a person.
func (p *Platform) usageOf(ctx context.Context, person jitsuin.ID, since jitsuin.Date) (v meView, err error) {
	from := int64(0)
	if !since.IsZero() {
		from = store.Micros(since.Start())
	}
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		v = meView{Since: since}
		if v.Checks, err = store.Collect(scanMeCheck)(tx.Query(mineChecks, person, from)); err != nil {
			return err
		}
		if v.Tries, err = store.Collect(scanMeTry)(tx.Query(mineTries, person, from)); err != nil {
			return err
		}
		if v.Children, err = childrenOf(tx, person); err != nil {
			return err
		}
		if v.Looks, err = store.Collect(scanMeLook)(tx.Query(mineLooks, person)); err != nil {
			return err
		}
		if v.Consents, err = store.Collect(scanMeConsent)(tx.Query(mineConsents, person)); err != nil {
			return err
		}
		if v.Supplies, err = store.Collect(scanMeSupply)(tx.Query(mineSupplies, person)); err != nil {
			return err
		}
		if v.Subscriptions, err = store.Collect(scanMeSubscription)(tx.Query(mineSubscriptions, person)); err != nil {
			return err
		}
		if v.Records, err = store.Collect(scanMeRecord)(tx.Query(mineRecords, person)); err != nil {
			return err
		}
		return v.readLogins(tx, person, time.Now())
	})
	if err == nil {
		v.Certificates, err = p.certificatesOf(ctx, person)
	}
	return v, err
}

func firm(name, nameEN string) meFirm {
	if nameEN == "" {
		nameEN = name
	}
	return meFirm{name, nameEN}
}

func scanMeCheck(s store.Scanner) (c meCheck, err error) {
	var at int64
	err = s.Scan(&at, &c.Firm.JA, &c.Firm.EN, &c.Sort, &c.Purpose)
	c.At, c.Firm = store.Time(at), firm(c.Firm.JA, c.Firm.EN)
	return c, err
}

func scanMeLook(s store.Scanner) (l meLook, err error) {
	var at int64
	err = s.Scan(&at, &l.Firm.JA, &l.Firm.EN, &l.Purpose, &l.Status)
	l.At, l.Firm = store.Time(at), firm(l.Firm.JA, l.Firm.EN)
	return l, err
}

func scanMeConsent(s store.Scanner) (c meConsent, err error) {
	var given, last string
	if err = s.Scan(&c.ID, &c.Firm.JA, &c.Firm.EN, &c.ServiceJA, &c.ServiceEN, &c.Purpose, &c.State, &given, &last); err != nil {
		return c, err
	}
	c.Firm = firm(c.Firm.JA, c.Firm.EN)
	c.InForce, c.MayWithdraw = c.State == api.ConsentInForce, c.State == api.ConsentInForce || c.State == api.ConsentForgotten
	if err = c.GivenOn.UnmarshalText([]byte(given)); err == nil {
		err = c.LastDay.UnmarshalText([]byte(last))
	}
	return c, err
}

func scanMeSupply(s store.Scanner) (m meSupply, err error) {
	var at int64
	var items string
	err = s.Scan(&at, &m.Firm.JA, &m.Firm.EN, &m.ServiceJA, &m.ServiceEN, &items)
	m.At, m.Firm, m.Items = store.Time(at), firm(m.Firm.JA, m.Firm.EN), strings.Split(items, ",")
	return m, err
}

func scanMeSubscription(s store.Scanner) (m meSubscription, err error) {
	var since int64
	err = s.Scan(&since, &m.Firm.JA, &m.Firm.EN, &m.Purpose)
	m.Since, m.Firm = store.Time(since), firm(m.Firm.JA, m.Firm.EN)
	return m, err
}

func scanMeRecord(s store.Scanner) (m meRecord, err error) {
	var at int64
	var until string
	if err = s.Scan(&at, &m.Firm.JA, &m.Firm.EN, &m.Kind, &m.Law, &until); err != nil {
		return m, err
	}
	m.MadeAt, m.Firm = store.Time(at), firm(m.Firm.JA, m.Firm.EN)
	return m, m.KeepUntil.UnmarshalText([]byte(until))
}
