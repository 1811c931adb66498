// Package console is the face of country:1, the first thing a newcomer sees: the actors as a map with
// the messages that really flow between them, the residents and what they can do, every certificate,
// the civil clock, and a list of what is falling due.
//
// It shows what the actors say of themselves and acts through the same APIs as everybody; where the
// data folder is on its machine it has the keys of the sandbox's invented people and can act for them.
// An act that it does for somebody is stored with how far it has come; else it owns nothing, and it decides nothing. It must never show a PIN, a My Number or a resident code.
package console
