// Package tsp reads, checks, asks for and makes time-stamps of the Time-Stamp Protocol (RFC 3161,
// with RFC 5816 for references to the authority's certificate).
//
// It owns the protocol's structures, the rules on a time-stamp token (タイムスタンプトークン), whether
// an answer belongs to a request, and the making of tokens. A token is CMS SignedData over a
// TSTInfo; the signature itself is judged by package cms, in whose words (cms.Check, cms.Fault)
// everything here is told. It never judges a path, a status or a policy and asks no clock: whether
// an authority is trusted for the time that it states is for package signature.
//
// Nothing here opens anything but Client, which talks to the one address that it is given.
package tsp
