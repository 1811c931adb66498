package rules

import (
	"slices"

	"github.com/jitsuin/jitsuin"
)

// Timing says when something happens to a certificate.
type Timing string

const (
	Keep        Timing = "keep"         // nothing happens
	AtRecording Timing = "at-recording" // the moment the certification authority records the notice
	OnDate      Timing = "on-date"      // on the day that the law names; at recording where that day is past
)

// CertEffect is what happens to one certificate. Reason is empty for Keep; On is set for OnDate only.
type CertEffect struct {
	Timing Timing                   `json:"timing"`
	On     jitsuin.Date             `json:"on"`
	Reason jitsuin.RevocationReason `json:"reason,omitempty"`
}

// Revocation is what a change does to the two certificates of a person, and the rule that says so.
// Differ names the items of the four that differ.
type Revocation struct {
	Sign   CertEffect `json:"sign"`
	Auth   CertEffect `json:"auth"`
	Rule   Rule       `json:"rule"`
	Differ []string   `json:"differ,omitempty"`
}

// Of gives the effect on one kind; Keep for an unknown kind.
func (r Revocation) Of(k jitsuin.CertKind) CertEffect {
	switch k {
	case jitsuin.SignCert:
		return r.Sign
	case jitsuin.AuthCert:
		return r.Auth
	}
	return keep
}

var keep = CertEffect{Timing: Keep}

func atRecording(reason jitsuin.RevocationReason) CertEffect {
	return CertEffect{Timing: AtRecording, Reason: reason}
}

func onDay(d jitsuin.Date, reason jitsuin.RevocationReason) CertEffect {
	return CertEffect{Timing: OnDate, On: d, Reason: reason}
}

// Practice holds the choices that sources leave to the operator. The zero value is what Effect does.
type Practice struct {
	// RevokeAtMoveOut ends the signature certificate of a person who moves within the country on
	// the planned day of departure (転出) instead of at the recording of 転入.
	RevokeAtMoveOut bool
}

// Effect tells what a change does to the certificates of a person whose items were before.
// The zero before means that nothing was recorded of the person. It fails with kind Invalid on a
// change that contradicts itself, such as a minor correction of a date of birth.
func Effect(c jitsuin.Change, before jitsuin.FourItems) (Revocation, error) {
	return Practice{}.Effect(c, before)
}

// Effect is the function Effect under the practice p.
func (p Practice) Effect(c jitsuin.Change, before jitsuin.FourItems) (Revocation, error) {
	if err := checkChange(c); err != nil {
		return Revocation{}, err
	}
	r := Revocation{}
	known := before != (jitsuin.FourItems{})
	if known {
		r.Differ = before.Differences(c.Items)
	}
	var err error
	switch c.Cause {
	case jitsuin.CauseMoveOut:
		r, err = p.moveOut(r, c)
	case jitsuin.CauseDeath:
		return r.both(atRecording(jitsuin.ReasonCessationOfOperation), effectDeath[0]), nil
	case jitsuin.CauseDeleted:
		return r.both(atRecording(jitsuin.ReasonCessationOfOperation), effectDeleted[0]), nil
	case jitsuin.CauseCodeRequested, jitsuin.CauseCodeOfficial:
		return r.both(atRecording(jitsuin.ReasonCessationOfOperation), effectCode[0]), nil
	case jitsuin.CauseMinorCorrection:
		var minor MinorCase
		minor, err = checkMinor(c.MinorRule, r.Differ)
		r.Sign, r.Auth, r.Rule = keep, keep, minor.Rule
	default: // entries, moves within the municipality, official amendments
		r.Sign, r.Auth, r.Rule = keep, keep, effectSame[0]
		if len(r.Differ) > 0 {
			r.Sign, r.Rule = atRecording(jitsuin.ReasonAffiliationChanged), effectItems[0]
		}
	}
	switch {
	case err != nil:
	case !known && needsBefore(c.Cause):
		err = jitsuin.Errorf(jitsuin.Invalid, "before-missing", "the cause %q amends a record, and none is known", c.Cause)
	case known && c.Cause == jitsuin.CauseBirth:
		err = jitsuin.Errorf(jitsuin.Invalid, "birth-recorded", "somebody already recorded cannot be entered as born")
	}
	if err != nil {
		return Revocation{}, err
	}
	return r, nil
}

