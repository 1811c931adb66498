// Package platform is the platform operator (プラットフォーム事業者), a signature verifier
// (署名検証者) for many relying parties: it checks signed documents and logins with the card, tells
// why, keeps the evidence that the law asks for, and gives each tenant (みなし署名検証者) its own
// name for a person. A stand-alone verifier is the same code with one tenant.
//
// It owns tenants, the log of checks, the tenants' vaults and the pairwise user ids. It must never
// touch My Number, a private key, or another tenant's records on behalf of a tenant; it keeps no
// document, and serial numbers and status data do not leave it (JPKI Act arts. 19(2), 52).
//
// Where to begin: verification.go tells a check from request to answer, login.go a login, user.go
// how a person stays one person.
package platform
