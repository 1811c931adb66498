// Package securities is a securities firm (証券会社) that opens accounts for people who sign with
// their card, and lets them log in with it. It is the example to copy: everything that it knows of
// the public personal authentication system comes through package client.
//
// It owns its customers, by the platform's pairwise user id, and their contracts. It must never
// keep a certificate or a serial number, and never takes a login for an identity verification:
// name and address come with a signature over a contract, and from nowhere else.
//
// Where to begin: contract.go for 署名用電子証明書, login.go for 利用者証明用電子証明書.
package securities
