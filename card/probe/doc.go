// Package probe looks at a card, a real one too, and reports what can be seen of it without a PIN, in a
// form that a person may publish: which applications answer, which files there are and how long they are, the status
// words of harmless commands, the tries left, and what certificates are made of.
//
// It owns the list of what is asked and the rule of what is told. Only commands that change nothing are
// sent: SELECT, READ BINARY, READ RECORD, GET DATA, GET CHALLENGE, and VERIFY without data, which asks for
// the tries left; anything else is stopped before it reaches the card. Told are forms, lengths and
// what belongs to the issuer; never a name, address, number, date or any other content that is about the holder
// or this one card: no serial numbers, no common names, no dates of validity (a certificate ends on a
// birthday), no municipality, no name of a reader (it may hold a serial number).
package probe
