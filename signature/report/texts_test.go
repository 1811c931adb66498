package report

import (
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
)

// A text that is missing in a language would leave a hole in a report.
func TestEveryTextIsThereInBothLanguages(t *testing.T) {
	for name, catalogue := range map[string]map[string]pair{"headlines": headlines, "steps": stepTexts, "labels": labels, "words": words, "notes": notes} {
		for key, p := range catalogue {
			if strings.TrimSpace(p[0]) == "" || strings.TrimSpace(p[1]) == "" {
				t.Errorf("%s: %q has no text in both languages", name, key)
			}
			sentence := name == "headlines" || name == "steps" || name == "notes"
			if sentence && (!strings.HasSuffix(p[0], "。") || !strings.HasSuffix(p[1], ".")) && !strings.HasSuffix(p[1], "rules.") {
				t.Errorf("%s: %q is no sentence in both languages", name, key)
			}
			if strings.ContainsAny(p[1], "。、（）") {
				t.Errorf("%s: %q is not English: %s", name, key, p[1])
			}
		}
	}
	for _, p := range rules.Purposes() {
		if texts := purposeTexts[p]; texts[0] == "" || texts[1] == "" {
			t.Errorf("the purpose %q has no name", p)
		}
	}
}

// Whatever a report can say has its word, and every end has a way out.
func TestEveryEndHasItsWords(t *testing.T) {
	used := map[string]bool{"only-what-was-signed": true}
	for key, w := range ways {
		if headlines[string(w.action)] == (pair{}) || len(w.steps) < 1 {
			t.Errorf("%s leads to %+v", key, w)
		}
		for _, step := range w.steps {
			if stepTexts[step] == (pair{}) {
				t.Errorf("%s tells to do %q, which has no text", key, step)
			}
			used[step] = true
		}
	}
	for step := range stepTexts {
		if !used[step] {
			t.Errorf("nobody is told to %q", step)
		}
	}
	for _, s := range []signature.SubIndication{signature.FormatFailure, signature.HashFailure, signature.SigCryptoFailure, signature.Revoked, signature.Expired,
		signature.NotYetValid, signature.SigConstraints, signature.ChainConstraints, signature.ChainGeneral, signature.CryptoConstraints, signature.NoSigningCertificate,
		signature.NoCertificateChain, signature.RevokedCANoPOE, signature.OutOfBoundsNoPOE, signature.TryLater, signature.SignedDataNotFound} {
		if _, ok := ways[string(s)]; !ok {
			t.Errorf("nobody knows what to do about %s", s)
		}
	}
	for _, v := range []signature.Verdict{signature.Passed, signature.Failed, signature.Indeterminate, signature.Unsupported, signature.Malformed} {
		if _, ok := ways[string(v)]; !ok {
			t.Errorf("nobody knows what to do about %s", v)
		}
	}
	var all []string
	for _, c := range []signature.Coverage{signature.Whole, signature.Revision, signature.Part} {
		all = append(all, string(c))
	}
	for _, m := range []signature.Modification{signature.Unmodified, signature.Allowed, signature.Forbidden} {
		all = append(all, string(m))
	}
	for _, s := range []cert.State{cert.Good, cert.Revoked, cert.Unknown, cert.NotChecked} {
		all = append(all, string(s))
	}
	for _, k := range []signature.StampKind{signature.ContentStamp, signature.SignatureStamp, signature.ArchiveStamp, signature.DocumentStamp} {
		all = append(all, string(k))
	}
	for _, r := range []jitsuin.RevocationReason{jitsuin.ReasonAffiliationChanged, jitsuin.ReasonKeyCompromise, jitsuin.ReasonCertificateHold, jitsuin.ReasonSuperseded, jitsuin.ReasonCessationOfOperation} {
		all = append(all, string(r))
	}
	for _, key := range append(all, "sign", "auth", "other", "ok", "broken", "", "embedded", "detached", "digest", "claimed", "countersigned", "doc-mdp-1", "doc-mdp-2", "doc-mdp-3") {
		if words[key] == (pair{}) {
			t.Errorf("%q has no word", key)
		}
	}
}

func TestPlainNames(t *testing.T) {
	for dn, want := range map[string]string{
		"CN=Hanako,C=JP": "Hanako", `CN=Sand\, Bank,O=X`: "Sand, Bank", "OU=Agency,OU=JPKI for digital signature,O=JPKI-TEST,C=JP": "Agency / JPKI for digital signature",
		"O=Firm,C=JP": "Firm", "C=JP": "C=JP", "": "", "CN=a+OU=b": "a", `CN=end\`: `end\`, "no name": "no name",
	} {
		if got := PlainName(dn); got != want {
			t.Errorf("%q is called %q, want %q", dn, got, want)
		}
	}
}
