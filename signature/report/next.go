package report

import (
	"slices"

	"github.com/jitsuin/jitsuin/signature"
)

// Action is what the recipient does, in one word.
type Action string

const (
	Accept         Action = "accept"           // take the document for the purpose
	AcceptWithCare Action = "accept-with-care" // it is valid; what it is good for is the recipient's to decide
	NewSignature   Action = "new-signature"    // have it signed again
	Wait           Action = "wait"             // check again later
	Supply         Action = "supply"           // check again with what is missing
	Refuse         Action = "refuse"           // do not take it, and ask by a way known before
	IntegrityOnly  Action = "integrity-only"   // trust was left out, so nothing follows but that
)

// Step is one thing to do, in both languages, with a stable word for programs.
type Step struct {
	Code string `json:"code"`
	JA   string `json:"ja"`
	EN   string `json:"en"`
}

// way is an action with its steps in order; the steps are codes of texts in stepTexts.
type way struct {
	action Action
	steps  []string
}

// ways says what to do, by what decided. The code of the first reason is looked up first, then the
// sub-indication, then the verdict.
var ways = map[string]way{
	// Beside a verdict that passed.
	"passed-no-purpose": {AcceptWithCare, []string{"compare-person", "name-purpose", "keep-report"}},
	"passed-overdue":    {AcceptWithCare, []string{"overdue", "check-fresh", "compare-person", "keep-report"}},
	"passed-timestamp":  {AcceptWithCare, []string{"time-not-person", "keep-report"}},
	"timestamp-bad":     {Refuse, []string{"stamp-not-of-this", "get-original", "keep-as-received"}},
	"does-not-fit":      {NewSignature, []string{"not-for-this-purpose", "right-kind"}},
	"certificate":       {AcceptWithCare, []string{"certificate-only"}},
	"certificate-bad":   {Refuse, []string{"not-this-certificate", "contact-known"}},
	"integrity-ok":      {IntegrityOnly, []string{"unchanged-only", "check-with-anchors"}},
	"integrity-unknown": {Supply, []string{"not-yet", "give-missing"}},

	// By reason.
	"changed-after":       {Refuse, []string{"do-not-use", "get-original", "contact-known", "keep-as-received"}},
	"key-only":            {Supply, []string{"not-yet", "give-certificate"}},
	"wrong-kind":          {NewSignature, []string{"do-not-accept", "use-signature-certificate"}},
	"forged-certificate":  {Refuse, []string{"do-not-accept", "contact-known", "keep-as-received"}},
	"status-not-checked":  {Supply, []string{"not-yet", "give-status"}},
	"status-stale":        {Supply, []string{"not-yet", "give-status"}},
	"no-signature":        {NewSignature, []string{"do-not-accept", "ask-signature"}},
	"weak-algorithm":      {NewSignature, []string{"not-yet", "modern-software", "ask-signature"}},
	"forbidden-algorithm": {NewSignature, []string{"do-not-accept", "modern-software", "ask-signature"}},
	"issuer-not-valid":    {NewSignature, []string{"not-yet", "renew", "ask-signature"}},
	"issuer-revoked":      {NewSignature, []string{"not-yet", "renew", "ask-signature"}},

	// By sub-indication.
	string(signature.HashFailure):          {Refuse, []string{"do-not-use", "get-original", "contact-known", "keep-as-received"}},
	string(signature.SigCryptoFailure):     {Refuse, []string{"do-not-use", "get-original", "contact-known", "keep-as-received"}},
	string(signature.SigConstraints):       {Refuse, []string{"do-not-use", "get-original", "contact-known", "keep-as-received"}},
	string(signature.FormatFailure):        {Refuse, []string{"do-not-accept", "get-original", "ask-signature"}},
	string(signature.Revoked):              {NewSignature, []string{"do-not-accept", "ask-person-why", "renew", "ask-signature"}},
	string(signature.Expired):              {NewSignature, []string{"do-not-accept", "renew", "ask-signature"}},
	string(signature.NotYetValid):          {NewSignature, []string{"do-not-accept", "check-date", "ask-signature"}},
	string(signature.ChainGeneral):         {Refuse, []string{"do-not-accept", "contact-known", "keep-as-received"}},
	string(signature.ChainConstraints):     {Refuse, []string{"do-not-accept", "contact-known", "ask-signature"}},
	string(signature.TryLater):             {Wait, []string{"not-yet", "check-later"}},
	string(signature.NoCertificateChain):   {Supply, []string{"not-yet", "whose-authority", "give-anchors"}},
	string(signature.NoSigningCertificate): {Supply, []string{"not-yet", "give-certificate"}},
	string(signature.SignedDataNotFound):   {Supply, []string{"not-yet", "give-document"}},
	string(signature.CryptoConstraints):    {NewSignature, []string{"not-yet", "modern-software", "ask-signature"}},
	string(signature.RevokedCANoPOE):       {NewSignature, []string{"not-yet", "renew", "ask-signature"}},
	string(signature.OutOfBoundsNoPOE):     {NewSignature, []string{"not-yet", "renew", "ask-signature"}},

	// By verdict.
	string(signature.Passed):        {Accept, []string{"accept", "compare-person", "keep-report"}},
	string(signature.Failed):        {Refuse, []string{"do-not-accept", "contact-known", "keep-as-received"}},
	string(signature.Indeterminate): {Supply, []string{"not-yet", "give-missing"}},
	string(signature.Unsupported):   {Supply, []string{"not-yet", "other-software"}},
	string(signature.Malformed):     {Supply, []string{"not-yet", "right-file", "get-original"}},
}

// StatusOverdue is the code of a reason that a verifier adds where it let a revocation list answer that had ended.
const StatusOverdue = "status-overdue"

// overdue tells whether a report rests on such a list.
func overdue(r *signature.Report) bool {
	return slices.ContainsFunc(r.Reasons, func(reason signature.Reason) bool { return reason.Code == StatusOverdue })
}

// wayOf looks up what to do about a report.
func wayOf(r *signature.Report) way {
	if r.AnchorsNone && r.Verdict == signature.Indeterminate && r.SubIndication == signature.NoCertificateChain {
		if r.Integrity == signature.Intact {
			return ways["integrity-ok"]
		}
		return ways["integrity-unknown"]
	}
	keys := []string{string(r.SubIndication), string(r.Verdict)}
	if len(r.Reasons) > 0 {
		keys = append([]string{r.Reasons[0].Code}, keys...)
	}
	if r.Verdict == signature.Passed || r.Verdict == signature.Unsupported || r.Verdict == signature.Malformed {
		keys = []string{string(r.Verdict)}
	}
	for _, k := range keys {
		if w, ok := ways[k]; ok {
			return w
		}
	}
	return ways[string(signature.Failed)] // a verdict to come is no reason to accept
}
