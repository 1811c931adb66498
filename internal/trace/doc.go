// Package trace remembers, in the sandbox, what an actor was asked and what it answered, so that a
// person can look at it: who asked whom, when, for what, with which words, and how it ended.
//
// It owns a bounded memory of an actor's latest exchanges, what of them must not be remembered
// (Redact), and which of them are housekeeping rather than messages (Housekeeping). It is switched on
// by the configuration and costs nothing where it is off. It must never keep a PIN, a password, a
// token, a My Number or a resident code.
package trace
