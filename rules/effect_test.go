package rules

import (
	"fmt"
	"testing"

	"github.com/jitsuin/jitsuin"
	"pgregory.net/rapid"
)

var hanako = jitsuin.FourItems{Name: "番号　花子", Address: "雲居県朝霧野市月待台一丁目２番３号",
	BirthDate: jitsuin.Date{Year: 1989, Month: 3, Day: 31}, Sex: jitsuin.Female}

func with(change func(*jitsuin.FourItems)) jitsuin.FourItems {
	items := hanako
	change(&items)
	return items
}

var (
	moved   = with(func(f *jitsuin.FourItems) { f.Address = "木霊県帆待市貝寄町４番地" })
	renamed = with(func(f *jitsuin.FourItems) { f.Name = "例川　花子" })
	reborn  = with(func(f *jitsuin.FourItems) { f.BirthDate.Day = 30 })
	resexed = with(func(f *jitsuin.FourItems) { f.Sex = jitsuin.Male })
	both    = with(func(f *jitsuin.FourItems) { f.Name, f.Address = renamed.Name, moved.Address })
)

func say(e CertEffect) string {
	switch e.Timing {
	case OnDate:
		return fmt.Sprintf("%v %s", e.On, e.Reason)
	case AtRecording:
		return string(e.Reason)
	}
	return string(e.Timing)
}

func TestEffect(t *testing.T) {
	const affiliation, cessation = "affiliationChanged", "cessationOfOperation"
	for _, c := range []struct {
		name       string
		cause      jitsuin.Cause
		state      jitsuin.ResidentState
		after      jitsuin.FourItems
		kept       bool
		on         string
		sign, auth string
		rule       string
	}{
		{"移り住む: the new town records the arrival", jitsuin.CauseMoveIn, jitsuin.Present, moved, false, "2026-04-01", affiliation, "keep", "effect-four-items"},
		{"back to the very same address", jitsuin.CauseMoveIn, jitsuin.Present, hanako, false, "2026-04-01", "keep", "keep", "effect-nothing-changed"},
		{"転居 within the town", jitsuin.CauseMoveWithin, jitsuin.Present, moved, false, "2026-04-01", affiliation, "keep", "effect-four-items"},
		{"婚姻: a new name", jitsuin.CauseAmended, jitsuin.Present, renamed, false, "2026-04-01", affiliation, "keep", "effect-four-items"},
		{"a date of birth set right", jitsuin.CauseAmended, jitsuin.Present, reborn, false, "2026-04-01", affiliation, "keep", "effect-four-items"},
		{"性別の変更", jitsuin.CauseAmended, jitsuin.Present, resexed, false, "2026-04-01", affiliation, "keep", "effect-four-items"},
		{"an amendment of something else", jitsuin.CauseAmended, jitsuin.Present, hanako, false, "2026-04-01", "keep", "keep", "effect-nothing-changed"},
		{"a name changed abroad", jitsuin.CauseAmended, jitsuin.Abroad, renamed, false, "2026-04-01", affiliation, "keep", "effect-four-items"},
		{"職権記載 at a new place", jitsuin.CauseEntered, jitsuin.Present, moved, false, "2026-04-01", affiliation, "keep", "effect-four-items"},
		{"転出 within the country", jitsuin.CauseMoveOut, jitsuin.Moving, hanako, false, "2026-04-01", "keep", "keep", "effect-move-out"},
		{"国外転出", jitsuin.CauseMoveOut, jitsuin.Abroad, hanako, false, "2026-04-01", "2026-04-01 " + cessation, "2026-04-01 " + cessation, "effect-abroad"},
		{"国外転出 with continued use", jitsuin.CauseMoveOut, jitsuin.Abroad, hanako, true, "2026-04-01", "2026-04-01 " + affiliation, "keep", "effect-abroad-continued"},
		{"on the first day of continued use", jitsuin.CauseMoveOut, jitsuin.Abroad, hanako, true, "2024-05-27", "2024-05-27 " + affiliation, "keep", "effect-abroad-continued"},
		{"死亡", jitsuin.CauseDeath, jitsuin.Dead, hanako, false, "2026-04-01", cessation, cessation, "effect-death"},
		{"職権消除", jitsuin.CauseDeleted, jitsuin.Deleted, hanako, false, "2026-04-01", cessation, cessation, "effect-deleted"},
		{"コードの変更請求", jitsuin.CauseCodeRequested, jitsuin.Present, hanako, false, "2026-04-01", cessation, cessation, "effect-code-changed"},
		{"コードの職権記載", jitsuin.CauseCodeOfficial, jitsuin.Present, hanako, false, "2026-04-01", cessation, cessation, "effect-code-changed"},
	} {
		change := jitsuin.Change{Cause: c.cause, State: c.state, Items: c.after, OccurredOn: d(t, c.on), ContinuedUse: c.kept}
		r, err := Effect(change, hanako)
		if err != nil || say(r.Sign) != c.sign || say(r.Auth) != c.auth || r.Rule.ID != c.rule {
			t.Errorf("%s: signature %q, authentication %q by %q (%v); want %q, %q by %q", c.name, say(r.Sign), say(r.Auth), r.Rule.ID, err, c.sign, c.auth, c.rule)
		}
		if r.Of(jitsuin.SignCert) != r.Sign || r.Of(jitsuin.AuthCert) != r.Auth || r.Of("seal").Timing != Keep {
			t.Errorf("%s: Of disagrees with the fields", c.name)
		}
	}
}

