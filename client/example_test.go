package client_test

import (
	"context"
	"crypto/ecdsa"
	"fmt"

	"github.com/jitsuin/jitsuin/client"
)

// The example of the package's documentation, as a program.
func Example() {
	openAccount := func(ctx context.Context, key *ecdsa.PrivateKey, contract, cms []byte, requestID string) error {
		c, err := client.New("https://platform.example", "platform:1", "tenant:securities-1", key)
		if err != nil {
			return err
		}
		v, err := c.Verify(ctx, requestID, client.VerificationRequest{
			Document: contract, Signature: cms, Purpose: "account"})
		if err != nil {
			return err // nothing was decided: see jitsuin.KindOf(err)
		}
		if err := client.Refusal(v.Report); err != nil {
			return err // decided, and not accepted: err says why
		}
		fmt.Println("customer", v.User.ID, "may open an account:", v.Items.Name)
		return nil
	}
	fmt.Println(openAccount(context.Background(), nil, nil, nil, ""))
	// Output: a tenant signs with a P-256 key
}