func (r Revocation) both(e CertEffect, rule Rule) Revocation {
	r.Sign, r.Auth, r.Rule = e, e, rule
	return r
}

func (p Practice) moveOut(r Revocation, c jitsuin.Change) (Revocation, error) {
	if c.State == jitsuin.Moving {
		r.Sign, r.Auth, r.Rule = keep, keep, effectMoveOut[0]
		if p.RevokeAtMoveOut {
			r.Sign, r.Rule = onDay(c.OccurredOn, jitsuin.ReasonAffiliationChanged), effectMoveOutEarly[0]
		}
		return r, nil
	}
	if !c.ContinuedUse {
		return r.both(onDay(c.OccurredOn, jitsuin.ReasonCessationOfOperation), effectAbroad[0]), nil
	}
	rule, err := effectAbroadKept.on(c.OccurredOn)
	if err != nil {
		return r, jitsuin.Errorf(jitsuin.Invalid, "continued-use-too-early", "cards stay in use abroad for departures from %v only: %w",
			effectAbroadKept[0].InForce.From, err).At("continued_use")
	}
	r.Sign, r.Auth, r.Rule = onDay(c.OccurredOn, jitsuin.ReasonAffiliationChanged), keep, rule
	return r, nil
}

// needsBefore tells whether a cause makes sense only for somebody already recorded.
func needsBefore(c jitsuin.Cause) bool {
	switch c {
	case jitsuin.CauseMoveWithin, jitsuin.CauseMinorCorrection, jitsuin.CauseAmended:
		return true
	}
	return false
}

// statesOf says in which states a record can stand after a cause. A person abroad keeps a record
// in the supplementary family register (戸籍の附票), which can be amended.
func statesOf(c jitsuin.Cause) []jitsuin.ResidentState {
	switch c {
	case jitsuin.CauseMoveOut:
		return []jitsuin.ResidentState{jitsuin.Moving, jitsuin.Abroad}
	case jitsuin.CauseDeath:
		return []jitsuin.ResidentState{jitsuin.Dead}
	case jitsuin.CauseDeleted:
		return []jitsuin.ResidentState{jitsuin.Deleted}
	case jitsuin.CauseMinorCorrection, jitsuin.CauseAmended, jitsuin.CauseCodeRequested, jitsuin.CauseCodeOfficial:
		return []jitsuin.ResidentState{jitsuin.Present, jitsuin.Abroad}
	}
	return []jitsuin.ResidentState{jitsuin.Present}
}

func checkChange(c jitsuin.Change) error {
	switch {
	case !c.Cause.Valid():
		return jitsuin.Errorf(jitsuin.Invalid, "cause-unknown", "unknown cause %q", c.Cause).At("cause")
	case c.OccurredOn.IsZero():
		return jitsuin.Errorf(jitsuin.Invalid, "date-missing", "the day of the change is missing").At("occurred_on")
	case !slices.Contains(statesOf(c.Cause), c.State):
		return jitsuin.Errorf(jitsuin.Invalid, "state-and-cause", "a record cannot be %q after the cause %q", c.State, c.Cause).At("state")
	case c.ContinuedUse && (c.Cause != jitsuin.CauseMoveOut || c.State != jitsuin.Abroad):
		return jitsuin.Errorf(jitsuin.Invalid, "continued-use", "only a departure abroad can keep a card in use abroad").At("continued_use")
	case c.MinorRule != 0 && c.Cause != jitsuin.CauseMinorCorrection:
		return jitsuin.Errorf(jitsuin.Invalid, "minor-rule", "only a minor correction names a case of art. 21-2").At("minor_rule")
	}
	return c.Items.Check()
}
