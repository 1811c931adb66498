package openid

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// session is a row of openid_sessions: a person logged in at one client in one browser.
type session struct {
	id             string
	tenant, client string
	issuer         issuer
	user, browser  string
	acr            string
	items          string // sealed
	authTime       time.Time
	started        bool
	expiresAt      time.Time
	endedAt        int64
}

const sessionColumns = `id, tenant, client, issuer, user_id, browser, acr, items, auth_time, started_at, expires_at, ended_at`

func scanSession(s store.Scanner) (o session, err error) {
	var path string
	var at, started, expires int64
	err = s.Scan(&o.id, &o.tenant, &o.client, &path, &o.user, &o.browser, &o.acr, &o.items, &at, &started, &expires, &o.endedAt)
	o.issuer, o.authTime, o.started, o.expiresAt = issuerOf(path), store.Time(at), started != 0, store.Time(expires)
	return o, err
}

func (o session) put(tx *store.Tx) error {
	_, err := tx.Exec(`INSERT INTO openid_sessions (id, tenant, client, issuer, user_id, browser, acr, items, auth_time, started_at, expires_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, 0)`, o.id, o.tenant, o.client, o.issuer.path, o.user, o.browser, o.acr, o.items, store.Micros(o.authTime), store.Micros(o.expiresAt))
	return err
}

func (o session) over(now time.Time) bool { return o.endedAt != 0 || !now.Before(o.expiresAt) }

var errSessionOver = fault(invalidGrant, "the login is over")

func findSession(tx *store.Tx, tenant, id string) (session, error) {
	o, err := scanSession(tx.QueryRow(`SELECT `+sessionColumns+` FROM openid_sessions WHERE id = $1 AND tenant = $2`, id, tenant))
	if errors.Is(err, sql.ErrNoRows) {
		return o, errSessionOver
	}
	return o, err
}

// Login is a login that was asked for, as the platform's login code needs it.
type Login struct {
	Tenant string
	// CRL says that status is to be asked of the revocation list.
	CRL  bool
	Done bool // there is an answer already

	// Items are those that the person agreed to give, in the words of a request to the holder.
	Items []string

	request request
	session session
	errand  jitsuin.ID
}

// Pending gives the login of a request that an errand's answer is to be judged for; NotFound "login-unknown" where its time is over, or where
// another errand was answered: a browser may have begun several for one request, and one's answer must not open the way for another.
func (p *Provider) Pending(tx *store.Tx, id, errand jitsuin.ID) (*Login, error) {
	q, err := findRequest(tx, id, p.Now())
	if err == nil && q.session != "" && q.errand != errand {
		err = errRequestUnknown
	}
	if err != nil {
		return nil, err
	}
	now := p.Now()
	l := &Login{Tenant: q.tenant, CRL: slices.Contains(q.params.ACR, acrCRL), Done: q.session != "", request: q, errand: errand}
	l.session = session{id: string(jitsuin.NewID()), tenant: q.tenant, client: q.client, issuer: q.issuer, browser: q.browser, acr: acrOf(q.params.ACR),
		authTime: now, expiresAt: now.Add(sessionLife)}
	for _, a := range q.params.Agreed {
		h, _ := item(a.Name)
		l.Items = append(l.Items, h)
	}
	return l, nil
}

// Take takes what the holder read of the person, by the names of a request to the holder: what was not agreed to is dropped.
// Before Accept, and outside its transaction.
func (p *Provider) Take(l *Login, items map[string]string) error {
	g := given{}
	for _, a := range l.request.params.Agreed {
		h, _ := item(a.Name)
		if v, ok := items[h]; ok {
			g[a.Name] = v
		}
	}
	if len(g) == 0 {
		return nil
	}
	raw, err := json.Marshal(g)
	if err == nil {
		l.session.items = p.seal("items", l.session.id, raw)
	}
	return err
}

// Accept notes in the transaction of the login who logged in. A login that was accepted before is left as it is.
func (l *Login) Accept(tx *store.Tx, user string) error {
	done, err := tx.Exec(`UPDATE openid_requests SET session = $1, errand = $2 WHERE id = $3 AND tenant = $4 AND session = ''`, l.session.id, l.errand, l.request.id, l.Tenant)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	o := l.session
	o.user = user
	return o.put(tx)
}

