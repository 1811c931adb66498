// Package cms reads, checks and makes SignedData of the Cryptographic Message Syntax (RFC 5652)
// with the attributes of CAdES baseline B-B (ETSI EN 319 122-1).
//
// It owns the structure, the digests and the signature values: whether these bytes were signed
// with the key in this certificate. It never judges a certificate, a chain, a status or a law,
// asks no clock and opens nothing; package signature joins those to a report.
//
// Reading takes BER and DER in linear time within fixed limits; making gives DER.
package cms
