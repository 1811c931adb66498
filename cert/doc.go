// Package cert owns the DER of the public personal authentication system: certificates in the
// JPKI profiles, certificate revocation lists (RFC 5280) and OCSP (RFC 6960); how they are built,
// read, checked and linted; serial numbers (発行番号); path validation (RFC 5280 §6) with revocation lists of every kind
// (§5, §6.3). crypto/x509 reads certificates and signs none of the decisions: what it passes over is read
// again, from the octets.
//
// It never signs (a caller signs whole to-be-signed bytes elsewhere), never opens a connection
// or a file, keeps no state and asks no clock: the instant of judgement is always an argument.
// Whether a certificate is revoked is asked through the Revocation interface; package status
// has the implementations, and cert never imports it.
package cert
