package country

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	minister "github.com/jitsuin/jitsuin/minister/api"
	town "github.com/jitsuin/jitsuin/municipality/api"
	platform "github.com/jitsuin/jitsuin/platform/api"
)

// FirstCards is how many residents hold a finished card when a new country is ready.
const FirstCards = 12

// sampleClerk is who stands at the counters when a country is made.
const sampleClerk = "窓口 例子"

// FirstActs brings a country to life: accreditations, who may use the free area of cards, the tenant, the first cards. All of them are
// acts over the same APIs that everybody uses, and each is done only if it has not been done.
func FirstActs(ctx context.Context, f Folder, facts Facts, o Options) error {
	if !o.Clock.IsZero() {
		now, err := CivilNow(ctx, f)
		if err != nil {
			return err
		}
		// A new country was made at that time already; a second is the way from there to here.
		if o.Clock.After(now.Now) {
			if _, err := MoveClock(ctx, f, o.Clock); err != nil {
				return err
			}
		}
	}
	if err := f.accredit(ctx); err != nil {
		return err
	}
	now, err := CivilNow(ctx, f)
	if err != nil {
		return err
	}
	if err := f.grounds(ctx, jitsuin.DateOf(now.Now)); err != nil {
		return err
	}
	if err := f.registerTenant(ctx, jitsuin.DateOf(facts.Civil)); err != nil {
		return err
	}
	if err := f.writeAnchors(ctx); err != nil {
		return err
	}
	if o.Quick {
		return nil
	}
	if err := f.firstCards(ctx, facts); err != nil {
		return err
	}
	return f.writePersonas(ctx, facts)
}

// accredit has the platform accredited by an application, as a private operator is, and the verifier that the law names recorded.
func (f Folder) accredit(ctx context.Context) error {
	r, err := f.Remote(Official, Minister)
	if err != nil {
		return err
	}
	defer r.Close()
	office := minister.Client{Remote: r}
	all, err := office.List(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, a := range all {
		known[a.Verifier] = true
	}
	if !known[Platform] { // one that was suspended, withdrawn or ran out in the sandbox stays so
		if err := f.AccreditPlatform(ctx); err != nil {
			return fmt.Errorf("accredit %s: %w", Platform, err)
		}
	}
	if known[Verifier] {
		return nil
	}
	d := minister.Decision{Verifier: Verifier, Name: "雲居県（見本）", Ground: "17-1-1", State: minister.InForce, Official: sampleOfficial}
	if _, err := office.Decide(ctx, d, string(jitsuin.NewID())); err != nil {
		return fmt.Errorf("accredit %s: %w", Verifier, err)
	}
	return nil
}

// writeAnchors leaves the CA certificates where `jitsuin verify` looks for them, the root of the
// time-stamping authority, which is trusted for time alone, in a folder of its own there, and the root of
// card-face signatures where `jitsuin card items` looks.
func (f Folder) writeAnchors(ctx context.Context) error {
	d, err := f.Directory()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.Path("anchors", "time"), 0o755); err != nil {
		return err
	}
	type anchor struct{ from, path, name string }
	wanted := []anchor{{JLIS, "/ca/face.pub", "face.pub"}, {TSA, "/certificates/root.cer", "time/tsa.cer"}}
	for _, kind := range jitsuin.CertKinds {
		wanted = append(wanted, anchor{JLIS, "/ca/" + string(kind) + ".cer", string(kind) + ".cer"})
	}
	for _, a := range wanted {
		who, err := d.Lookup(a.from)
		if err != nil {
			return err
		}
		content, err := fetch(ctx, who.Origin+a.path)
		if err != nil {
			return fmt.Errorf("anchor %s: %w", a.name, err)
		}
		path := f.Path("anchors", filepath.FromSlash(a.name))
		if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
			continue
		}
		if err := replace(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 64<<10))
}

// registerTenant makes the securities firm a deemed verifier (みなし署名検証者) of the platform, with the
// origin that it has now. Repeated, it changes nothing else.
func (f Folder) registerTenant(ctx context.Context, since jitsuin.Date) error {
	r, err := f.Remote(Operator, Platform)
	if err != nil {
		return err
	}
	defer r.Close()
	firm, err := f.Identity(TenantFirm)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKIXPublicKey(&firm.Key.PublicKey)
	if err != nil {
		return err
	}
	d, err := f.Directory()
	if err != nil {
		return err
	}
	origin, err := d.Lookup(Securities)
	if err != nil {
		return err
	}
	_, err = httpapi.Do[platform.Tenant](ctx, r, "POST", "/v1/tenants", string(jitsuin.NewID()),
		platform.TenantRequest{ID: TenantFirm, Name: "実印サンド証券株式会社", NameEN: "Jitsuin Sand Securities Co.", Origins: []string{origin.Origin}, PublicKey: key,
			Contract: &platform.Contract{Number: "見本-1", Since: since, Entrusts: []string{platform.EntrustReceiving, platform.EntrustValidity}}})
	return err
}

