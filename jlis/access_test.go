package jlis

import (
	"bytes"
	"crypto"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/status"
)

// reissued brings somebody with both certificates into a running country, without a chip.
func (c *country) reissued(items jitsuin.FourItems, n int) (jitsuin.ID, map[jitsuin.CertKind]record) {
	c.Helper()
	d := &desk{c, c.agency, 0}
	subject := jitsuin.NewID()
	at := c.notice(entered(subject, items))
	app := d.reissue(subject, items, d.held(subject), map[jitsuin.CertKind]int{jitsuin.SignCert: 2 * n, jitsuin.AuthCert: 2*n + 1})
	app.Position = at
	c.applyFor(app)
	c.delivered(app.ID)
	return subject, d.living(subject)
}

func TestStatusIsForAccreditedVerifiersOnly(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	_, living := c.reissued(hanako, 0)
	eventually(t, "the status origin is ready", func() bool { return c.agency.node.ready() == nil })
	id, err := cert.NewCertID(crypto.SHA1, c.agency.authority[jitsuin.SignCert].cert, living[jitsuin.SignCert].Serial.Big())
	must(t, err)
	request := cert.OCSPRequest{IDs: []cert.CertID{id}}.Marshal()
	tries := func(as string) map[string]int {
		got := map[string]int{}
		got["ocsp"], _ = c.ask(as, "POST", "/ocsp", request)
		got["crl"], _ = c.ask(as, "GET", "/crl/sign", nil)
		got["partition"], _ = c.ask(as, "GET", "/crl/auth/91202", nil)
		_, err := api.Client{Remote: c.as(as, "jlis:1")}.Links(t.Context(), api.Link{Kind: jitsuin.SignCert, Serial: living[jitsuin.SignCert].Serial.String()})
		got["links"] = map[bool]int{true: 200, false: 403}[err == nil]
		if err != nil && jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("%s: links: %v", as, err)
		}
		return got
	}
	expect := func(when, as string, want int) {
		t.Helper()
		for what, got := range tries(as) {
			if got != want {
				t.Errorf("%s: %s asks for %s: HTTP %d, want %d", when, as, what, got, want)
			}
		}
	}
	expect("nobody is accredited", "platform:1", 403)
	expect("nobody is accredited", "municipality:91201", 403)
	c.accredit("platform:1", minister.InForce)
	expect("accredited, not notified", "platform:1", 403)
	notify := func(as string, from jitsuin.Date) error {
		return api.Client{Remote: c.as(as, "jlis:1")}.NotifyVerifier(t.Context(), api.Verifier{Name: as, Office: "1F", StartsOn: from})
	}
	today := jitsuin.DateOf(time.Now())
	must(t, notify("platform:1", today.AddDays(1)))
	expect("notified for tomorrow", "platform:1", 403)
	must(t, notify("platform:1", today))
	expect("accredited and notified", "platform:1", 200)
	must(t, notify("platform:2", today))
	expect("notified, not accredited", "platform:2", 403)
	if err := notify("service:x", today); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("a service notified: %v", err)
	}
	c.accredit("verifier:country", minister.InForce)
	expect("named by the law", "verifier:country", 200)
	c.accredit("platform:1", minister.Suspended)
	expect("suspended", "platform:1", 403)
	c.accredit("platform:1", minister.InForce)
	expect("lifted", "platform:1", 200)
	// A notification is about one accreditation: one about another, or about none after a new one was named, gives nothing.
	about := func(id jitsuin.ID) {
		t.Helper()
		must(t, api.Client{Remote: c.as("platform:1", "jlis:1")}.NotifyVerifier(t.Context(), api.Verifier{Name: "p", Office: "1F", StartsOn: today, Accreditation: id}))
	}
	about(jitsuin.NewID())
	expect("notified of another accreditation", "platform:1", 403)
	about(c.accreditation("platform:1"))
	expect("notified of this accreditation", "platform:1", 200)
	c.accredit("platform:1", minister.InForce) // another one, by its id
	expect("accredited anew", "platform:1", 403)
	about(c.accreditation("platform:1"))
	expect("notified anew", "platform:1", 200)
	if n := (&desk{c, c.agency, 0}).count(`SELECT COUNT(*) FROM verifier_notice WHERE instance = 'platform:1'`); n != 5 {
		t.Errorf("%d notifications are on file", n)
	}
	c.agency.Clock.Set(366 * 24 * time.Hour)
	expect("the accreditation has run out", "platform:1", 403)
	if status, _ := plainGet(t, c.address["status:1"], "/crl/sign"); status != 401 {
		t.Errorf("without a token: HTTP %d", status)
	}
	if status, body := plainGet(t, c.address["jlis:1"], "/ca/sign.cer"); status != 200 || !strings.Contains(body, "JPKI-TEST") {
		t.Errorf("the CA certificate: HTTP %d", status)
	}
	if status, body := plainGet(t, c.address["jlis:1"], "/ca/face.pub"); status != 200 {
		t.Errorf("the root of card-face signatures: %d %s", status, body)
	} else if anchor, err := contents.ParseAnchor([]byte(body)); err != nil || !bytes.HasPrefix(anchor.ID[:], []byte("JITSUIN")) {
		t.Errorf("the root of card-face signatures: %q %v", anchor.ID, err)
	}
	if status, _ := plainGet(t, c.address["jlis:1"], "/ca/phone.cer"); status != 404 {
		t.Errorf("a CA that does not exist: HTTP %d", status)
	}
}

