// Package jitsuin is the vocabulary of the public personal authentication system
// (公的個人認証サービス, JPKI): the four items, the codes and numbers as strong types,
// certificate kinds, change notices and the one error type.
//
// It owns words and nothing else: no clock, no storage, no network, no law. What the law
// makes of these words is in package rules; every actor (municipality, jukinet, jlis,
// minister, platform, holder) speaks in them. The package imports the standard library only.
package jitsuin
