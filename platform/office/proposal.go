package office

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// ProposalLife is how long a proposal waits for its second person, wall time.
const ProposalLife = 24 * time.Hour

// State of a proposal.
type State string

// Only Waiting can become another state.
const (
	Waiting   State = "waiting"
	Done      State = "done"      // approved, and in effect
	Refused   State = "refused"   // by the second person
	Withdrawn State = "withdrawn" // by who proposed it
	Over      State = "over"      // nobody approved in time
	Stale     State = "stale"     // the thing was changed meanwhile
	Void      State = "void"      // who proposed it has left, or may not propose it any more
)

// Proposal is an act for which two people are needed (四つの目).
type Proposal struct {
	ID       jitsuin.ID
	Act      Act
	Subject  string // id of what it is done to
	Behalf   string // the tenant whose it is, "" for nobody's
	Body     json.RawMessage
	Mark     string // what the thing looked like when this was proposed
	Reason   string
	Proposer jitsuin.ID
	MadeAt   time.Time // civil
	Expires  time.Time // wall
	State    State
	Decider  jitsuin.ID
	Decision string    // the reason of the decision
	Decided  time.Time // civil
}

// Decode reads what the act needs beyond its subject.
func (p Proposal) Decode(v any) error {
	if err := json.Unmarshal(p.Body, v); err != nil {
		return fmt.Errorf("the body of a proposal: %w", err)
	}
	return nil
}

// Fact is one line of what a second person is shown before they decide.
type Fact struct {
	Label web.Pair
	Value string
	Roles []Role // shown by their titles, where there are any
}

// Effect is what an act that needs two people does. All three run inside a transaction that may be rerun.
type Effect struct {
	// Mark refuses a proposal that could not take effect, and gives what the thing looks like now, in any form that changes when the
	// thing does: an approval is refused where the mark is another than when it was proposed.
	Mark func(tx *store.Tx, p Proposal) (string, error)
	// Show gives what a second person must know of the act, and no secret.
	Show func(tx *store.Tx, p Proposal) ([]Fact, error)
	// Do takes effect in the transaction of the approval, by p.Decider; wall is its wall time. The line of the operation log is not its to write.
	Do func(ctx context.Context, tx *store.Tx, p Proposal, wall time.Time) error
}

// Sensitive is the registry of effects. It is filled before anything is served.
type Sensitive map[Act]Effect

// Register gives an act its effect. An act for which the table of duties asks for no second person, a second effect, or one that is
// not whole panics: it is a mistake in the program.
func (s Sensitive) Register(a Act, e Effect) {
	if _, has := s[a]; has || !DutyOf(a).Two() || e.Mark == nil || e.Show == nil || e.Do == nil {
		panic("the act " + string(a) + " cannot be registered so")
	}
	s[a] = e
}

func (s Sensitive) of(a Act) (Effect, error) {
	e, ok := s[a]
	if !ok {
		return e, jitsuin.Errorf(jitsuin.Unsupported, "act-unknown", "nothing here does %q", a).At("act")
	}
	return e, nil
}

const proposalColumns = `id, act, subject, behalf, body, mark, reason, proposer, made_at, expires_at, state, decider, decision, decided_at`

func scanProposal(s store.Scanner) (p Proposal, err error) {
	var body []byte
	var made, expires, decided int64
	err = s.Scan(&p.ID, &p.Act, &p.Subject, &p.Behalf, &body, &p.Mark, &p.Reason, &p.Proposer, &made, &expires, &p.State, &p.Decider, &p.Decision, &decided)
	p.Body, p.MadeAt, p.Expires, p.Decided = body, store.Time(made), store.Time(expires), store.Time(decided)
	return p, err
}

