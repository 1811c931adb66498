// Package reader is the other side of the contacts: typed operations on a card through any
// channel that carries APDUs, be it a chip in this process, a card host's socket, or a PC/SC
// reader with a plastic card.
//
// It owns what a client of the card knows: the sequences of commands, the rules for PINs that
// are checked before anything is sent, and what a status word means as an error. It keeps no PIN
// after use, opens no network, and decides nothing about certificates: it gives their DER.
package reader
