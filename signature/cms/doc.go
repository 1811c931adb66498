// Package cms reads, checks and makes SignedData of the Cryptographic Message Syntax (RFC 5652)
// with the attributes of CAdES (ETSI EN 319 122-1), from B-B to B-LTA: signatures beside each
// other and countersignatures on them, time-stamps and evidence around them.
//
// It owns the structure, the digests and the signature values: whether these bytes were signed
// with the key in this certificate, and what a time-stamp on a signature has to cover. It never judges
// a certificate, a chain, a status, a time-stamp's authority or a law, asks no clock and opens
// nothing; package signature joins those to a report.
//
// Reading takes BER and DER in linear time within fixed limits; making gives DER. What no change
// concerns keeps its octets, because archive time-stamps cover them: SignedData that was read is
// written again from its own elements.
//
// # What is refused, and what is not
//
// The rules are those of the standards to the letter, for whoever reads leniently can be shown
// something else than was signed: signed attributes are signed in DER and in no other order, RSA
// padding has one form, an algorithm is named once and the same everywhere, nothing follows the
// structure, and what has a meaning only where it is signed does not stand among the unsigned
// attributes. A signature over signed attributes never passes for one over content.
//
// A time-stamp that covers something else does not break a signature, which anybody could then
// break by adding one: it only proves nothing. A countersignature is a signature of its own and is
// judged as one.
//
// Time-stamps of older forms (archive-time-stamp up to version 2, over references) are told to be
// there and are not judged. An archive time-stamp is judged over elements as DER writes them; one
// over elements that were written in BER does not fit.
package cms
