// Package office is who works at the platform operator: its people (係員) with their roles by duty, the invitations by which they
// join, their sessions, and the acts for which two of them are needed (四つの目).
//
// It owns the one table of duties (Duties) that pages, policies of routes and the documentation read, and the tables of the
// database whose names begin with office_. Everything works inside a transaction that the caller brings, so that an act, what it
// changes and its line in the operation log are one commit.
//
// A person is known by the id that their card's authentication certificate has in the platform's own sector, and by the name under
// which they were invited. The package must never hold what stands on a card: no name from a certificate, no four items. It knows
// no HTTP, no page and no tenant; what a sensitive act does belongs to who registers it (Register).
package office
