// Package status owns the knowledge of which certificates are dead (失効情報).
//
// The authority's side: Set, the status of one CA's certificates in memory; Responder, which answers
// OCSP requests from Sets; Publisher, which makes revocation lists from a Set. The verifier's side, all
// of it cert.Revocation and all of it failing closed: OCSPClient, CRLCache, Files, and Folder, whose lists people drop into a folder. A status that is
// missing, out of date or not properly signed is Unknown with the reason, never good.
//
// The package knows serial numbers and municipality codes. It must never touch persons, tenants or keys;
// signatures come from a cert.SignFunc, time from an injected clock.
package status