// Outcome is how a login ended at the holder or in the platform's judgement.
type Outcome string

// Outcomes.
const (
	Welcome  Outcome = "welcome"
	Declined Outcome = "declined" // the person said no
	Refused  Outcome = "refused"  // the certificate or the signature is not accepted, for no reason of the following
	Revoked  Outcome = "revoked"  // the certificate is revoked or suspended
	Expired  Outcome = "expired"  // the certificate is not within its time
	Unsure   Outcome = "unsure"   // it cannot be told now whether the certificate is in force
	TooLate  Outcome = "late"     // the answer came too late
	Failed   Outcome = "failed"   // the holder could not go on
	Unproven Outcome = "unproven" // on another device: the browser that began does not know what that device shows
)

var whyNot = map[Outcome]string{
	Declined: "the person did not agree", Refused: "the certificate was not accepted", TooLate: "the person answered too late", Failed: "the card or the holder failed", Unproven: "the digits that the other device shows were not typed",
}

// told is what the client is told of a login that came to nothing. Why a certificate is not accepted is the person's business: the client
// learns that it is not.
func (o Outcome) told() error {
	switch o {
	case Unsure:
		return jitsuin.Errorf(jitsuin.Unavailable, "status-unknown", "it cannot be told now whether the certificate is in force")
	case Revoked, Expired:
		o = Refused
	}
	why := whyNot[o]
	if why == "" {
		why = whyNot[Failed]
	}
	return fault(accessDenied, "%s", why)
}

// Landed is what a browser's return has changed, for Arrive.
type Landed struct {
	request  request
	outcome  Outcome
	answered bool       // by a login, whether or not it came to something
	answer   url.Values // for the client, where the login is one
	wrong    error      // what the client is told in its place
}

// Land does, in the transaction that notes a browser's return from an errand, what it changes: a login whose errand is the one that was
// answered is the client's from now on; one that came to nothing is forgotten.
func (p *Provider) Land(r *http.Request, tx *store.Tx, id, errand jitsuin.ID, o Outcome) (l Landed, err error) {
	now := p.Now()
	q, err := findRequest(tx, id, now)
	switch {
	case err != nil:
		return l, err
	case q.browser != browserOf(r):
		return l, jitsuin.Errorf(jitsuin.Denied, "return-browser", "another browser began this")
	case o == Welcome && q.errand != errand:
		o = TooLate // two were answered at the same time, and the other was first
	}
	l = Landed{request: q, outcome: o, answered: q.session != ""}
	switch {
	case !l.answered:
	case o == Welcome:
		l.answer, l.wrong, err = p.finish(tx, q, now)
	case q.errand == errand: // answered on another device, and not finished here
		err = drop(tx, q.tenant, q.session, now)
	}
	return l, err
}

// Arrive leads a browser that has landed on to the client; by a page that says why, where the certificate was not accepted and somebody is
// there to read it.
func (p *Provider) Arrive(w http.ResponseWriter, r *http.Request, l Landed, attended bool) error {
	q := l.request
	switch {
	case l.wrong != nil:
		l.answer = errorAnswer(l.wrong)
	case l.answer != nil:
	case attended && !l.answered && p.Host.Words(string(l.outcome), q.params.Signing != "") != "":
		return p.explain(w, r, q, l.outcome)
	default:
		l.answer = errorAnswer(l.outcome.told())
	}
	return p.lead(w, r, q.issuer, q.params.RedirectURI, q.params.State, l.answer)
}

// drop ends a session that was not started, and forgets what was read of the person for it.
func drop(tx *store.Tx, tenant, id string, now time.Time) error {
	_, err := tx.Exec(`UPDATE openid_sessions SET ended_at = $1, items = '' WHERE id = $2 AND tenant = $3 AND started_at = 0`, store.Micros(now), id, tenant)
	return err
}

