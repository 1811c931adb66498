// Package host is the card host: the one process that serves a folder of chips. A chip's memory
// never moves; what moves between custodians is a handle, an unguessable name that opens a
// channel of APDUs to it.
//
// Layout of DATA/cards: lock, and for each card ID/chip.image (the chip's memory, with its
// private keys), ID/custody.json (who has it, with the handle) and, while the holder has it,
// the socket ID.sock that speaks the frames of package card/vpcd. The folder has mode 0700.
//
// Custody: a card is created for a custodian ("jlis"), who gets its handle. Transfer passes the
// card on: the custodian gets a new handle to give to the next one, and the old one is dead at
// once. Lend gives a second handle for the time that the card lies on a counter's reader;
// meanwhile the lender's own handle opens nothing, until Retract. After hand-over to "holder"
// the socket is there, and programs of the holder's account use the card through it.
// The giver of a card has seen the new handle: a receiver who does not want to rely on that
// transfers the card to itself first.
//
// The package owns custody and exclusive use. It never looks into APDUs and knows no PIN,
// certificate or person. A sandbox's host lets testers put a fault before a chip (package fault).
package host
