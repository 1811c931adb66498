package cert

import (
	"bytes"
	"crypto/x509"
	"slices"

	"github.com/jitsuin/jitsuin"
)

// Finding is one broken rule.
type Finding struct {
	Rule     string // a stable word
	Citation string // where the rule stands
	Message  string
}

// lintRule is one rule of the profiles. check answers "" where the rule is kept.
type lintRule struct {
	name     string
	citation string
	profiles []Profile // nil: all
	check    func(*x509.Certificate) string
}

// Lint judges a certificate by the rules of a profile, for a CA before it has a certificate signed (sign a
// copy with a throwaway key) and for whoever wants to know whether a certificate is what it should be. It
// returns one Finding per broken rule, none for a flawless certificate, and an error for something that is no
// certificate at all. zlint's RFC 5280 rules are applied in this package's tests only: that library
// would add 3.5 MB and 20 ms of start-up to every program.
func Lint(der []byte, p Profile) ([]Finding, error) {
	c, err := Parse(der)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(allProfiles, p) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "lint-profile", "%q is no certificate profile", p)
	}
	var found []Finding
	for _, r := range lintRules() {
		if r.profiles != nil && !slices.Contains(r.profiles, p) {
			continue
		}
		if message := r.check(c); message != "" {
			found = append(found, Finding{r.name, r.citation, message})
		}
	}
	return found, nil
}

var (
	allProfiles  = []Profile{ProfileCA, ProfileSign, ProfileAuth, ProfileResponder, ProfilePhoneSign, ProfilePhoneAuth}
	ofResidents  = []Profile{ProfileSign, ProfileAuth, ProfilePhoneSign, ProfilePhoneAuth}
	ofSubjects   = []Profile{ProfileSign, ProfileAuth, ProfileResponder, ProfilePhoneSign, ProfilePhoneAuth}
	onlyCA       = []Profile{ProfileCA}
	onlySign     = []Profile{ProfileSign, ProfilePhoneSign}
	onlyAuth     = []Profile{ProfileAuth, ProfilePhoneAuth}
	onlyCards    = []Profile{ProfileSign, ProfileAuth}
	onlyPhones   = []Profile{ProfilePhoneSign, ProfilePhoneAuth}
	onlyResponds = []Profile{ProfileResponder}
)

const (
	observedCA   = "observed on CA certificates of three generations"
	observedCard = "observed on a test card"
)

// lintRules lists all rules.
func lintRules() []lintRule {
	return slices.Concat(commonRules(), []lintRule{
		{"ca-self-issued", observedCA, onlyCA, lintSelfSigned},
		{"ca-key-usage", "RFC 5280 §4.2.1.3; " + observedCA, onlyCA, usageRule(usageCA)},
		{"ca-basic-constraints", "RFC 5280 §4.2.1.9; " + observedCA, onlyCA, lintBasicConstraints},
		{"ca-distribution-point", observedCA, onlyCA, lintOwnPoint},
		{"ca-extensions", observedCA, onlyCA, orderRule(oidKeyUsage.String(), oidSAN.String(), oidBasic.String(), oidCRLDP.String(), oidSKI.String())},
		{"not-a-ca", "RFC 5280 §4.2.1.9", ofSubjects, func(c *x509.Certificate) string { return when(c.IsCA, "only a CA's certificate says CA") }},
		{"authority-key-id", "RFC 5280 §4.2.1.1", ofSubjects, func(c *x509.Certificate) string {
			return when(len(c.AuthorityKeyId) == 0, "the issuer must be named by its key")
		}},
		{"distribution-point", observedCard, ofResidents, lintPoint},
		{"policy-critical", "profile of certificates; " + observedCard, ofResidents, lintPolicy},
		{"sign-key-usage", "RFC 5280 §4.2.1.3; " + observedCard, onlySign, usageRule(usageSign)},
		{"sign-subject", observedCard, onlySign, subjectRule("2.5.4.6", "2.5.4.7", "2.5.4.7", "2.5.4.3")},
		{"sign-items", "Act on public personal authentication art. 7; " + observedCard, onlySign, lintItems},
		{"sign-items-order", observedCard, onlySign, lintItemsOrder},
		{"sign-kind", "profile of certificates", onlySign, kindRule(jitsuin.SignCert)},
		{"auth-key-usage", "RFC 5280 §4.2.1.3; " + observedCard, onlyAuth, usageRule(usageAuth)},
		{"auth-subject", observedCard, onlyAuth, subjectRule("2.5.4.6", "2.5.4.3")},
		{"auth-no-personal-data", "profile of certificates; " + observedCard, onlyAuth, func(c *x509.Certificate) string {
			_, has := extensionValue(c, oidSAN)
			return when(has, "an authentication certificate has no subjectAltName")
		}},
		{"auth-kind", "profile of certificates", onlyAuth, kindRule(jitsuin.AuthCert)},
		{"card-policy", "profile of certificates", onlyCards, func(c *x509.Certificate) string {
			return when(OnPhone(c), "the policy is that of a telephone")
		}},
		{"phone-policy", "profile of certificates, version 3.2; reported second-hand", onlyPhones, func(c *x509.Certificate) string {
			return when(!OnPhone(c), "the policy must be that of a telephone")
		}},
		{"responder-usage", "RFC 6960 §4.2.2.2", onlyResponds, lintResponder},
	})
}

