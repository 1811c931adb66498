package errand

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Outcomes that need no Decide. Those of a Handler are its own words; "" is none yet.
const (
	Cancelled    = "cancelled"     // the person said no at the holder
	Late         = "late"          // answered after the request had ended
	HolderFailed = "holder-failed" // the holder answered with another error
	SecretWrong  = "secret-wrong"  // the browser that began typed other digits than the other device shows, too often
	SecretLate   = "secret-late"   // it typed none in time
)

// Request is what a holder is asked for.
type Request struct {
	Name  string // of the Handler
	About string // an id of the handler's own, such as of a consent; "" for none
	Act   api.Act
	// Purpose and PurposeEN are what the person is told.
	Purpose, PurposeEN string
	// Client is who asks, where that is not the platform itself but a tenant on whose behalf it does; the origin stays ours.
	Client    *api.RequestClient
	Documents []api.RequestDocument // of api.ActSign: one, at our origin
	Items     []string              // the four items that the document shows, or that a login asks for
	// Bound says that only the browser that begins may come back: every login is.
	Bound bool
	// Elsewhere says that another device answers than the one that begins: see BeginElsewhere.
	Elsewhere bool
	// With, where it is not nil, runs in the transaction that notes the errand.
	With func(tx *store.Tx) error
}

// Visit is an errand as its handler sees it.
type Visit struct {
	Txn     jitsuin.ID
	Name    string
	About   string
	Act     api.Act
	Outcome string // one of those above, or what Decide said
	Result  string // what Decide found, such as the id of who logged in
	// Challenge is of api.ActLogin: what the answer's signature is over.
	Challenge *api.ChallengeText
	// Looked is what the handler's Look gave.
	Looked any
	// Note notes in Decide's own transaction what it then gives as outcome and result. Where Decide does not call it, the desk notes it afterwards.
	Note func(tx *store.Tx, outcome, result string) error
	// Landed is what the handler's Land gave.
	Landed any
}

// Handler is what becomes of the errands of a name.
type Handler struct {
	// Look, where it is not nil, reads what Decide needs in the transaction in which the errand of an answer is looked up. An error is told to
	// the holder.
	Look func(tx *store.Tx, v Visit) (any, error)
	// Decide judges an answer. It may be called again with the same answer, where it failed or the process ended before the
	// outcome was noted, and must then come to the same. An error is told to the holder, which sends the answer again where it is
	// Unavailable; what is wrong with the answer is an outcome.
	Decide func(ctx context.Context, v Visit, a api.HolderAnswer) (outcome, result string, err error)
	// Present, where it is not nil, decides errands of ActPresent in the place of Decide: by the certificate of a browser that has proved
	// in a TLS handshake that it holds the key; leaf is nil where it showed none.
	Present func(ctx context.Context, v Visit, leaf *x509.Certificate) (outcome, result string, err error)
	// Ended, where it is not nil, is told of an errand that came to nothing at the holder: Cancelled, Late or HolderFailed.
	Ended func(ctx context.Context, v Visit) error
	// Elsewhere says that these errands may be answered on another device. Their answers are judged when they come in and have an effect when the
	// browser arrives, so that it may still be told to nobody: logins, and no signatures.
	Elsewhere bool
	// Land, where it is not nil, does what a return changes, in the transaction that notes the return. An error undoes both.
	Land func(r *http.Request, tx *store.Tx, v Visit) (any, error)
	// Arrive takes the browser back.
	Arrive func(w http.ResponseWriter, r *http.Request, v Visit) error
}

// Made is a request that was made: where it is, as it was signed, and of a login the challenge.
type Made struct {
	api.MadeRequest
	JWS       string
	Challenge *api.ChallengeText
}

// Desk sends browsers away and takes them back. Fill the fields before its first use.
type Desk struct {
	DB     *store.DB
	Origin string // of our pages
	Cookie string // by which a browser that began is known
	Log    *slog.Logger
	// Make draws and signs a request whose answer, with state, goes to Desk.ResponseURI.
	Make func(ctx context.Context, r Request, state string) (Made, error)
	// Open gives the address of the holder's page for a request that was made.
	Open func(txn jitsuin.ID) (string, error)
	// Secret is a key that does not lie in the database: what another device shows is drawn with it.
	Secret []byte
	// Record writes a line of the operation log about an errand.
	Record func(ctx context.Context, tx *store.Tx, act string, v Visit, detail map[string]string) error

	handlers map[string]Handler
	site     *web.Site
}

