package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
	town "github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
)

// clerk is who stands at the counters when the console acts there.
const clerk = "窓口 例子"

// do does the act.
func (r *acting) do(ctx context.Context) error {
	p, err := r.person(ctx, r.file.Subject)
	if err != nil {
		return err
	}
	switch r.file.Kind {
	case actApply:
		return r.apply(ctx, p)
	case actHandover:
		return r.handover(ctx, p)
	case actSign:
		return r.sign(ctx, p)
	case actLogin:
		return r.login(ctx, p)
	case actMove:
		return r.move(ctx, p)
	case actAgain:
		return r.again(ctx, p)
	case actReissue:
		return r.reissue(ctx, p)
	case actCorrect:
		return r.correct(ctx, p)
	case actDie:
		return r.die(ctx, p)
	}
	return jitsuin.Errorf(jitsuin.Invalid, "act-kind", "there is no act %q", r.file.Kind)
}

// day is the civil day on which the act began: what is repeated after a restart says the same.
func (r *acting) day() jitsuin.Date { return jitsuin.DateOf(r.file.Civil) }

// mayHave gives the certificates that the law lets a person have today.
func (d *desk) mayHave(p *person) (kinds []jitsuin.CertKind) {
	for _, k := range jitsuin.CertKinds {
		if rules.MayHold(k, rules.Holder{Birth: p.Items.BirthDate, AdultWard: p.Standing.AdultWard}, d.today()) == nil {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// form takes in an application and has the applicant checked against a photo document (①②③).
func (r *acting) form(ctx context.Context, n town.NewApplication) (town.Application, error) {
	c := r.counters[r.file.Town]
	n.Subject, n.Clerk = r.file.Subject, clerk
	app, err := step(ctx, r, "form", func(ctx context.Context) (town.Application, error) { return c.Apply(ctx, n, r.key("form")) })
	if err != nil {
		return app, err
	}
	return step(ctx, r, "check", func(ctx context.Context) (town.Application, error) {
		now, err := c.Application(ctx, app.ID, "", 0)
		if err == nil && now.State == town.Received {
			document := &town.Document{Type: "driving-licence", Number: "000000000001", Expires: r.day().AddDays(365), Items: n.Items, FaceMatches: true}
			now, err = c.Check(ctx, app.ID, town.Check{Clerk: clerk, Document: document})
		}
		if err == nil && now.State == town.Refused {
			err = jitsuin.Errorf(jitsuin.Denied, now.Code, "the application was refused: %s", now.Reason)
		}
		return now, err
	})
}

// apply is steps ① to ③.
func (r *acting) apply(ctx context.Context, p *person) error {
	app, err := r.form(ctx, town.NewApplication{Type: town.NewCard, Items: p.Items, Kinds: r.mayHave(p)})
	if err != nil {
		return err
	}
	app, err = step(ctx, r, "notice", func(ctx context.Context) (town.Application, error) { return r.until(ctx, app.ID, town.Notified) })
	if err == nil {
		r.file.add("applied", "position", app.Position)
	}
	return err
}

// until waits until a case has come to a state, or beyond it.
func (r *acting) until(ctx context.Context, id jitsuin.ID, want town.ApplicationState) (town.Application, error) {
	order := []town.ApplicationState{town.Received, town.InquirySent, town.Checked, town.Notified, town.Delivered, town.Ready, town.Done}
	rank := func(s town.ApplicationState) int {
		for i, o := range order {
			if o == s {
				return i
			}
		}
		return -1
	}
	var since town.ApplicationState
	for {
		app, err := r.counters[r.file.Town].Application(ctx, id, since, 20*time.Second)
		switch {
		case err != nil || app.State != town.Refused && rank(app.State) >= rank(want):
			return app, err
		case app.State == town.Refused:
			return app, jitsuin.Errorf(jitsuin.Denied, app.Code, "the application was refused: %s", app.Reason)
		}
		since = app.State
	}
}

// handover is steps ④ to ⑥: the chip comes, the resident types the PINs, the card is theirs.
func (r *acting) handover(ctx context.Context, p *person) error {
	open := p.openCase()
	if open == nil && len(r.file.Steps) == 0 {
		return jitsuin.Errorf(jitsuin.Conflict, "no-case", "there is no case to hand a card over for")
	}
	app, err := step(ctx, r, "issue", func(ctx context.Context) (town.Application, error) { return r.until(ctx, open.ID, town.Ready) })
	if err != nil {
		return err
	}
	done, err := step(ctx, r, "pins", func(ctx context.Context) (town.Application, error) {
		t, err := r.folder.Terminal(ctx, r.file.Town, clerk)
		if err != nil {
			return app, err
		}
		done, err := t.HandOver(ctx, app.ID, country.SamplePIN)
		if err != nil {
			return done, err
		}
		return done, holder.CardsIn(string(r.folder)).SetLabel(done.Card, p.Items.Name)
	})
	if err != nil {
		return err
	}
	r.file.add("card", "expires", done.CardExpires.String())
	return r.confirm(ctx, done.Certificates)
}

// confirm asks the status origin whether what was issued is good.
func (r *acting) confirm(ctx context.Context, issued []town.Certificate) error {
	_, err := step(ctx, r, "status", func(ctx context.Context) (int, error) {
		for _, c := range issued {
			s, err := r.authority.standing(ctx, c.Kind, c.Certificate, &c)
			if err != nil {
				return 0, err
			}
			if !s.Alive() {
				return 0, jitsuin.Errorf(jitsuin.Unavailable, "status-not-good", "the status origin says %q of the new %s certificate", s.State, c.Kind)
			}
		}
		return len(issued), nil
	})
	return err
}

// signedLetter is a document with a signature that a card made.
type signedLetter struct {
	Document  []byte    `json:"document"`
	Signature []byte    `json:"signature"`
	At        time.Time `json:"at"` // civil time
}

// letter has the person's card sign a letter, so that a verifier can be asked about the very same signature
// again when the certificate has ended.
func (r *acting) letter(ctx context.Context, p *person) (out signedLetter, err error) {
	out.At = r.Clock.Now()
	out.Document = []byte("見本の書面 " + string(r.file.ID) + "\n")
	err = r.withCard(ctx, p.Card.ID, func(c *holder.Card) error {
		out.Signature, err = c.Document(ctx, bytes.NewReader(out.Document), r.typed(country.SignPassword, out.At))
		return err
	})
	return out, err
}

// typed is what a resident of the sandbox types when their card asks. A certificate that is over does not keep
// them from trying: the verifier decides.
func (r *acting) typed(pin jitsuin.PIN, at time.Time) holder.Act {
	return holder.Act{PINs: holder.Lines(strings.NewReader(pin.Reveal() + "\n")), At: at, Warn: func(holder.Warning) error { return nil }}
}

// verify has a letter checked through the platform, as the firm's back office does.
func (r *acting) verify(ctx context.Context, l signedLetter) (signature.Report, error) {
	tenant, err := r.folder.Identity(country.TenantFirm)
	if err != nil {
		return signature.Report{}, err
	}
	platform, err := r.Directory.Lookup(country.Platform)
	if err != nil {
		return signature.Report{}, err
	}
	c, err := client.New(platform.Origin, country.Platform, tenant.ID, tenant.Key)
	if err != nil {
		return signature.Report{}, err
	}
	defer c.Close()
	v, err := c.Verify(ctx, "", client.VerificationRequest{Document: l.Document, Signature: l.Signature, Purpose: string(rules.PurposeAccount)})
	return v.Report, err
}

// sent is when the clerk's notice was sent, wall time.
type sent struct {
	At      time.Time `json:"at"`
	Address string    `json:"address,omitempty"`
}

// move is a departure and an arrival: the signature certificate dies, the login lives on.
func (r *acting) move(ctx context.Context, p *person) error {
	dying := p.living(jitsuin.SignCert)
	old, err := r.beforehand(ctx, p)
	if err != nil {
		return err
	}
	_, err = step(ctx, r, "move-out", func(ctx context.Context) (sent, error) {
		return r.record(ctx, r.file.Town, "move-out", town.ChangeRequest{Cause: jitsuin.CauseMoveOut, Destination: r.file.To})
	})
	if err != nil {
		return err
	}
	address := r.addressIn(r.file.To)
	in, err := step(ctx, r, "move-in", func(ctx context.Context) (out sent, err error) {
		for { // the moving-out certificate travels from town to town
			out, err = r.record(ctx, r.file.To, "move-in", town.ChangeRequest{Cause: jitsuin.CauseMoveIn, Address: address})
			if k := jitsuin.KindOf(err); err == nil || k != jitsuin.NotFound && k != jitsuin.Conflict {
				return out, err
			}
			if err := sleep(ctx, 15*time.Millisecond); err != nil {
				return out, err
			}
		}
	})
	if err != nil {
		return err
	}
	r.file.add("moved", "from", "town:"+string(r.file.Town), "to", "town:"+string(r.file.To))
	return r.afterwards(ctx, in, dying, old)
}

// beforehand has a letter signed, where the person can sign.
func (r *acting) beforehand(ctx context.Context, p *person) (*signedLetter, error) {
	if l, ok := keptOf[signedLetter](r.file, "letter"); ok {
		return &l, nil
	}
	if p.Card == nil || p.Card.Err != nil || p.Card.Tries[jitsuin.SignCert] == 0 || p.living(jitsuin.SignCert) == nil || len(r.file.Steps) > 0 {
		return nil, nil
	}
	l, err := step(ctx, r, "letter", func(ctx context.Context) (signedLetter, error) { return r.letter(ctx, p) })
	return &l, err
}

// afterwards waits until the certificate is dead everywhere, and measures how long that took.
func (r *acting) afterwards(ctx context.Context, notice sent, dying *Drawn, old *signedLetter) error {
	if dying != nil {
		took, err := step(ctx, r, "revoked", func(ctx context.Context) (time.Duration, error) {
			return r.untilRevoked(ctx, notice.At, dying)
		})
		if err != nil {
			return err
		}
		r.measured("revoked-ms", notice, took)
	}
	if old == nil {
		return nil
	}
	took, err := step(ctx, r, "verifier", func(ctx context.Context) (time.Duration, error) {
		return r.untilRefused(ctx, notice.At, *old)
	})
	if err == nil {
		r.measured("verifier-ms", notice, took)
	}
	return err
}

// measured notes how long after the notice something was so, unless the act was cut short in between.
func (r *acting) measured(key string, notice sent, took time.Duration) {
	if notice.At.After(r.began) {
		r.file.add(key, "ms", fmt.Sprint(max(1, took.Milliseconds())))
	}
}

func (r *acting) untilRevoked(ctx context.Context, since time.Time, c *Drawn) (time.Duration, error) {
	leaf, err := cert.Parse(c.der)
	if err != nil {
		return 0, err
	}
	for {
		answer, err := r.authority.ocsp(ctx, jitsuin.CertKind(c.Kind), leaf)
		if err != nil || answer.State == stateRevoked {
			return time.Since(since), err
		}
		if err := sleep(ctx, 2*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func (r *acting) untilRefused(ctx context.Context, since time.Time, l signedLetter) (time.Duration, error) {
	for {
		report, err := r.verify(ctx, l)
		if err != nil || report.Verdict != signature.Passed {
			return time.Since(since), err
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// record has a clerk record a change, once however often it is repeated.
func (r *acting) record(ctx context.Context, at jitsuin.MunicipalityCode, name string, c town.ChangeRequest) (sent, error) {
	c.Subject, c.OccurredOn, c.Clerk = r.file.Subject, r.day(), clerk
	out := sent{At: time.Now().UTC(), Address: c.Address}
	_, err := r.counters[at].Record(ctx, c, r.key(name))
	return out, err
}

// addressIn invents an address in a municipality from that of a household there.
func (d *desk) addressIn(code jitsuin.MunicipalityCode) string {
	for _, h := range d.sample.Households {
		if h.Municipality == code {
			if i := strings.IndexAny(h.Address, "０１２３４５６７８９"); i > 0 {
				return h.Address[:i] + "９９番９９号"
			}
		}
	}
	return string(code)
}

// reissue puts new certificates into the card, in the place of those that are dead.
func (r *acting) reissue(ctx context.Context, p *person) error {
	kinds := r.renewable(p)
	if a, ok := keptOf[town.Application](r.file, "form"); ok {
		kinds = a.Kinds
	}
	card := p.cardID()
	app, err := r.form(ctx, town.NewApplication{Type: town.Reissue, Items: p.Items, Kinds: kinds, Card: card})
	if err != nil {
		return err
	}
	done, err := step(ctx, r, "card-keys", func(ctx context.Context) (done town.Application, err error) {
		t, err := r.folder.Terminal(ctx, r.file.Town, clerk)
		if err != nil {
			return done, err
		}
		ch, err := host.OpenSocket(ctx, r.folder.CardSocket(card))
		if err != nil {
			return done, err
		}
		defer func() { err = errors.Join(err, ch.Close()) }()
		return t.Reissue(ctx, app.ID, ch, country.SamplePIN)
	})
	if err != nil {
		return err
	}
	return r.confirm(ctx, done.Certificates)
}

// renewable gives the kinds whose certificate is dead and that the person may have.
func (d *desk) renewable(p *person) (kinds []jitsuin.CertKind) {
	for _, k := range d.mayHave(p) {
		if p.living(k) == nil {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// Case 6 of the minor corrections: the name of a building.
const minorBuilding = 6

var buildings = [2]string{"　実印荘", "　実印ハイツ"}

// correct corrects the address in a way that the law calls minor: nothing is revoked.
func (r *acting) correct(ctx context.Context, p *person) error {
	items := p.Items
	if base, had := strings.CutSuffix(items.Address, buildings[0]); had {
		items.Address = base + buildings[1]
	} else {
		items.Address = strings.TrimSuffix(items.Address, buildings[1]) + buildings[0]
	}
	_, err := step(ctx, r, "record", func(ctx context.Context) (sent, error) {
		return r.record(ctx, r.file.Town, "record", town.ChangeRequest{Cause: jitsuin.CauseMinorCorrection, MinorRule: minorBuilding, Items: &items})
	})
	if err != nil {
		return err
	}
	_, err = step(ctx, r, "caught-up", func(ctx context.Context) (bool, error) {
		for {
			there, err := country.CaughtUp(ctx, r.folder, r.file.Town)
			if err != nil || there {
				return there, err
			}
			if err := sleep(ctx, 10*time.Millisecond); err != nil {
				return false, err
			}
		}
	})
	if err != nil {
		return err
	}
	_, err = step(ctx, r, "status", func(ctx context.Context) (int, error) {
		now, err := r.person(ctx, r.file.Subject)
		if err != nil {
			return 0, err
		}
		alive := 0
		for _, c := range now.Certificates {
			if c.Status.Alive() {
				alive++
			}
		}
		return alive, nil
	})
	r.file.add("corrected", "address", items.Address)
	return err
}

// die ends both certificates.
func (r *acting) die(ctx context.Context, p *person) error {
	dying := p.living(jitsuin.SignCert)
	if dying == nil {
		dying = p.living(jitsuin.AuthCert)
	}
	old, err := r.beforehand(ctx, p)
	if err != nil {
		return err
	}
	notice, err := step(ctx, r, "record", func(ctx context.Context) (sent, error) {
		return r.record(ctx, r.file.Town, "record", town.ChangeRequest{Cause: jitsuin.CauseDeath})
	})
	if err != nil {
		return err
	}
	return r.afterwards(ctx, notice, dying, old)
}
