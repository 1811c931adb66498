// Package holder is the resident's own side (利用者クライアントソフト): the way to a card, the
// question for its PIN, and what is done with the card's keys: a document is signed, a login is
// answered, a PIN is changed.
//
// It owns the conversation between a person and a card. It finds cards where a card host has put
// them and talks to them through package card/reader; it opens no other folder and no network.
// It never keeps a PIN: the bytes that a person typed are overwritten as soon as the card has
// seen them, and a PIN is never tried a second time without a person. It decides nothing about
// the validity of certificates; what looks wrong about one is said as a [Warning].
package holder
