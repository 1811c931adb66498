// Package xmldsig checks and makes XML signatures (XML Signature Syntax and Processing 1.1,
// RFC 9231 for algorithms): enveloped, enveloping and detached.
//
// It owns what a ds:Signature says and covers: its structure, its references and their transforms,
// the keys and certificates in KeyInfo, the signature value. It never judges a certificate, a chain, a
// status or a law, asks no clock, and fetches nothing: what lies outside the document is there when
// the caller gives it by name, and is missing otherwise. The properties of XAdES are read above it.
//
// # What is refused
//
// A signature says which nodes it covers, and a program that uses the document may look at
// others. So a signature here never passes by itself alone: each says what it covers, by element
// and whether that is the whole document, and these are refused (FaultAmbiguous), whatever their digests say:
// a reference to an Id that two elements have; to a ds:Object that belongs to no signature; to an element
// that lies in an unsigned element of the same name; in SAML, to another message than the one that
// holds the signature, or beside an unsigned one of its kind; and transforms that leave nothing. Transforms
// come from a list: enveloped-signature, the canonical forms, base64, and XPath expressions of a small
// class that are evaluated exactly or not at all. XSLT is not provided. Comments and
// instructions in a digest, a value or an algorithm are refused.
package xmldsig
