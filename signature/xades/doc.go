// Package xades reads and makes the properties of XML Advanced Electronic Signatures (XAdES; ETSI EN
// 319 132-1, TS 101 903 before it, JIS X 5093): what a signer says beside the signature, the time-stamps on it, and the
// evidence that is kept with it.
//
// It owns QualifyingProperties: which of them the signature covers, whether they name the signer's
// certificate, and what each time-stamp must cover. The XML signature itself is package xmldsig's, time-stamp
// tokens are package tsp's, and whether anybody is trusted is package signature's. It opens nothing and asks no clock.
//
// # What binds a property
//
// A signed property counts only where a reference of the signature covers the very element in which it stands,
// inside the signature's own ds:Object. Where several QualifyingProperties stand in a document, or the reference leads to
// another one than the signature's own, nothing is read from them and the signature is refused.
package xades