func TestEffectOnNewcomers(t *testing.T) {
	for _, cause := range []jitsuin.Cause{jitsuin.CauseBirth, jitsuin.CauseMoveIn, jitsuin.CauseEntered} {
		r, err := Effect(jitsuin.Change{Cause: cause, State: jitsuin.Present, Items: hanako, OccurredOn: d(t, "2026-04-01")}, jitsuin.FourItems{})
		if err != nil || r.Sign.Timing != Keep || r.Auth.Timing != Keep {
			t.Errorf("%s of somebody unknown: %v, %v", cause, r, err)
		}
	}
}

func TestMoveOutUnderTheOtherPractice(t *testing.T) {
	out := jitsuin.Change{Cause: jitsuin.CauseMoveOut, State: jitsuin.Moving, Items: hanako, OccurredOn: d(t, "2026-04-01")}
	r, err := Practice{RevokeAtMoveOut: true}.Effect(out, hanako)
	if err != nil || say(r.Sign) != "2026-04-01 affiliationChanged" || r.Auth.Timing != Keep || r.Rule.ID != "effect-move-out-early" {
		t.Errorf("departure: %v, %v", r, err)
	}
	in := jitsuin.Change{Cause: jitsuin.CauseMoveIn, State: jitsuin.Present, Items: moved, OccurredOn: d(t, "2026-04-03")}
	if r, err := (Practice{RevokeAtMoveOut: true}).Effect(in, hanako); err != nil || say(r.Sign) != "affiliationChanged" {
		t.Errorf("arrival still ends what is left: %v, %v", r, err)
	}
}

func TestMinorCorrectionsNeverRevoke(t *testing.T) {
	for number := range 9 {
		for what, after := range map[string]jitsuin.FourItems{"nothing": hanako, "name": renamed, "address": moved, "name and address": both, "birth": reborn, "sex": resexed} {
			r, err := Effect(jitsuin.Change{Cause: jitsuin.CauseMinorCorrection, State: jitsuin.Present, Items: after,
				OccurredOn: d(t, "2026-04-01"), MinorRule: number}, hanako)
			letters := number == 1 || number == 2 || number == 7
			allowed := number >= 1 && number <= 7 && (what == "nothing" || what == "address" || letters && (what == "name" || what == "name and address"))
			switch {
			case allowed && (err != nil || r.Sign.Timing != Keep || r.Auth.Timing != Keep || r.Rule.N != number):
				t.Errorf("case %d changing the %s: %v, %v", number, what, r, err)
			case !allowed && jitsuin.KindOf(err) != jitsuin.Invalid:
				t.Errorf("case %d changing the %s was taken: %v, %v", number, what, r, err)
			}
		}
	}
}

func TestEffectRefusesContradictions(t *testing.T) {
	good := jitsuin.Change{Cause: jitsuin.CauseAmended, State: jitsuin.Present, Items: renamed, OccurredOn: d(t, "2026-04-01")}
	abroad := jitsuin.Change{Cause: jitsuin.CauseMoveOut, State: jitsuin.Abroad, Items: hanako, OccurredOn: d(t, "2024-05-26"), ContinuedUse: true}
	for _, c := range []struct {
		name   string
		from   jitsuin.Change
		spoil  func(*jitsuin.Change)
		before jitsuin.FourItems
		code   string
	}{
		{"unknown cause", good, func(c *jitsuin.Change) { c.Cause = "vanished" }, hanako, "cause-unknown"},
		{"no day", good, func(c *jitsuin.Change) { c.OccurredOn = jitsuin.Date{} }, hanako, "date-missing"},
		{"dead after an amendment", good, func(c *jitsuin.Change) { c.State = jitsuin.Dead }, hanako, "state-and-cause"},
		{"present after a departure", abroad, func(c *jitsuin.Change) { c.State = jitsuin.Present }, hanako, "state-and-cause"},
		{"continued use without departure", good, func(c *jitsuin.Change) { c.ContinuedUse = true }, hanako, "continued-use"},
		{"continued use within the country", abroad, func(c *jitsuin.Change) { c.State = jitsuin.Moving }, hanako, "continued-use"},
		{"continued use a day too early", abroad, func(*jitsuin.Change) {}, hanako, "continued-use-too-early"},
		{"a minor case without a minor correction", good, func(c *jitsuin.Change) { c.MinorRule = 3 }, hanako, "minor-rule"},
		{"no address", good, func(c *jitsuin.Change) { c.Items.Address = " " }, hanako, "four-items"},
		{"amends what is not there", good, func(*jitsuin.Change) {}, jitsuin.FourItems{}, "before-missing"},
		{"born a second time", good, func(c *jitsuin.Change) { c.Cause = jitsuin.CauseBirth }, hanako, "birth-recorded"},
	} {
		change := c.from
		c.spoil(&change)
		r, err := Effect(change, c.before)
		if jitsuin.KindOf(err) != jitsuin.Invalid || jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, %v (%q), want %q", c.name, r, err, jitsuin.CodeOf(err), c.code)
		}
	}
	if _, err := Effect(good, hanako); err != nil {
		t.Errorf("unspoiled: %v", err)
	}
}