// firstCards lets the first residents apply, be checked and take their cards, a few at each counter.
func (f Folder) firstCards(ctx context.Context, facts Facts) error {
	now, err := CivilNow(ctx, f)
	if err != nil {
		return err
	}
	today := jitsuin.DateOf(now.Now)
	queues := firstResidents(facts.Sample(), today)
	var all sync.WaitGroup
	errs := make(chan error, len(queues))
	for code, queue := range queues {
		all.Go(func() { errs <- f.serveQueue(ctx, code, queue, today) })
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// firstResidents chooses who gets a card at once: people of full age who apply in person, the
// guide of the tour left out, so that the tour begins with an application.
func firstResidents(sample people.Country, today jitsuin.Date) map[jitsuin.MunicipalityCode][]people.Resident {
	queues, n := map[jitsuin.MunicipalityCode][]people.Resident{}, 0
	per := (FirstCards + len(sample.Municipalities) - 1) / len(sample.Municipalities)
	for _, r := range sample.Residents {
		if n == FirstCards {
			break
		}
		adult := !r.Items.BirthDate.After(today.AddDays(-20 * 366))
		if adult && !r.AdultWard && r.Nationality == "JP" && r.Persona != people.Guide && len(queues[r.Municipality]) < per {
			queues[r.Municipality] = append(queues[r.Municipality], r)
			n++
		}
	}
	return queues
}

func (f Folder) serveQueue(ctx context.Context, code jitsuin.MunicipalityCode, queue []people.Resident, today jitsuin.Date) error {
	t, err := f.Terminal(ctx, code, sampleClerk)
	if err != nil {
		return fmt.Errorf("terminal of %s: %w", code, err)
	}
	defer t.Town.Close()
	names := map[jitsuin.ID]string{}
	for _, p := range queue {
		r, err := t.Town.Resident(ctx, p.ID)
		if err != nil {
			return fmt.Errorf("resident at %s: %w", code, err)
		}
		if r.Card != "" || r.State != jitsuin.Present {
			continue
		}
		// The key repeats when a start was cut short: the same application is found again.
		app, err := t.Town.Apply(ctx, town.NewApplication{Type: town.NewCard, Subject: p.ID, Items: r.Items, Kinds: jitsuin.CertKinds[:], Clerk: sampleClerk}, "first-card-"+string(p.ID))
		if err != nil {
			return fmt.Errorf("application at %s: %w", code, err)
		}
		if app.State == town.Received {
			doc := &town.Document{Type: "driving-licence", Number: "000000000000", Expires: today.AddDays(365), Items: r.Items, FaceMatches: true}
			if _, err = t.Town.Check(ctx, app.ID, town.Check{Clerk: sampleClerk, Document: doc}); err != nil && jitsuin.KindOf(err) != jitsuin.Conflict {
				return fmt.Errorf("check at %s: %w", code, err)
			}
		}
		names[app.ID] = r.Items.Name
	}
	for id, name := range names {
		done, err := t.HandOver(ctx, id, SamplePIN)
		if err != nil {
			return fmt.Errorf("hand over at %s: %w", code, err)
		}
		if err := holder.CardsIn(string(f)).SetLabel(done.Card, name); err != nil {
			return err
		}
	}
	return nil
}

// DefaultData is the data folder where none is named.
const DefaultData = "jitsuin-data"

// welcome tells a newcomer where to look and what to try.
func welcome(out io.Writer, f Folder, facts Facts, took time.Duration) {
	plan, err := NewPlan(facts.Listen)
	if err != nil {
		return
	}
	sample := facts.Sample()
	fmt.Fprintf(out, "\n実印 Jitsuin: the country is ready (%.1f s). %d residents, %d municipalities, data in %s\n\n",
		took.Seconds(), len(sample.Residents), len(sample.Municipalities), string(f))
	fmt.Fprintf(out, "  Console     http://%s\n", plan.Console()[len(plan.Console())-1])
	for i, m := range sample.Municipalities {
		fmt.Fprintf(out, "  %-11s %s  %s\n", m.Code, plan.Origin(numTown+i), m.Romaji+" "+m.Name)
	}
	for _, w := range []struct {
		name string
		n    int
	}{{"jukinet", numJukinet}, {"jlis", numJLIS}, {"status", numStatus}, {"minister", numMinister}, {"platform", numPlatform}, {"tsa", numTSA}, {"holder", numHolder}, {"cards", numCards}, {"securities", numService}} {
		fmt.Fprintf(out, "  %-11s %s\n", w.name, plan.Origin(w.n))
	}
	if plan.Shared() {
		fmt.Fprintf(out, "\n  Note: here all actors share one host; browsers do not keep their cookies apart.\n")
	}
	program, data := "jitsuin", " --data "+string(f)
	if usual, err := filepath.Abs(DefaultData); err == nil && (string(f) == usual || filepath.Clean(string(f)) == DefaultData) {
		data = ""
	}
	if exe, err := os.Executable(); err == nil && strings.Contains(exe, "go-build") { // started with go run
		program = "go run ./cmd/jitsuin"
	}
	fmt.Fprintf(out, "\n  All sample cards: signature password %s, PIN of four digits %s. Try, in another terminal:\n\n", SignPassword.Reveal(), AuthPIN.Reveal())
	for _, try := range []string{"card list", "tour", "clock --advance 1d"} {
		fmt.Fprintf(out, "    %s %s%s\n", program, try, data)
	}
	fmt.Fprintf(out, "\n  Ctrl-C stops; the next start finds everything as it was.\n")
}

// newFacts are the facts of a country that is made now.
func newFacts(o Options) (Facts, error) {
	now := time.Now().UTC()
	facts := Facts{Format: FolderFormat, Seed: o.Seed, Listen: o.Listen, Made: now, Civil: now, Version: o.Version, Cadence: o.Cadence}
	if !o.Clock.IsZero() {
		facts.Civil = o.Clock.UTC()
	}
	if facts.Listen == "" {
		facts.Listen = DefaultListen
	}
	if facts.Cadence == "" {
		facts.Cadence = "immediate"
	}
	if facts.Seed == 0 {
		facts.Seed = 1
	}
	return facts, nil
}
