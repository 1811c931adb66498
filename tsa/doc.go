// Package tsa is the sandbox's time-stamping authority (認定タイムスタンプ局): it states, signed, that a
// digest existed at a time (RFC 3161).
//
// It owns its keys and certificates (a root of its own and the unit that stamps), the account of every
// serial number that it gave, and the watch over its clock: it stops when the wall clock and a second
// source differ by a second or more. It never sees what is stamped, only a digest of it, and keeps
// nothing about who asked. Nobody else's certificate is issued below its root, and its certificates say
// that they are a sandbox's.
//
// # How a time-stamp is made
//
//  1. The request is read; what is not stamped at all is refused.
//  2. The clocks are compared. From this one look comes the time that the token states: wall time with
//     the offset of civil time, for the sandbox stamps the time of its law.
//  3. The serial number, 127 random bits, is drawn and stored with time and digest. Only then
//  4. is the token signed, and
//  5. leaves. A number whose token never left is never given again; numbers need no epoch, for a
//     database from a backup cannot lead to one a second time.
package tsa