// Whatever the change: the authentication certificate never ends alone, a reason stands exactly where
// something ends, and a record that stays with equal items keeps everything.
func TestEffectProperties(t *testing.T) {
	causes := []jitsuin.Cause{jitsuin.CauseMoveIn, jitsuin.CauseBirth, jitsuin.CauseEntered, jitsuin.CauseMoveOut, jitsuin.CauseDeath, jitsuin.CauseDeleted,
		jitsuin.CauseMoveWithin, jitsuin.CauseMinorCorrection, jitsuin.CauseAmended, jitsuin.CauseCodeRequested, jitsuin.CauseCodeOfficial}
	states := []jitsuin.ResidentState{jitsuin.Present, jitsuin.Moving, jitsuin.Abroad, jitsuin.Dead, jitsuin.Deleted}
	items := []jitsuin.FourItems{hanako, moved, renamed, reborn, resexed, both}
	rapid.Check(t, func(t *rapid.T) {
		c := jitsuin.Change{Cause: rapid.SampledFrom(causes).Draw(t, "cause"), State: rapid.SampledFrom(states).Draw(t, "state"),
			Items: rapid.SampledFrom(items).Draw(t, "items"), OccurredOn: anyDate(2016, 2040).Draw(t, "day"),
			ContinuedUse: rapid.Bool().Draw(t, "continued"), MinorRule: rapid.IntRange(0, 7).Draw(t, "case")}
		r, err := Practice{RevokeAtMoveOut: rapid.Bool().Draw(t, "practice")}.Effect(c, rapid.SampledFrom(append(items, jitsuin.FourItems{})).Draw(t, "before"))
		if err != nil {
			if jitsuin.KindOf(err) != jitsuin.Invalid {
				t.Fatalf("kind %v: %v", jitsuin.KindOf(err), err)
			}
			return
		}
		if r.Auth.Timing != Keep && r.Sign.Timing == Keep {
			t.Fatalf("the authentication certificate ends alone: %v", r)
		}
		for _, e := range []CertEffect{r.Sign, r.Auth} {
			_, known := e.Reason.Code()
			if known == (e.Timing == Keep) || (e.Timing == OnDate) == e.On.IsZero() {
				t.Fatalf("effect %+v contradicts itself", e)
			}
		}
		if r.Rule.ID == "" || r.Rule.Text.JA == "" {
			t.Fatalf("no rule is named for %v", c)
		}
		if len(r.Differ) > 0 && c.Cause == jitsuin.CauseMinorCorrection && r.Sign.Timing != Keep {
			t.Fatalf("a minor correction revoked: %v", r)
		}
	})
}

func TestCardEvents(t *testing.T) {
	seen := map[CardEvent]bool{}
	for _, e := range CardEvents() {
		if _, ok := e.Reason.Code(); !ok || seen[e.Event] {
			t.Errorf("%s: reason %q, twice: %v", e.Event, e.Reason, seen[e.Event])
		}
		seen[e.Event] = true
		sign, err := e.Effect(jitsuin.SignCert)
		if err != nil || sign.Sign.Reason != e.Reason || (sign.Auth.Timing == Keep) != e.Chosen {
			t.Errorf("%s on the signature certificate: %v, %v", e.Event, sign, err)
		}
		if _, err := e.Effect("seal"); (err != nil) != e.Chosen {
			t.Errorf("%s on an unknown kind: %v", e.Event, err)
		}
	}
	lost, err := EventOf(EventCardLost)
	if err != nil || lost.Reason != jitsuin.ReasonCertificateHold {
		t.Errorf("a lost card: %v, %v", lost, err)
	}
	if _, err := EventOf("eaten"); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("an unknown event: %v", err)
	}
}
