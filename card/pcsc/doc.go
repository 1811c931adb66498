// Package pcsc reaches cards in the readers of this machine through its PC/SC service, without cgo:
// plastic cards, and every other card that a reader shows.
//
// On Linux and the BSDs the service is pcscd (pcsc-lite), to whose socket the package speaks the
// protocol of libpcsclite: versions 4:4 (pcsc-lite 1.8.24 to 2.2) and 4:5 (2.3.0 to 2.4.0); later ones
// take a client of 4:4. The tests run with the pcscd of the machine; by hand they passed with 1.9.9, 2.2.3, 2.3.0,
// 2.4.0, 2.4.1 and 2.5.1. Of more than 16 readers the first 16 are seen. On Windows it is winscard.dll, with the same calls; that half compiles in the tests
// and has not been run (a context that ends there ends a wait for a card, not a command under way). On macOS PC/SC is a framework that cannot be called without cgo, so there
// Open answers Unsupported "pcsc-platform"; a card is reached there by its folder or socket.
//
// The package owns the conversation with the service and believes it nothing: every length that it
// says is bounded before it is used. It knows no command of a card, no PIN and no file.
package pcsc
