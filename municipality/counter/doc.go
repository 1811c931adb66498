// Package counter is the screen of the counter (窓口): the terminal (統合端末) as a web application at the
// town's own origin, below /counter/.
//
// It owns pages, the sign-in of clerks with its tickets, and the way to the reader on the counter. It
// is a client: every act is a call of counter:CODE to the municipality's API, over HTTP and under the
// same policies as any other terminal's, and what happens between API and chip is package terminal's.
// It decides nothing about people.
//
// It must never show, log or store a PIN, a My Number, a resident code or a chip's handle. URLs carry
// random identifiers and nothing else; what somebody searches for travels in a body.
package counter
