// Package tour plays the story of one resident from the counter to the end, against a running
// country or a temporary one of its own, and checks every step: apply, identity check, issue,
// hand over, sign, verify, log in, move, verify again, re-issue, minor correction, death.
//
// It acts as the people in the story do: as the clerk at the counter's terminal, as the resident
// with the card, as the securities firm's customer, and as a verifier that the law names. It owns
// nothing and looks into no actor.
package tour