func commonRules() []lintRule {
	return []lintRule{
		{"version", "RFC 5280 §4.1.2.1", nil, func(c *x509.Certificate) string { return when(c.Version != 3, "the version must be 3") }},
		{"serial-number", "RFC 5280 §4.1.2.2", nil, func(c *x509.Certificate) string {
			return when(c.SerialNumber.Sign() <= 0 || c.SerialNumber.BitLen() > 159, "a serial number is positive and has at most 20 octets")
		}},
		{"algorithm-suite", "Enforcement Regulation art. 2", nil, func(c *x509.Certificate) string {
			return when(c.SignatureAlgorithm != x509.SHA256WithRSA && c.SignatureAlgorithm != x509.ECDSAWithSHA384, "the signature algorithm is of neither suite")
		}},
		{"subject-key", "Enforcement Regulation art. 2", nil, func(c *x509.Certificate) string {
			if err := CheckSubjectKey(c.PublicKey); err != nil {
				return err.Error()
			}
			return ""
		}},
		{"length", observedCard, nil, func(c *x509.Certificate) string {
			return when(!bytes.HasPrefix(c.Raw, []byte{0x30, 0x82}), "readers of the card expect a certificate to begin with 30 82")
		}},
		{"last-second", "ends at 23:59:59 JST; " + observedCard, nil, func(c *x509.Certificate) string {
			return when(!jitsuin.DateOf(c.NotAfter).LastSecond().Equal(c.NotAfter), "the validity must end at 23:59:59 JST")
		}},
		{"validity", "RFC 5280 §4.1.2.5", nil, func(c *x509.Certificate) string {
			return when(!c.NotBefore.Before(c.NotAfter), "the validity must begin before it ends")
		}},
		{"subject-key-id", "RFC 5280 §4.2.1.2", nil, func(c *x509.Certificate) string {
			id, err := KeyID(c.PublicKey)
			return when(err != nil || !bytes.Equal(id, c.SubjectKeyId), "the key identifier must be the SHA-1 of the key")
		}},
		{"critical-known", "RFC 5280 §4.2", nil, func(c *x509.Certificate) string {
			return when(len(c.UnhandledCriticalExtensions) > 0, "an extension that relying parties do not know is critical")
		}},
		{"name-strings", "RFC 5280 §4.1.2.4; " + observedCA, nil, lintNameStrings},
	}
}

func when(broken bool, message string) string {
	if broken {
		return message
	}
	return ""
}