// Handle says what becomes of the errands of a name.
func (d *Desk) Handle(name string, h Handler) {
	if d.handlers == nil {
		d.handlers = map[string]Handler{}
	}
	d.handlers[name] = h
}

// ResponseURI is where holders post their answers.
func (d *Desk) ResponseURI() string { return d.Origin + answersPath }

const (
	answersPath = "/errands/answers"
	returnPath  = "/errands/return"
	visitLife   = time.Hour
	// returnGrace is how long after its use a code still leads the same browser on: a page that leads back by itself is clicked
	// on as well, and an answer that was cut off is asked for again.
	returnGrace = 10 * time.Second
	maxAnswer   = 8 << 20 // bytes of an answer: a document in base64
)

// Routes registers where answers and browsers come in.
func (d *Desk) Routes(a *httpapi.API, site *web.Site) {
	httpapi.Register(a, httpapi.Operation{ID: "errand-answer", Method: http.MethodPost, Path: answersPath, MaxBody: maxAnswer,
		Summary:     "Take in what a holder answers to a request of the platform's own",
		Description: "Found by txn and state. The same answer again gives the same address to return to; another one is a Conflict.",
		Policy:      httpapi.Public("txn and state of the request are the proof")}, d.answer)
	d.site = site
	d.screenRoutes(a)
	site.Handle(a, "GET "+returnPath, httpapi.Public("the one-time code, and the cookie of the browser that began, decide"), d.returned)
}

// Start makes a request and notes it. browser is the token of the browser that begins, "" where any may come back.
func (d *Desk) Start(ctx context.Context, r Request, browser string) (api.MadeRequest, error) {
	if h, ok := d.handlers[r.Name]; !ok || r.Bound != (browser != "") || r.Elsewhere && !(h.Elsewhere && r.Bound && r.Act == api.ActLogin) {
		return api.MadeRequest{}, jitsuin.Errorf(jitsuin.Internal, "errand-name", "nobody takes errands of the name %q like this", r.Name)
	}
	state := web.NewToken()
	made, err := d.Make(ctx, r, state)
	if err != nil {
		return api.MadeRequest{}, err
	}
	challenge, err := json.Marshal(made.Challenge)
	if err != nil {
		return api.MadeRequest{}, err
	}
	if browser != "" {
		browser = web.Hash(browser)
	}
	screen := 0
	if r.Elsewhere {
		screen = 1
	}
	return made.MadeRequest, d.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO errands (txn, name, about, act, state, browser, challenge, jws, expires_at, answer, code, outcome, result, used_at, screen)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', '', '', 0, $10)`,
			made.Txn, r.Name, r.About, string(r.Act), web.Hash(state), browser, string(challenge), made.JWS, store.Micros(made.ExpiresAt), screen)
		if err == nil && r.With != nil {
			err = r.With(tx)
		}
		if err != nil || !r.Elsewhere {
			return err
		}
		return d.Record(ctx, tx, "login-elsewhere-begun", Visit{Txn: made.Txn, Name: r.Name, About: r.About}, nil)
	})
}

// Begin starts a Bound request and leads the browser to its holder, in the language that it reads here. A browser that began
// something before keeps its cookie, so that two windows do not disturb each other.
func (d *Desk) Begin(w http.ResponseWriter, r *http.Request, q Request) error {
	q.Bound = true
	browser := d.browserToken(r)
	made, err := d.Start(r.Context(), q, browser)
	if err != nil {
		return err
	}
	to, err := url.Parse(made.Open)
	if err != nil {
		return err
	}
	query := to.Query()
	query.Set("lang", string(web.LangOf(r)))
	to.RawQuery = query.Encode()
	d.remember(w, browser)
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return nil
}

// browserToken is the token of the browser, a new one where it has none.
func (d *Desk) browserToken(r *http.Request) string {
	if t := d.browserOf(r); len(t) == len(web.NewToken()) {
		return t
	}
	return web.NewToken()
}

func (d *Desk) remember(w http.ResponseWriter, browser string) {
	http.SetCookie(w, &http.Cookie{Name: d.Cookie, Value: browser, Path: "/", MaxAge: int(visitLife / time.Second), HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: len(d.Origin) > 5 && d.Origin[:5] == "https"})
}

