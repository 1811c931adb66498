// Package jws reads, checks and makes JSON Web Signatures (RFC 7515) under X.509 certificates: the
// compact form, the flattened and the general JSON form, payloads inside or detached (appendix F),
// encoded or not (RFC 7797).
//
// It owns the syntax and the rules of the format, and says of each signature what is good and bad
// about it in the words of package cms. It knows no trust, no policy and no clock: a certificate that
// fits is not yet one to believe. It fetches nothing (jku and x5u are ignored) and never takes a key
// from the message itself: an embedded jwk is compared with the certificate and used for nothing.
//
// # Sterner than the standard
//
// What other readers of the format were fooled by is refused: names that stand twice in an object,
// text that is not UTF-8, base64url that is not canonical, alg outside the protected header, alg
// "none" and message authentication codes, critical extensions that are not understood, signatures
// of one message that disagree on b64, ECDSA values of another length or with another curve than
// the algorithm names, several signatures of which only some hold (all are judged).
package jws
