// Package filing tells whether a signed PDF has the form that the online application system for registration and deposit
// (登記・供託オンライン申請システム) takes as 電子署名付きPDFファイル, and why not: nine checks, C1 to C9, on each signature.
//
// It owns the checks and their sentences. A PDF may be well signed and still not have this form: ETSI.CAdES.detached,
// a document time-stamp or anything added after the last signature is enough for a rejection. Whether the
// signature may be trusted is another question, which package signature answers; certificates and their status are the
// office's to judge.
//
// The form is that of the Ministry of Justice's page on signing PDF files, which refers to Adobe's PDF Public-Key Digital
// Signature and Encryption Specification 3.2. The page names Type, SubFilter, Name, M, ByteRange and Contents and leaves
// every other value free; what it does not say (co-signing, direct signatures, BER) is read from public software whose files
// the system took. What that is stands with each check.
package filing
