// Package platform is the platform operator (プラットフォーム事業者), a signature verifier
// (署名検証者) for many relying parties: it checks signed documents and logins with the card, tells
// why, keeps the evidence that the law asks for, and gives each tenant (みなし署名検証者) its own
// name for a person. A stand-alone verifier is the same code with one tenant.
//
// It owns tenants, the log of checks, the tenants' vaults and the pairwise user ids. It must never
// touch My Number, a private key, or another tenant's records on behalf of a tenant; it keeps no
// document unless its tenant wants it in a record (one that waits to be judged, or for its tenant to fetch it, lies sealed and goes with that), and serial numbers and status data do not leave it (JPKI Act arts. 19(2), 52).
// Who signed is answered once; after that it stands in the tenant's record (package platform/records) or nowhere.
//
// A tenant's things are its own by construction: every query of a table with a column tenant names the tenant that
// asks, or says in a comment of its own why it crosses tenants; isolation_test.go reads all of them. What belongs to
// another is refused as what never was.
// A tenant's statements may be made by package scope, in which $1 is always the tenant and one that does not name it
// is an error. A tenant is named by its access token and by no member of a request. Package fair shares the machine
// among tenants, and package metering counts what each used without saying of whom.
//
// Where to begin: verification.go tells a check from request to answer, login.go a login, user.go
// how a person stays one person, records.go how the record of the law comes and goes, events.go what a tenant is told,
// submission.go how a document comes from a resident.
package platform
