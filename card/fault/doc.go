// Package fault makes a card behave wrongly on purpose, for those who test what clients, services and
// verifiers then do. A Shim stands on the way between a reader and a chip: it changes what passes there.
// The chip itself has no back door and knows nothing of it; a counter that went down through a fault is
// down for good.
//
// The package owns the faults and their names. It knows no custody, no host and no person, and it never
// reads a PIN, except that it replaces one by bytes that cannot be one.
package fault
