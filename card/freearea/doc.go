// Package freearea has two applications for the free area (空き領域) of the card, each as data with who lays it out
// and who reads it: the seal-registration card (印鑑登録証) of a municipality, and the staff card (国家公務員身分証) of a
// national body. What they have in common is the example to copy for a third one.
//
// Both keep a record that only readers certified by their provider can read, a key that the card made itself and that
// answers INTERNAL AUTHENTICATE, and the provider's signature over record and public key. So a reader knows that the
// record is the provider's and that the card is no copy, and nobody else can follow a person by the card: to a
// stranger's reader the application says its name and nothing more.
//
// It owns the contents of these applications. It must never touch the card's own applications, and knows no network.
package freearea
