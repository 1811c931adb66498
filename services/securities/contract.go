package securities

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/rules"
)

const (
	maxDocument     = 8 << 20 // bytes
	maxContractBody = 16 << 20

	// checkLife is how long after the platform's check a contract may still be accepted by it. It
	// spans repetitions of a call whose answer was lost, not days on which a certificate may end.
	checkLife = 5 * time.Minute
)

type contractIn struct {
	Key  string `header:"Idempotency-Key"`
	Body struct {
		Document  []byte `json:"document" doc:"the contract as the customer saw it"`
		Signature []byte `json:"signature" doc:"detached CMS by the customer's signature certificate"`
	}
}

// Contract is an accepted contract.
type Contract struct {
	ID           jitsuin.ID `json:"id"`
	AcceptedAt   time.Time  `json:"accepted_at" doc:"civil time"`
	Verification jitsuin.ID `json:"verification" doc:"the platform's record of the check"`
}

type contractOut struct{ Body Contract }

// postContract accepts a signed contract: the platform tells who signed it and whether it stands;
// the firm keeps document and verification under the customer it knows by the user id. The
// evidence (signature and certificate) is in the firm's vault at the platform.
func (f *Firm) postContract(ctx context.Context, in *contractIn) (*contractOut, error) {
	if len(in.Body.Document) > maxDocument {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "document-size", "a contract has at most %d bytes", maxDocument).At("document")
	}
	key := httpapi.IdempotencyKey(ctx)
	if key == "" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "idempotency-key-missing", "this call needs the header %s", httpapi.HeaderIdempotencyKey)
	}
	v, err := f.platform.Verify(ctx, key, client.VerificationRequest{
		Document: in.Body.Document, Signature: in.Body.Signature, Purpose: string(rules.PurposeAccount)})
	if err != nil {
		return nil, err
	}
	if err := client.Refusal(v.Report); err != nil {
		return nil, err
	}
	if v.User == nil || v.Items == nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "nobody", "the platform does not say who signed")
	}
	sum := sha256.Sum256(in.Body.Document)
	fresh := contract{Contract: Contract{ID: jitsuin.NewID(), AcceptedAt: f.Clock.Now(), Verification: v.ID},
		digest: hex.EncodeToString(sum[:]), document: in.Body.Document, items: *v.Items}
	customer := jitsuin.NewID()
	kept, err := httpapi.Once(ctx, f.DB, "contract", v.ID, func(tx *store.Tx) (Contract, error) {
		// A repeated request gets the platform's first answer again, however long ago it was given.
		if fresh.AcceptedAt.Sub(v.CheckedAt) > checkLife {
			return Contract{}, jitsuin.Errorf(jitsuin.Expired, "verification-old", "the signature was checked too long ago to be accepted by it now").
				WithHint("send the contract again with a new %s", httpapi.HeaderIdempotencyKey)
		}
		return putContract(tx, v.User.ID, customer, fresh)
	})
	if err != nil {
		return nil, err
	}
	return &contractOut{kept}, nil
}

type contract struct {
	Contract
	digest   string
	document []byte
	items    jitsuin.FourItems
}

// putContract stores a contract under the customer with the user id, who is made with the id
// customer if the firm sees them for the first time. One document is one contract.
func putContract(tx *store.Tx, user string, customer jitsuin.ID, c contract) (Contract, error) {
	known, err := customerOf(tx, user)
	if err != nil {
		return Contract{}, err
	}
	if known != "" {
		customer = known
	} else if _, err := tx.Exec(`INSERT INTO customers (id, user_id, since) VALUES ($1, $2, $3)`, customer, user, store.Micros(c.AcceptedAt)); err != nil {
		return Contract{}, err
	}
	items, err := json.Marshal(c.items)
	if err != nil {
		return Contract{}, err
	}
	result, err := tx.Exec(`INSERT INTO contracts (id, customer, accepted_at, digest, document, verification, items)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (customer, digest) DO NOTHING`,
		c.ID, customer, store.Micros(c.AcceptedAt), c.digest, c.document, c.Verification, string(items))
	if err != nil {
		return Contract{}, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return Contract{}, errors.Join(err, jitsuin.Errorf(jitsuin.Conflict, "contract-exists", "this contract has been accepted before"))
	}
	return c.Contract, nil
}

// customerOf gives the customer with a user id, "" for nobody.
func customerOf(tx *store.Tx, user string) (id jitsuin.ID, err error) {
	err = tx.QueryRow(`SELECT id FROM customers WHERE user_id = $1`, user).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// Customer is what a customer sees of themself.
type Customer struct {
	ID        jitsuin.ID        `json:"id" doc:"the firm's own number, not the platform's"`
	Items     jitsuin.FourItems `json:"items" doc:"as of the newest contract"`
	Contracts []Contract        `json:"contracts"`
}

// getCustomer gives a customer with their contracts, the oldest first.
func getCustomer(tx *store.Tx, id jitsuin.ID) (Customer, error) {
	c := Customer{ID: id, Contracts: []Contract{}}
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
	c.Contracts = append(c.Contracts, all...)
	err = json.Unmarshal([]byte(newest), &c.Items)
	return c, err
}