// finish starts the session of a request and gives the answer with its code, or what is wrong. Of one request there is one code.
func (p *Provider) finish(tx *store.Tx, q request, now time.Time) (answer url.Values, wrong, err error) {
	code := p.derived("code", q.id)
	o, err := findSession(tx, q.tenant, q.session)
	if errors.Is(err, errSessionOver) {
		return nil, err, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if wrong := o.fits(q.params, now); wrong != nil {
		return nil, wrong, drop(tx, o.tenant, o.id, now)
	}
	if _, err := tx.Exec(`UPDATE openid_sessions SET started_at = $1 WHERE id = $2 AND tenant = $3 AND started_at = 0`, store.Micros(now), o.id, o.tenant); err != nil {
		return nil, nil, err
	}
	if _, err := tx.Exec(`INSERT INTO openid_codes (code, tenant, client, request, session, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (code) DO NOTHING`,
		hashed(code), q.tenant, q.client, q.id, o.id, store.Micros(now.Add(codeLife))); err != nil {
		return nil, nil, err
	}
	answer = url.Values{"code": {code}}
	if q.issuer.state {
		answer.Set("session_state", o.id) // as a Keycloak has it
	}
	return answer, nil, o.noteGiven(tx, q.params.Agreed, now)
}

// noteGiven notes for the person's own view what they give: names, no values.
func (o session) noteGiven(tx *store.Tx, agreed []Wanted, now time.Time) error {
	if o.items == "" {
		return nil
	}
	var names []string
	for _, a := range agreed {
		names = append(names, a.Name)
	}
	_, err := tx.Exec(`INSERT INTO openid_given (session, tenant, client, user_id, claims, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (session) DO NOTHING`,
		o.id, o.tenant, o.client, o.user, strings.Join(names, " "), store.Micros(now))
	return err
}

// fits tells whether a login is what was asked for.
func (o session) fits(q params, now time.Time) error {
	switch {
	case q.Subject != "" && q.Subject != o.user:
		return fault(loginRequired, "somebody else logged in than the one who was asked for")
	case len(q.ACRNeeded) > 0 && !slices.Contains(q.ACRNeeded, o.acr):
		return fault(unmetRequirements, "the login was of another authentication context")
	case o.over(now):
		return fault(loginRequired, "the login is over")
	}
	return nil
}

// silently answers prompt=none from the session of this client in this browser.
func (p *Provider) silently(w http.ResponseWriter, r *http.Request, c client, q request) error {
	if len(q.params.Claims) > 0 {
		return fault(interactionRequired, "a person's data are read from their card, with their PIN; prompt=none gives none")
	}
	o, err := p.current(r.Context(), c, q)
	if err != nil {
		return err
	}
	now := p.Now()
	switch age := now.Sub(o.authTime); {
	case q.params.MaxAge != nil && age > time.Duration(*q.params.MaxAge)*time.Second:
		return fault(loginRequired, "the login is older than max_age")
	case slices.Contains(q.params.ACR, acrCRL) && !strings.Contains(o.acr, acrCRL):
		return fault(loginRequired, "the login did not ask the revocation list")
	}
	if err := o.fits(q.params, now); err != nil {
		return err
	}
	good, err := p.Host.Good(r.Context(), c.tenant, o.user)
	if err != nil {
		return err
	}
	if !good {
		return fault(loginRequired, "the certificate of the login is no more in force")
	}
	q.session = o.id
	var answer url.Values
	var wrong error
	err = p.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		if err = q.save(tx); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE openid_requests SET session = $1 WHERE id = $2 AND tenant = $3`, o.id, q.id, q.tenant); err != nil {
			return err
		}
		answer, wrong, err = p.finish(tx, q, now)
		return err
	})
	if err = errors.Join(err, wrong); err != nil {
		return err
	}
	return p.lead(w, r, q.issuer, q.params.RedirectURI, q.params.State, answer)
}

// current gives the newest session of a client in a browser; login_required where there is none.
func (p *Provider) current(ctx context.Context, c client, q request) (o session, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		o, err = scanSession(tx.QueryRow(`SELECT `+sessionColumns+` FROM openid_sessions
			WHERE browser = $1 AND client = $2 AND tenant = $3 AND issuer = $4 AND started_at > 0 AND ended_at = 0 AND expires_at > $5 ORDER BY auth_time DESC LIMIT 1`,
			q.browser, c.id, c.tenant, q.issuer.path, store.Micros(p.Now())))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return o, fault(loginRequired, "nobody is logged in at this client in this browser")
	}
	return o, err
}