// accreditation gives the id of a verifier's accreditation as J-LIS has heard it.
func (c *country) accreditation(verifier string) jitsuin.ID {
	c.Helper()
	var body string
	must(c, c.agency.DB.View(c.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT body FROM accreditation WHERE verifier = $1`, verifier).Scan(&body)
	}))
	var a minister.Accreditation
	must(c, json.Unmarshal([]byte(body), &a))
	return a.ID
}

func plainGet(t *testing.T, address, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + address + path)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	must(t, err)
	return resp.StatusCode, string(body)
}

func TestLinksNameAllCertificatesOfAPersonAndNobodyElses(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	subject, first := c.reissued(hanako, 0)
	_, other := c.reissued(moved, 1)
	d := &desk{c, c.agency, 0}
	var card jitsuin.ID
	d.view(func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT id FROM card WHERE subject = $1`, string(subject)).Scan(&card)
	})
	app := d.reissue(subject, hanako, card, map[jitsuin.CertKind]int{jitsuin.SignCert: 4})
	app.Position = jitsuin.Position{Epoch: 1, N: c.n}
	c.applyFor(app)
	c.delivered(app.ID)
	c.accredit("platform:1", minister.InForce)
	client := api.Client{Remote: c.as("platform:1", "jlis:1")}
	must(t, client.NotifyVerifier(t.Context(), api.Verifier{Name: "p", Office: "o", StartsOn: jitsuin.DateOf(time.Now())}))
	want := map[api.Link]bool{}
	for _, r := range []record{first[jitsuin.SignCert], first[jitsuin.AuthCert], d.living(subject)[jitsuin.SignCert]} {
		want[api.Link{Kind: r.Kind, Serial: r.Serial.String()}] = true
	}
	for link := range want { // from each of them, also the superseded one
		got, err := client.Links(t.Context(), link)
		must(t, err)
		for _, l := range got {
			if !want[l] || len(got) != len(want) {
				t.Errorf("from %v: %v", link, got)
			}
		}
	}
	never, err := c.agency.codecs[jitsuin.SignCert].Encode(1, 1_000_000)
	must(t, err)
	for name, link := range map[string]api.Link{
		"never issued":         {Kind: jitsuin.SignCert, Serial: never.String()},
		"wrong check bits":     {Kind: jitsuin.SignCert, Serial: strings.Repeat("1", 32)},
		"the other kind":       {Kind: jitsuin.AuthCert, Serial: other[jitsuin.SignCert].Serial.String()},
		"the CA's certificate": {Kind: jitsuin.SignCert, Serial: serialOf(c.agency.authority[jitsuin.SignCert])},
	} {
		if got, err := client.Links(t.Context(), link); jitsuin.KindOf(err) != jitsuin.NotFound {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	if _, err := client.Links(t.Context(), api.Link{Kind: jitsuin.SignCert, Serial: "xyz"}); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("no serial number: %v", err)
	}
	for _, r := range c.agency.API.Routes() { // a serial number has no place in a URL
		if r.Path == "/links" && r.Method != http.MethodPost {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

func serialOf(u *authority) string {
	s, _ := cert.SerialOf(u.cert.SerialNumber)
	return s.String()
}

func TestParkedNoticesAndUnreadableFeedsAreAlarms(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	eventually(t, "all is well", func() bool { return len(c.agency.API.Unready(t.Context())) == 0 })
	stranger := entered(jitsuin.NewID(), hanako)
	stranger.Cause = jitsuin.CauseMoveWithin
	c.notice(stranger)
	eventually(t, "the parked notice is an alarm", func() bool {
		return strings.Contains(c.agency.API.Unready(t.Context())["feed jukinet:1 jlis"], "parked")
	})
	// Another person's affairs go on; the stranger's application waits, and is an alarm in time.
	c.reissued(hanako, 0)
	d := &desk{c, c.agency, 0}
	app := d.reissue(stranger.Subject, hanako, d.held(stranger.Subject), both)
	app.Position = jitsuin.Position{Epoch: 1, N: 1}
	c.applyFor(app)
	eventually(t, "the application is known", func() bool { return d.count(`SELECT COUNT(*) FROM application WHERE id = $1`, string(app.ID)) == 1 })
	must(t, c.agency.DB.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE application SET received_at = received_at - 61000000 WHERE id = $1`, string(app.ID))
		return err
	}))
	if wrong := c.agency.API.Unready(t.Context())["applications"]; !strings.Contains(wrong, "1 applications") {
		t.Errorf("the waiting application: %q", wrong)
	}
	if got := d.state(app.ID); got.State != appWaiting {
		t.Errorf("the application is %s", got.State)
	}
	// A town that applies for another's residents is refused as a whole.
	app.ID, app.Municipality = jitsuin.NewID(), yugiri
	c.applyFor(app)
	eventually(t, "the false application is parked", func() bool {
		return strings.Contains(c.agency.API.Unready(t.Context())["feed municipality:91201 applications"], "parked")
	})
}

// The official cadence publishes by the civil clock: OCSP at the quarter hour, lists at midnight.
func TestTheOfficialCadence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	w.config.Status.Cadence = status.Official
	d := newDesk(t, w)
	// The middle of a civil quarter hour, well before midnight.
	noon := jitsuin.DateOf(time.Now()).AddDays(2).Start().Add(12*time.Hour + 7*time.Minute)
	d.Clock.Set(time.Until(noon))
	subject := d.holder(hanako, 0)
	had := d.living(subject)[jitsuin.SignCert]
	u := d.authority[jitsuin.SignCert]
	number := func() uint64 {
		der, err := d.node.lists.get(t.Context(), u, (*d.node.sets.Load())[u.keyID()], "")
		must(t, err)
		list, err := cert.ParseCRL(der)
		must(t, err)
		must(t, list.Verify(u.cert, cert.Algorithms{}))
		return list.Number.Uint64()
	}
	ask := func() cert.State {
		id, err := cert.NewCertID(crypto.SHA256, u.cert, had.Serial.Big())
		must(t, err)
		der, _ := d.node.ocsp.Load().Respond(t.Context(), cert.OCSPRequest{IDs: []cert.CertID{id}}.Marshal())
		answer, err := cert.ParseOCSPResponse(der)
		must(t, err)
		return answer.Singles[0].State
	}
	d.feedNode()
	before := number()
	c := entered(subject, moved)
	c.Cause = jitsuin.CauseMoveWithin
	d.change(c)
	d.feedNode()
	if len(d.living(subject)) != 1 {
		t.Fatal("by law it has ended")
	}
	if got := ask(); got != cert.Good {
		t.Errorf("before the quarter hour OCSP says %s", got)
	}
	if number() != before {
		t.Error("a second list was made on one day")
	}
	d.Clock.Set(time.Until(noon) + 9*time.Minute)
	if got := ask(); got != cert.Revoked {
		t.Errorf("after the quarter hour OCSP says %s", got)
	}
	d.Clock.Set(time.Until(noon) + 13*time.Hour)
	if after := number(); after != before+1 {
		t.Errorf("after midnight the list has the number %d, not %d", after, before+1)
	}
}

// feedNode brings the status events that were sent into the node, as its follower would.
func (d *desk) feedNode() {
	d.Helper()
	versions := map[string]uint64{}
	for _, s := range d.statusEvents() {
		versions[s.Serial]++
		must(d, d.node.apply(d.Context(), eventOf(d, s, versions[s.Serial])))
	}
}

// Numbers of lists rise over restarts and changed content, and nothing else makes a new list.
func TestListNumbersRiseForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	d := newDesk(t, w)
	subject := d.holder(hanako, 0)
	numbers := func(d *desk) uint64 {
		u := d.authority[jitsuin.SignCert]
		der, err := d.node.lists.get(t.Context(), u, (*d.node.sets.Load())[u.keyID()], asagiri)
		must(t, err)
		list, err := cert.ParseCRL(der)
		must(t, err)
		return list.Number.Uint64()
	}
	d.feedNode()
	first := numbers(d)
	if again := numbers(d); again != first {
		t.Errorf("the same content got the numbers %d and %d", first, again)
	}
	c := entered(subject, moved)
	c.Cause = jitsuin.CauseMoveWithin
	d.change(c)
	d.feedNode()
	second := numbers(d)
	must(t, d.Close())
	d = &desk{t, w.open(t), d.n}
	d.feedNode()
	if third := numbers(d); !(first < second && second < third) {
		t.Errorf("numbers %d, %d, %d", first, second, third)
	}
	if n := d.count(`SELECT COUNT(*) FROM crl WHERE der IS NOT NULL AND keep_until > '2030-01-01'`); n != 3 {
		t.Errorf("%d lists are kept", n)
	}
}

// A list that counts a change has it, also where the event is dated in the second after the list's.
// Otherwise the list would hold without the revocation until something else changes.
func TestAListHasEveryChangeThatItCounts(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	subject := d.holder(hanako, 0)
	r := d.living(subject)[jitsuin.SignCert]
	u := d.authority[jitsuin.SignCert]
	d.feedNode()
	at := d.Clock.Now().Add(2 * time.Second)
	must(t, d.node.apply(t.Context(), eventOf(t, api.StatusEvent{Kind: r.Kind, Serial: r.Serial.String(), Issuer: u.keyID(), Municipality: asagiri,
		IssuedAt: r.NotBefore, NotAfter: r.NotAfter, State: api.StateRevoked, RevokedAt: &at, Reason: jitsuin.ReasonAffiliationChanged}, 2)))
	for _, town := range []jitsuin.MunicipalityCode{"", asagiri} {
		der, err := d.node.lists.get(t.Context(), u, (*d.node.sets.Load())[u.keyID()], town)
		must(t, err)
		list, err := cert.ParseCRL(der)
		must(t, err)
		if _, listed := list.Lookup(r.Serial.Big()); !listed {
			t.Errorf("the list of %q lacks a revocation that it counts", town)
		}
	}
}

// Sets count a certificate's events in 16 bits; a later one is refused, not taken for an earlier one,
// which would leave a revoked certificate good.
func TestAStatusEventBeyondWhatSetsCountIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	d.holder(hanako, 0)
	d.feedNode()
	revoked := d.statusEvents()[0]
	at := d.Clock.Now()
	revoked.State, revoked.RevokedAt, revoked.Reason = api.StateRevoked, &at, jitsuin.ReasonKeyCompromise
	serial, err := parseSerial(revoked.Serial)
	must(t, err)
	for _, version := range []uint64{1 << 16, 1<<16 + 1, 1 << 63} {
		if err := d.node.apply(t.Context(), eventOf(t, revoked, version)); jitsuin.KindOf(err) != jitsuin.Unsupported {
			t.Errorf("version %d: %v", version, err)
		}
	}
	must(t, d.node.apply(t.Context(), eventOf(t, revoked, 1<<16-1)))
	if a := (*d.node.sets.Load())[revoked.Issuer].Lookup(serial); a.State != cert.Revoked {
		t.Errorf("the last version that counts leaves the certificate %s", a.State)
	}
}

func TestTheNextSuiteAndTheNextGeneration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	d := newDesk(t, w)
	subject := d.holder(hanako, 0)
	old := d.living(subject)
	must(t, d.Close())
	w.config.Generation, w.config.Suite = 2, cert.P384SHA384
	d = &desk{t, w.open(t), d.n}
	if len(d.all) != 4 || len(*d.responders.Load()) != 4 {
		t.Fatalf("%d CA keys, %d responders", len(d.all), len(*d.responders.Load()))
	}
	second := d.holder(moved, 1)
	u := d.authority[jitsuin.SignCert]
	c, err := cert.Parse(d.living(second)[jitsuin.SignCert].DER)
	must(t, err)
	previous := d.all[0]
	if previous.kind != jitsuin.SignCert || previous.generation != 1 || !cert.SameName(previous.cert.RawSubject, u.cert.RawSubject) {
		t.Fatal("the generations do not share a name")
	}
	if _, err := cert.ValidatePath(t.Context(), c, cert.PathOptions{Anchors: anchors(d), At: d.Clock.Now(), Kind: jitsuin.SignCert}); err != nil {
		t.Error(err)
	}
	if _, err := cert.ValidatePath(t.Context(), c, cert.PathOptions{Anchors: anchors(d)[:1], At: d.Clock.Now()}); err == nil {
		t.Error("the old generation's key vouches for the new one's certificates")
	}
	// The old generation goes on answering for its own.
	moving := entered(subject, moved)
	moving.Cause = jitsuin.CauseMoveWithin
	d.change(moving)
	d.feedNode()
	sets := *d.node.sets.Load()
	if a := sets[previous.keyID()].Lookup(old[jitsuin.SignCert].Serial); a.State != cert.Revoked {
		t.Errorf("the old set says %s", a.State)
	}
	if a := sets[u.keyID()].Lookup(old[jitsuin.SignCert].Serial); a.State != cert.Unknown {
		t.Errorf("the new set says %s of an old certificate", a.State)
	}
}

// Nobody is answered from a memory that has not caught up or has lost its source.
func TestStatusThatIsBehindIsNotGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	d := newDesk(t, w) // not running: nothing was ever read
	if err := d.node.ready(); jitsuin.CodeOf(err) != "status-behind" {
		t.Fatal(err)
	}
	if _, err := d.node.revocationList(t.Context(), jitsuin.SignCert, "", ""); jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Errorf("a list: %v", err)
	}
	d.node.caughtUp.Store(true)
	d.node.contact.Store(time.Now().Add(-2 * staleAfter).UnixMilli())
	if err := d.node.ready(); jitsuin.CodeOf(err) != "status-behind" {
		t.Errorf("long without contact: %v", err)
	}
	d.node.contact.Store(time.Now().UnixMilli())
	if _, err := d.node.revocationList(t.Context(), jitsuin.SignCert, "", ""); err != nil {
		t.Errorf("caught up: %v", err)
	}
}
