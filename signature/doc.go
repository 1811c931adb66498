// Package signature tells whether a document was signed by a resident, in one report for all
// formats, and makes such signatures through a crypto.Signer. CMS and CAdES are read today.
//
// It owns the report (検証報告), the policy that leads from facts to a verdict, and the login
// challenge. The syntax is in package cms below it, certificates and paths are in package cert.
// It never asks a clock, opens no file or connection, knows no tenant and no law beyond the policy
// here; the legal reading of a report comes from package rules.
//
// # Verdicts
//
// Conclusions are those of ETSI EN 319 102-1: TOTAL-PASSED, INDETERMINATE or TOTAL-FAILED with a
// sub-indication; beside them UNSUPPORTED and MALFORMED for input that is not judged at all. A
// report speaks of one instant T, the time of checking, and answers one question: may the signature
// be accepted at T under article 19(1) of the Public Personal Authentication Act (公的個人認証法)?
// That article lets a verifier accept only when, at the time of checking, the certificate has not
// lapsed and the signature was made with the matching key. From this follow the places where this
// policy is sterner than the standard, which says INDETERMINATE wherever a proof of existence might
// still turn up:
//
//   - A certificate revoked or suspended at or before T, expired at T or not yet valid at T:
//     TOTAL-FAILED with REVOKED, EXPIRED or NOT_YET_VALID, whatever time the signature claims. A
//     claimed time proves nothing, and no later evidence makes the certificate unlapsed at T.
//   - A certificate of another kind than asked for, most of all one for user authentication
//     (利用者証明用電子証明書) over a document: TOTAL-FAILED with CHAIN_CONSTRAINTS_FAILURE.
//   - A certificate that the authority named in it did not sign: TOTAL-FAILED with
//     CERTIFICATE_CHAIN_GENERAL_FAILURE.
//   - Signed bytes that can be read as something else than the document: TOTAL-FAILED with
//     SIG_CONSTRAINTS_FAILURE.
//
// Missing or stale status is never good: INDETERMINATE with TRY_LATER. SHA-1 and RSA keys under 2048
// bits are read and never pass: INDETERMINATE with CRYPTO_CONSTRAINTS_FAILURE; MD5 is not even
// computed. The whole mapping is the two tables in verdict.go.
package signature
