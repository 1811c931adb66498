// Package pades signs PDF documents (ISO 32000-2 §12.8): as PAdES (ETSI EN 319 142-1, levels B-B, B-T, B-LT and
// B-LTA), or as adbe.pkcs7.detached, which the online application system for registration and deposit
// (登記・供託オンライン申請システム) asks for.
//
// It owns the incremental update: what was there stays, byte for byte, and what is signed follows it. It reads through
// package pdf, makes signatures through package cms and time-stamps through package tsp. It never judges trust, asks no
// clock, opens no file or connection, and embeds no revocation data but what it is given: art. 52 of the Public
// Personal Authentication Act (公的個人認証法) lets a verifier use JPKI's for the check alone.
//
// A document that a signature would harm, or on which a signature could not stand, is refused whole: nothing is written.
//
// Sign does it in one call. Where key and document lie apart, Prepare makes the document with room for the signature and
// gives the digest, and Finish puts the CMS in.
package pades