func (d *Desk) browserOf(r *http.Request) string {
	c, err := r.Cookie(d.Cookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// Signed gives a request as it was signed, for the holder; NotFound for one that is unknown or has expired, Conflict for one on another
// device that was answered: whoever scans its QR code late is told so before any PIN is typed.
func (d *Desk) Signed(tx *store.Tx, txn string) (jws string, err error) {
	var answer string
	var screen int64
	err = tx.QueryRow(`SELECT jws, answer, screen FROM errands WHERE txn = $1 AND expires_at > $2 AND jws <> ''`, txn, store.Micros(time.Now())).Scan(&jws, &answer, &screen)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", jitsuin.Errorf(jitsuin.NotFound, "request-unknown", "there is no such request, or it has expired")
	case err == nil && screen != 0 && answer != "":
		return "", jitsuin.Errorf(jitsuin.Conflict, "request-answered", "this request has been answered, or was ended where it began")
	}
	return jws, err
}

// Forget drops errands that expired before a time.
func (d *Desk) Forget(ctx context.Context, before time.Time) error {
	return d.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM errands WHERE expires_at < $1`, store.Micros(before))
		return err
	})
}

// row is an errand with what leads back to it.
type row struct {
	Visit
	state, browser, answer, code string
	expiresAt                    time.Time
	usedAt                       int64
	jws                          string
	screen                       bool // of another device
	secretUntil                  time.Time
	tries                        int
	proved                       bool // the browser that began typed what the other device shows
}

func find(tx *store.Tx, where, value string) (e row, err error) {
	var challenge []byte
	var ends, screen, until, proved int64
	err = tx.QueryRow(`SELECT txn, name, about, act, state, browser, challenge, jws, expires_at, answer, code, outcome, result, used_at, screen, secret_until, secret_tries, proved_at
		FROM errands WHERE `+where+` = $1`, value).
		Scan(&e.Txn, &e.Name, &e.About, &e.Act, &e.state, &e.browser, &challenge, &e.jws, &ends, &e.answer, &e.code, &e.Outcome, &e.Result, &e.usedAt, &screen, &until, &e.tries, &proved)
	if err != nil {
		return e, err
	}
	e.expiresAt, e.screen, e.secretUntil, e.proved = store.Time(ends), screen != 0, store.Time(until), proved != 0
	return e, json.Unmarshal(challenge, &e.Challenge)
}

type answerIn struct{ Body api.HolderAnswer }

type answerOut struct{ Body api.AnswerTaken }

// answer judges what a holder answers, and notes what came of it.
func (d *Desk) answer(ctx context.Context, in *answerIn) (*answerOut, error) {
	raw, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	digest := hex.EncodeToString(sum[:])
	e, err := d.asked(ctx, in.Body, digest)
	if err != nil {
		return nil, err
	}
	if e.answer == "" {
		if e, err = d.take(ctx, e, in.Body, digest); err != nil {
			return nil, err
		}
	}
	if e.screen {
		return &answerOut{api.AnswerTaken{ScreenSecret: d.shownFor(e)}}, nil
	}
	return &answerOut{api.AnswerTaken{ReturnURL: d.Origin + returnPath + "?code=" + url.QueryEscape(e.code)}}, nil
}

// asked finds the errand of an answer.
func (d *Desk) asked(ctx context.Context, a api.HolderAnswer, digest string) (e row, err error) {
	err = d.DB.View(ctx, func(tx *store.Tx) (err error) {
		if e, err = findAsked(tx, a, digest); err != nil || e.answer != "" || a.Error != "" {
			return err
		}
		if look := d.handlers[e.Name].Look; look != nil {
			e.Looked, err = look(tx, e.Visit)
		}
		return err
	})
	return e, err
}

func findAsked(tx *store.Tx, a api.HolderAnswer, digest string) (e row, err error) {
	e, err = find(tx, "txn", string(a.Txn))
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && (e.Act == ActPresent || subtle.ConstantTimeCompare([]byte(e.state), []byte(web.Hash(a.State))) != 1):
		return e, jitsuin.Errorf(jitsuin.NotFound, "answer-unknown", "this platform has not asked for this answer")
	case err != nil:
		return e, err
	case e.answer != "" && e.answer != digest:
		return e, jitsuin.Errorf(jitsuin.Conflict, "answer-given", "this request has been answered with something else")
	case a.Error == "" && e.Act == api.ActLogin && len(a.Signature) == 0:
		return e, jitsuin.Errorf(jitsuin.Invalid, "answer-form", "the answer has no signature").At("signature")
	case a.Error == "" && e.Act == api.ActSign && len(a.Documents) != 1:
		return e, jitsuin.Errorf(jitsuin.Invalid, "answer-form", "the answer has no document").At("documents")
	}
	return e, nil
}

func (d *Desk) decide(ctx context.Context, e row, a api.HolderAnswer) (outcome, result string, err error) {
	h := d.handlers[e.Name]
	switch {
	case a.Error == "access_denied":
		e.Outcome = Cancelled
	case time.Now().After(e.expiresAt):
		e.Outcome = Late
	case a.Error != "":
		e.Outcome = HolderFailed
	default:
		return h.Decide(ctx, e.Visit, a)
	}
	if h.Ended != nil {
		err = h.Ended(ctx, e.Visit)
	}
	return e.Outcome, "", err
}

// take has an answer judged and the outcome noted: by the handler with what it changes, or afterwards.
func (d *Desk) take(ctx context.Context, e row, a api.HolderAnswer, digest string) (row, error) {
	var noted row
	done, now, code := false, time.Now(), web.NewToken()
	e.Note = func(tx *store.Tx, outcome, result string) (err error) {
		said := e
		said.Outcome, said.Result = outcome, result
		if noted, err = d.noteIn(ctx, tx, said, digest, code, now); err == nil && noted.code != code {
			err = errAnswered
		}
		tx.AfterCommit(func() { done = true })
		return err
	}
	outcome, result, err := d.decide(ctx, e, a)
	switch {
	case errors.Is(err, errAnswered): // the same answer came in twice at a time, and the other was first
		return d.asked(ctx, a, digest)
	case err != nil:
		return e, err
	case done:
		return noted, nil
	}
	e.Outcome, e.Result = outcome, result
	return d.note(ctx, e, digest, code)
}

var errAnswered = errors.New("answered")

// note stores the outcome, unless the same answer came in twice at a time and the other was first.
func (d *Desk) note(ctx context.Context, e row, digest, code string) (noted row, err error) {
	now := time.Now()
	err = d.DB.Update(ctx, func(tx *store.Tx) (err error) { noted, err = d.noteIn(ctx, tx, e, digest, code, now); return err })
	return noted, err
}

func (d *Desk) noteIn(ctx context.Context, tx *store.Tx, e row, digest, code string, now time.Time) (noted row, err error) {
	done, err := tx.Exec(`UPDATE errands SET answer = $1, code = $2, outcome = $3, result = $4, secret_until = $5 WHERE txn = $6 AND answer = ''`,
		digest, code, e.Outcome, e.Result, store.Micros(now.Add(secretLife)), e.Txn)
	if err != nil {
		return e, err
	}
	n, err := done.RowsAffected()
	switch {
	case err != nil:
		return e, err
	case n == 0:
		if noted, err = find(tx, "txn", string(e.Txn)); err == nil && noted.answer != digest {
			err = jitsuin.Errorf(jitsuin.Conflict, "answer-given", "this request has been answered with something else")
		}
		return noted, err
	}
	noted = e
	noted.answer, noted.code, noted.secretUntil = digest, code, now.Add(secretLife)
	if noted.screen {
		tx.Notify(screenSignal)
		err = d.Record(ctx, tx, "login-elsewhere-answered", noted.Visit, nil)
	}
	return noted, err
}

// returned takes a browser back that comes from its holder.
func (d *Desk) returned(w http.ResponseWriter, r *http.Request) error {
	code, now := r.URL.Query().Get("code"), time.Now()
	if err := presentProblems[r.URL.Query().Get("problem")]; err != nil {
		return err
	}
	if code == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "return-code", "the address has no code")
	}
	var e row
	err := d.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		e, err = find(tx, "code", code)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return jitsuin.Errorf(jitsuin.NotFound, "return-code", "no return with this code is expected")
		case err != nil:
			return err
		case e.browser != "" && web.Hash(d.browserOf(r)) != e.browser:
			return jitsuin.Errorf(jitsuin.Denied, "return-browser", "another browser began this")
		case e.screen && e.needsSecret():
			return jitsuin.Errorf(jitsuin.NotFound, "return-code", "no return with this code is expected")
		case e.usedAt != 0 && now.Sub(store.Time(e.usedAt)) > returnGrace:
			return jitsuin.Errorf(jitsuin.Conflict, "return-used", "this address has been used")
		}
		if _, err = tx.Exec(`UPDATE errands SET used_at = $1 WHERE txn = $2 AND used_at = 0`, store.Micros(now), e.Txn); err != nil {
			return err
		}
		if land := d.handlers[e.Name].Land; land != nil {
			e.Landed, err = land(r, tx, e.Visit)
		}
		return err
	})
	if err != nil {
		return err
	}
	return d.handlers[e.Name].Arrive(w, r, e.Visit)
}
