// Package verifier is the stand-alone verifier: the recipient of signed documents who has no country and no
// platform, such as a bank's back office or a town's reception. It trusts whom its operator names, knows of
// revocations what lies in one folder, and answers on a page and over HTTP.
//
// It owns its configuration, the page, the HTTP face and the loop that looks at the folder; fetching is package
// fetch below it. It judges nothing itself: package signature does, with a status.Reading. A verification opens no
// file and no connection, nothing that was sent is stored or logged, and nothing leaves the machine. It has no
// database and no accounts: who may reach it is decided in front of it, and on loopback by who sits there.
//
// # Yesterday's list
//
// Without a fresh list nothing passes: the report says of when the status at hand is and that it has ended. Where the
// operator configured a grace, a list that ended no longer ago still answers, and report and page say so in
// the first place, in both languages, with the instant and that nothing is known of a revocation since.
package verifier
