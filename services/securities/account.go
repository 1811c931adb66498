package securities

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Account is an account at this firm.
type Account struct {
	Number       string     `json:"number" doc:"the firm's own"`
	OpenedAt     time.Time  `json:"opened_at" doc:"civil time"`
	Application  string     `json:"application" doc:"number of the application by which it was opened"`
	Verification jitsuin.ID `json:"verification" doc:"the platform's record of the check"`
}

// opening is a decided application on its way into the database. What is drawn at random is drawn before.
type opening struct {
	application
	decision
	customer jitsuin.ID // the id of a customer whom the firm sees for the first time
	account  string
	at       time.Time
	by       string
}

// store is the commit of a decision.
func (o opening) store(tx *store.Tx) error {
	if o.decision.outcome != opened {
		_, err := settleApplication(tx, o.Number, o.decision, "", o.at)
		return err
	}
	customer, err := o.findCustomer(tx)
	if err != nil {
		return err
	}
	has, err := accountOf(tx, customer)
	if err != nil {
		return err
	}
	if has != nil {
		o.decision.outcome = known
	}
	fresh, err := settleApplication(tx, o.Number, o.decision, customer, o.at)
	if err != nil || !fresh { // another call has decided it meanwhile
		return err
	}
	if has != nil {
		return o.noteChanges(tx, has.Number)
	}
	if _, err := tx.Exec(`INSERT INTO accounts (number, customer, application, opened_at) VALUES ($1, $2, $3, $4)`,
		o.account, customer, o.Number, store.Micros(o.at)); err != nil {
		return err
	}
	members, err := o.members()
	if err != nil {
		return err
	}
	return appendEntry(tx, o.account, Entry{N: 1, MadeAt: o.at, Why: whyOpened, Application: o.Number, Members: members})
}

// findCustomer gives the customer whom the platform knows by the user id, made now if there is none.
func (o opening) findCustomer(tx *store.Tx) (jitsuin.ID, error) {
	user := o.checked.User.ID
	has, err := customerOf(tx, user)
	if err != nil || has != "" {
		return has, err
	}
	_, err = tx.Exec(`INSERT INTO customers (id, user_id, since) VALUES ($1, $2, $3)`, o.customer, user, store.Micros(o.at))
	return o.customer, err
}

// customerOf gives the customer with a user id, "" for nobody.
func customerOf(tx *store.Tx, user string) (id jitsuin.ID, err error) {
	err = tx.QueryRow(`SELECT id FROM customers WHERE user_id = $1`, user).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// accountOf gives a customer's account, nil for none.
func accountOf(tx *store.Tx, customer jitsuin.ID) (*Account, error) {
	var a Account
	var at int64
	err := tx.QueryRow(`SELECT c.number, c.opened_at, c.application, p.verification FROM accounts c JOIN applications p ON p.number = c.application WHERE c.customer = $1`, customer).
		Scan(&a.Number, &at, &a.Application, &a.Verification)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	a.OpenedAt = store.Time(at)
	return &a, err
}

// Contract is a contract that was accepted before this firm opened accounts by its own form.
type Contract struct {
	ID           jitsuin.ID `json:"id"`
	AcceptedAt   time.Time  `json:"accepted_at" doc:"civil time"`
	Verification jitsuin.ID `json:"verification" doc:"the platform's record of the check"`
}

// Customer is what a customer sees of themself.
type Customer struct {
	ID        jitsuin.ID        `json:"id" doc:"the firm's own number, not the platform's"`
	Items     jitsuin.FourItems `json:"items" doc:"as of the newest document that the customer signed"`
	Account   *Account          `json:"account,omitempty"`
	Contracts []Contract        `json:"contracts,omitempty" doc:"accepted before this firm opened accounts by its own form, the oldest first"`
}

// getCustomer gives a customer with account and former contracts.
func getCustomer(tx *store.Tx, id jitsuin.ID) (Customer, error) {
	c := Customer{ID: id}
	var newest string
	all, err := store.Collect(func(s store.Scanner) (k Contract, err error) {
		var at int64
		err = s.Scan(&k.ID, &at, &k.Verification, &newest)
		k.AcceptedAt = store.Time(at)
		return k, err
	})(tx.Query(`SELECT id, accepted_at, verification, items FROM contracts WHERE customer = $1 ORDER BY accepted_at, id`, id))
	if err != nil {
		return c, err
	}
	c.Contracts = all
	if c.Account, err = accountOf(tx, id); err != nil {
		return c, err
	}
	var later string
	err = tx.QueryRow(`SELECT items FROM applications WHERE customer = $1 ORDER BY decided_at DESC, number LIMIT 1`, id).Scan(&later)
	if err == nil {
		newest = later
	} else if !errors.Is(err, sql.ErrNoRows) {
		return c, err
	}
	return c, json.Unmarshal([]byte(newest), &c.Items)
}
