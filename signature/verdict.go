package signature

import (
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Verdict is a main indication of EN 319 102-1 §5.1.3, or says that nothing was judged.
type Verdict string

const (
	Passed        Verdict = "TOTAL-PASSED"
	Indeterminate Verdict = "INDETERMINATE"
	Failed        Verdict = "TOTAL-FAILED"
	Unsupported   Verdict = "UNSUPPORTED" // understood, and not provided
	Malformed     Verdict = "MALFORMED"   // not a signature at all
)

// SubIndication says more of a verdict (EN 319 102-1 §5.1.3).
type SubIndication string

const (
	FormatFailure        SubIndication = "FORMAT_FAILURE"
	HashFailure          SubIndication = "HASH_FAILURE"
	SigCryptoFailure     SubIndication = "SIG_CRYPTO_FAILURE"
	Revoked              SubIndication = "REVOKED"
	Expired              SubIndication = "EXPIRED"
	NotYetValid          SubIndication = "NOT_YET_VALID"
	SigConstraints       SubIndication = "SIG_CONSTRAINTS_FAILURE"
	ChainConstraints     SubIndication = "CHAIN_CONSTRAINTS_FAILURE"
	ChainGeneral         SubIndication = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
	CryptoConstraints    SubIndication = "CRYPTO_CONSTRAINTS_FAILURE"
	NoSigningCertificate SubIndication = "NO_SIGNING_CERTIFICATE_FOUND"
	NoCertificateChain   SubIndication = "NO_CERTIFICATE_CHAIN_FOUND"
	RevokedCANoPOE       SubIndication = "REVOKED_CA_NO_POE"
	OutOfBoundsNoPOE     SubIndication = "OUT_OF_BOUNDS_NO_POE"
	TryLater             SubIndication = "TRY_LATER"
	SignedDataNotFound   SubIndication = "SIGNED_DATA_NOT_FOUND"
	noSubIndication      SubIndication = ""
)

// Coverage says how much of the document a signature covers.
type Coverage string

const (
	Whole    Coverage = "whole"    // all of it
	Revision Coverage = "revision" // all of it as it was when it was signed
	Part     Coverage = "part"     // less
)

// Modification says what was done to a document after it was signed.
type Modification string

const (
	Unmodified Modification = "none"
	Allowed    Modification = "allowed"   // only what the signer or the format permits
	Forbidden  Modification = "forbidden" // anything else: the document is not what was signed
)

// Integrity tells whether the signed bytes are whole, trust aside. Of a signature it speaks of what that
// covers, of a report about the document as it is now: where a signature is whole and the document was changed
// afterwards in a way that it does not allow, the report says broken. "" means that it could not be
// established, for want of the content, the certificate or the algorithm.
type Integrity string

const (
	Intact Integrity = "ok"
	Broken Integrity = "broken"
)

// Exit codes of "jitsuin verify".
const (
	ExitPassed        = 0
	ExitFailed        = 1
	ExitIndeterminate = 2
	ExitUnsupported   = 3
	ExitMalformed     = 4
)

// ExitCode gives the exit code of a command that made r. Where trust was left out on request, an
// otherwise undecided report gives 0 or 1 by integrity alone.
func (r *Report) ExitCode() int {
	switch {
	case r.Verdict == Passed:
		return ExitPassed
	case r.Verdict == Failed:
		return ExitFailed
	case r.Verdict == Unsupported:
		return ExitUnsupported
	case r.Verdict == Malformed:
		return ExitMalformed
	case r.AnchorsNone && r.Integrity == Intact:
		return ExitPassed
	case r.AnchorsNone && r.Integrity == Broken:
		return ExitFailed
	}
	return ExitIndeterminate
}

// conclusion is where one fact leads.
type conclusion struct {
	verdict Verdict
	sub     SubIndication
	reason  string // code of a text in reasons.go
}

// faults maps what package cms finds, trust aside.
var faults = map[cms.Fault]conclusion{
	cms.FaultFormat:      {Failed, FormatFailure, "format"},
	cms.FaultContent:     {Failed, HashFailure, "content-changed"},
	cms.FaultValue:       {Failed, SigCryptoFailure, "signature-value"},
	cms.FaultAmbiguous:   {Failed, SigConstraints, "ambiguous"},
	cms.FaultForbidden:   {Indeterminate, CryptoConstraints, "forbidden-algorithm"},
	cms.FaultWeak:        {Indeterminate, CryptoConstraints, "weak-algorithm"},
	cms.FaultReference:   {Indeterminate, NoSigningCertificate, "other-certificate"},
	cms.FaultSigner:      {Indeterminate, NoSigningCertificate, "no-certificate"},
	cms.FaultNoContent:   {Indeterminate, SignedDataNotFound, "no-content"},
	cms.FaultUnsupported: {Unsupported, CryptoConstraints, "unsupported-algorithm"},
	cms.FaultKeyOnly:     {Indeterminate, NoSigningCertificate, "key-only"},
	cms.FaultModified:    {Failed, FormatFailure, "changed-after"},
}

// integrities says what each fault leaves of integrity; those that are not here break it, but for FaultWeak.
var integrities = map[cms.Fault]Integrity{
	cms.FaultSigner: "", cms.FaultNoContent: "", cms.FaultUnsupported: "", cms.FaultKeyOnly: Intact,
	cms.FaultModified: Intact, // of what the signature covers; the document as a whole is not
}

// paths maps what package cert finds in the signer's certificate itself, and aboves what it finds
// in a certificate above it, where the standard's caution is kept: another path may exist.
var paths = map[cert.PathCode]conclusion{
	cert.NoIssuer:       {Indeterminate, NoCertificateChain, "no-issuer"},
	cert.BadSignature:   {Failed, ChainGeneral, "forged-certificate"},
	cert.Expired:        {Failed, Expired, "expired"},
	cert.NotYetValid:    {Failed, NotYetValid, "not-yet-valid"},
	cert.WrongKind:      {Failed, ChainConstraints, "wrong-kind"},
	cert.BadUsage:       {Failed, ChainConstraints, "bad-usage"},
	cert.BadConstraints: {Indeterminate, ChainConstraints, "bad-constraints"},
	cert.RevokedCode:    {Failed, Revoked, "revoked"},
	cert.StatusUnknown:  {Indeterminate, TryLater, "status-unknown"},
	cert.StatusStale:    {Indeterminate, TryLater, "status-stale"},
	cert.BadAlgorithm:   {Indeterminate, CryptoConstraints, "chain-algorithm"},
	cert.Malformed:      {Indeterminate, ChainGeneral, "chain-malformed"},
}

var aboves = map[cert.PathCode]conclusion{
	cert.BadSignature: {Indeterminate, ChainGeneral, "forged-certificate"},
	cert.Expired:      {Indeterminate, OutOfBoundsNoPOE, "issuer-not-valid"},
	cert.NotYetValid:  {Indeterminate, OutOfBoundsNoPOE, "issuer-not-valid"},
	cert.BadUsage:     {Indeterminate, ChainConstraints, "bad-constraints"},
	cert.RevokedCode:  {Indeterminate, RevokedCANoPOE, "issuer-revoked"},
}

// pathConclusion looks a path error up; a code that is not in the tables is never good.
func pathConclusion(e *cert.PathError) conclusion {
	if c, ok := aboves[e.Code]; ok && e.Depth > 0 {
		return c
	}
	if c, ok := paths[e.Code]; ok {
		return c
	}
	return conclusion{Indeterminate, ChainGeneral, "chain-malformed"}
}

// severity orders verdicts from good to bad, for what decides where several conclusions meet.
func (v Verdict) severity() int {
	switch v {
	case Passed:
		return 0
	case Indeterminate:
		return 1
	case Unsupported:
		return 2
	case Failed:
		return 3
	}
	return 4
}

// worst gives the first of the gravest conclusions; passed where there is none.
func worst(all []conclusion) conclusion {
	w := conclusion{verdict: Passed, reason: "passed"}
	for _, c := range all {
		if c.verdict.severity() > w.verdict.severity() {
			w = c
		}
	}
	return w
}
