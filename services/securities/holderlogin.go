package securities

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// decideLogin has the holder's answer to a login's challenge checked, once: a challenge is used up by the
// first try. What it leads to is a session and nothing more. It never makes an entry in a confirmation
// record, for a login shows that somebody is here who was here before, and not who they are in law
// (犯罪収益移転防止法施行規則6条 names the signature certificate only).
func (f *Firm) decideLogin(ctx context.Context, txn jitsuin.ID, a api.HolderAnswer) error {
	l, err := f.platform.Login(ctx, client.LoginRequest{Challenge: txn, Certificate: a.Certificate, Signature: a.Signature, DigestAlg: a.DigestAlg})
	out, user := outcomeOfLogin(l, err)
	return f.DB.Update(ctx, func(tx *store.Tx) error {
		end, customer := out, jitsuin.ID("")
		if end == welcome {
			var err error
			if customer, err = customerOf(tx, user); err != nil {
				return err
			}
			if customer == "" {
				end = noCustomer
			}
		}
		_, err := tx.Exec(`UPDATE requests SET outcome = $1, customer = $2 WHERE txn = $3 AND outcome = ''`, string(end), customer, txn)
		return err
	})
}

// outcomeOfLogin is what the platform's answer means: welcome with the user's id, or why not.
func outcomeOfLogin(l client.Login, err error) (outcome, string) {
	switch {
	case jitsuin.KindOf(err) == jitsuin.Expired && err != nil:
		return late, ""
	case err != nil:
		return unavailable, ""
	}
	switch end := outcomeOfReport(l.Report); {
	case end == pending || end == opened && l.User == nil:
		return unavailable, ""
	case end != opened:
		return end, ""
	}
	return welcome, l.User.ID
}