// ProposalOf gives a proposal. Errors: NotFound "proposal-unknown".
func ProposalOf(tx *store.Tx, id jitsuin.ID) (Proposal, error) {
	p, err := scanProposal(tx.QueryRow(`SELECT `+proposalColumns+` FROM office_proposal WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "proposal-unknown", "there is no such proposal")
	}
	return p, err
}

// Proposals lists those in a state, the newest first, up to limit.
func Proposals(tx *store.Tx, state State, limit int) ([]Proposal, error) {
	return store.Collect(scanProposal)(tx.Query(`SELECT `+proposalColumns+` FROM office_proposal WHERE state = $1 ORDER BY made_at DESC, id LIMIT $2`, state, limit))
}

// Decisions lists those that were decided or came to nothing, the newest first, up to limit.
func Decisions(tx *store.Tx, limit int) ([]Proposal, error) {
	return store.Collect(scanProposal)(tx.Query(`SELECT `+proposalColumns+` FROM office_proposal WHERE state <> $1 ORDER BY decided_at DESC, id LIMIT $2`, Waiting, limit))
}

// WaitingCount counts what waits for a second person at a wall time.
func WaitingCount(tx *store.Tx, wall time.Time) (n int, err error) {
	err = tx.QueryRow(`SELECT COUNT(*) FROM office_proposal WHERE state = $1 AND expires_at > $2`, Waiting, store.Micros(wall)).Scan(&n)
	return n, err
}

// Propose stores what one person wants done. The caller has drawn p.ID and set Act, Subject, Behalf, Body and Reason. Errors: Denied
// "not-your-duty", Invalid "reason", and what the effect's Mark refuses.
func (s Sensitive) Propose(tx *store.Tx, by jitsuin.ID, p Proposal, civil, wall time.Time) (Proposal, error) {
	e, err := s.of(p.Act)
	if err != nil {
		return p, err
	}
	if err := CheckReason(p.Reason); err != nil {
		return p, err
	}
	who, err := PersonOf(tx, by)
	if err != nil {
		return p, err
	}
	if !who.May(p.Act) {
		return p, notYourDuty(p.Act)
	}
	if len(p.Body) == 0 {
		p.Body = json.RawMessage(`{}`)
	}
	p.Proposer, p.MadeAt, p.Expires, p.State = who.ID, civil, wall.Add(ProposalLife), Waiting
	if p.Mark, err = e.Mark(tx, p); err != nil {
		return p, err
	}
	_, err = tx.Exec(`INSERT INTO office_proposal (`+proposalColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', '', 0)`,
		p.ID, p.Act, p.Subject, p.Behalf, string(p.Body), p.Mark, p.Reason, p.Proposer, store.Micros(p.MadeAt), store.Micros(p.Expires), p.State)
	return p, err
}

func notYourDuty(a Act) error {
	return jitsuin.Errorf(jitsuin.Denied, "not-your-duty", "this is not among the duties of your role: %s", a)
}

// Approve is the second person's agreement: the act takes effect in this transaction, once. The second person is another than the
// first, has a role that may approve, and sees the thing as it was proposed; the first still works here and may still propose it.
// Where the proposal has come to nothing meanwhile (Over, Stale, Void) that is noted: the state of the answer says so, without an
// error, so that the note is committed; Outcome makes an error of it. Errors: NotFound "proposal-unknown", Conflict
// "proposal-decided", Denied "same-person", "not-your-duty", Invalid "reason", and those of the effect.
func (s Sensitive) Approve(ctx context.Context, tx *store.Tx, by, id jitsuin.ID, reason string, civil, wall time.Time) (Proposal, error) {
	p, err := decidable(tx, by, id, reason)
	if err != nil {
		return p, err
	}
	e, err := s.of(p.Act)
	if err != nil {
		return p, err
	}
	end, err := s.stands(tx, e, p, wall)
	if err != nil {
		return p, err
	}
	p.Decider = by
	if end == Done {
		if err := e.Do(ctx, tx, p, wall); err != nil {
			return p, err
		}
	}
	return decide(tx, p, end, by, reason, civil)
}

// Refuse is the second person's no.
func Refuse(tx *store.Tx, by, id jitsuin.ID, reason string, civil time.Time) (Proposal, error) {
	p, err := decidable(tx, by, id, reason)
	if err != nil {
		return p, err
	}
	return decide(tx, p, Refused, by, reason, civil)
}

// Withdraw takes back what one has proposed oneself. Errors: Denied "not-your-proposal", Conflict "proposal-decided".
func Withdraw(tx *store.Tx, by, id jitsuin.ID, civil time.Time) (Proposal, error) {
	p, err := ProposalOf(tx, id)
	switch {
	case err != nil:
		return p, err
	case p.Proposer != by:
		return p, jitsuin.Errorf(jitsuin.Denied, "not-your-proposal", "another person has proposed this")
	case p.State != Waiting:
		return p, decided(p)
	}
	return decide(tx, p, Withdrawn, by, "", civil)
}

func decided(p Proposal) error {
	return jitsuin.Errorf(jitsuin.Conflict, "proposal-decided", "this proposal is %s already", p.State)
}

// decidable gives a proposal that a person may decide as the second one.
func decidable(tx *store.Tx, by, id jitsuin.ID, reason string) (Proposal, error) {
	if err := CheckReason(reason); err != nil {
		return Proposal{}, err
	}
	p, err := ProposalOf(tx, id)
	if err != nil {
		return p, err
	}
	who, err := PersonOf(tx, by)
	switch {
	case err != nil:
		return p, err
	case p.Proposer == by:
		return p, jitsuin.Errorf(jitsuin.Denied, "same-person", "who has proposed this cannot approve it").WithHint("another person with the right role decides")
	case !who.MaySecond(p.Act):
		return p, notYourDuty(p.Act)
	case p.State != Waiting:
		return p, decided(p)
	}
	return p, nil
}

// stands tells what an approval leads to: Done, or why not.
func (s Sensitive) stands(tx *store.Tx, e Effect, p Proposal, wall time.Time) (State, error) {
	if !wall.Before(p.Expires) {
		return Over, nil
	}
	first, err := PersonOf(tx, p.Proposer)
	if err != nil {
		return "", err
	}
	if !first.May(p.Act) {
		return Void, nil
	}
	mark, err := e.Mark(tx, p)
	switch kind := jitsuin.KindOf(err); {
	case err != nil && kind != jitsuin.Conflict && kind != jitsuin.NotFound && kind != jitsuin.Denied:
		return "", err
	case err != nil || mark != p.Mark:
		return Stale, nil
	}
	return Done, nil
}

func decide(tx *store.Tx, p Proposal, end State, by jitsuin.ID, reason string, civil time.Time) (Proposal, error) {
	p.State, p.Decider, p.Decision, p.Decided = end, by, reason, civil
	_, err := tx.Exec(`UPDATE office_proposal SET state = $1, decider = $2, decision = $3, decided_at = $4 WHERE id = $5 AND state = $6`,
		p.State, p.Decider, p.Decision, store.Micros(p.Decided), p.ID, Waiting)
	return p, err
}

// Outcome gives the error of an approval that came to nothing: Expired "proposal-over", Conflict "proposal-stale", "proposal-void".
func (p Proposal) Outcome() error {
	switch p.State {
	case Over:
		return jitsuin.Errorf(jitsuin.Expired, "proposal-over", "nobody approved this in time").WithHint("propose it again")
	case Stale:
		return jitsuin.Errorf(jitsuin.Conflict, "proposal-stale", "what this is about was changed after it was proposed").WithHint("look at it as it is now, and propose it again")
	case Void:
		return jitsuin.Errorf(jitsuin.Conflict, "proposal-void", "who proposed this has left, or may not propose it any more").WithHint("somebody whose duty it is proposes it again")
	}
	return nil
}

// Show gives what a second person is told of a proposal.
func (s Sensitive) Show(tx *store.Tx, p Proposal) ([]Fact, error) {
	e, err := s.of(p.Act)
	if err != nil {
		return nil, err
	}
	return e.Show(tx, p)
}

// Lapse notes proposals whose time is over.
func Lapse(tx *store.Tx, civil, wall time.Time) error {
	_, err := tx.Exec(`UPDATE office_proposal SET state = $1, decided_at = $2 WHERE state = $3 AND expires_at <= $4`, Over, store.Micros(civil), Waiting, store.Micros(wall))
	return err
}
