package apidoc

// Go are calls with package client by operation. A test looks the functions up.
var Go = map[string]string{
	"verify": `v, err := c.Verify(ctx, requestID, client.VerificationRequest{Document: document, Signature: signature, Purpose: "contract"})
if err != nil {
	return err // nothing was decided
}
if err := client.Refusal(v.Report); err != nil {
	return err // decided, and not accepted
}`,
	"verification":         `v, err := c.Verification(ctx, id)`,
	"verification-report":  `pdf, err := c.Report(ctx, id, client.PDF, "ja")`,
	"login-challenge":      `ch, err := c.Challenge(ctx, "https://shop.example", "ログイン")`,
	"login":                `l, err := c.Login(ctx, client.LoginRequest{Challenge: ch.ID, Certificate: certificate, Signature: signature})`,
	"holder-request":       `m, err := c.Request(ctx, requestID, client.HolderRequest{Act: client.ActLogin, Origin: origin, ResponseURI: answers, State: state, Purpose: "ログイン"})`,
	"records":              `page, err := c.Records(ctx, client.RecordQuery{})`,
	"record":               `r, err := c.Record(ctx, id, "business")`,
	"record-file":          `der, err := c.RecordFile(ctx, id, "certificate", "business")`,
	"amend-record":         `head, err := c.Amend(ctx, requestID, id, client.Amendment{Reason: "…", Items: items})`,
	"record-contract-end":  `head, err := c.EndContract(ctx, requestID, id, client.ContractNote{EndedOn: day})`,
	"make-adapter-token":   `t, err := c.MakeAdapterToken(ctx, requestID, client.AdapterTokenRequest{Name: "web shop", Scopes: []string{client.ScopeVerify}})`,
	"adapter-tokens":       `list, err := c.AdapterTokens(ctx)`,
	"revoke-adapter-token": `t, err := c.RevokeAdapterToken(ctx, requestID, id)`,
}
