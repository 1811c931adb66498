// Package jlis is the Agency (地方公共団体情報システム機構, J-LIS): it makes cards and is the
// certification authority for signature and authentication certificates.
//
// It owns a copy of the resident register (four items, state, municipality), the record of
// issuance (発行記録), revocations (失効情報) and revocation files, the cards that are in
// production, and the notifications of verifiers; its status origin publishes what is revoked. It
// must never touch a My Number, a resident code, a PIN or a resident's private key, and never
// learns on whose behalf a verifier asks.
//
// Where to begin: issue.go tells the irreversible step, change.go and revoke.go what ends a
// certificate, journal.go how every signature is accounted for.
package jlis
