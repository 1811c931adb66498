package verifyv2

import (
	"strings"
	"unicode"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/platform/adapter"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// The responses, with the members that the API has and this platform can answer. Octets are base64, times RFC 3339.
type (
	verified struct {
		Verification *verification `json:"verification"`
		Certificate  *certificate  `json:"certificate,omitempty"`
		Status       *status       `json:"certificateStatus,omitempty"`
		Content      *content      `json:"certificateContent,omitempty"`
		User         *user         `json:"user,omitempty"`
		IsNewUser    bool          `json:"isNewUser,omitempty"`
	}
	standing struct {
		Certificate *certificate `json:"certificate,omitempty"`
		Status      *status      `json:"certificateStatus,omitempty"`
		State       string       `json:"certificateState,omitempty"`
		User        *user        `json:"user,omitempty"`
	}
	verification struct {
		ID        jitsuin.ID `json:"id"`
		Result    string     `json:"result"`
		Hash      string     `json:"hashAlgorithm"`
		Digest    []byte     `json:"digest"`
		Signature []byte     `json:"signature,omitempty"`
		CreatedAt string     `json:"createdAt"`
	}
	certificate struct {
		ID        jitsuin.ID `json:"id"`
		Type      string     `json:"type"`
		CreatedAt string     `json:"createdAt"`
	}
	status struct {
		ID        jitsuin.ID `json:"id"`
		Status    string     `json:"status"`
		Method    string     `json:"checkMethod"`
		Purpose   string     `json:"checkPurpose"`
		Source    string     `json:"sourceUpdatedAt,omitempty"`
		RevokedAt string     `json:"revokedAt,omitempty"`
		Reason    string     `json:"revocationReason,omitempty"`
		CreatedAt string     `json:"createdAt,omitempty"`
	}
	content struct {
		Subject  string       `json:"subject"`
		Validity validity     `json:"validity"`
		CRL      string       `json:"crlDistributionPoint,omitempty"`
		Sign     *signContent `json:"jpkiCardDigitalSignatureContent,omitempty"`
		Auth     *struct{}    `json:"jpkiCardUserAuthenticationContent,omitempty"`
	}
	validity struct {
		NotBefore string `json:"notBefore"`
		NotAfter  string `json:"notAfter"`
	}
	// signContent are the four items as the certificate writes them: the date of birth with the digit of its
	// era before YYYYMMDD, and masks of substitute characters.
	signContent struct {
		Name        string `json:"commonName"`
		NameMask    string `json:"substituteCharacterOfCommonName"`
		Gender      string `json:"gender"`
		Birth       string `json:"dateOfBirth"`
		Address     string `json:"address"`
		AddressMask string `json:"substituteCharacterOfAddress"`
	}
	user struct {
		ID        string `json:"id"`
		CreatedAt string `json:"createdAt,omitempty"`
	}
)

// Purposes of a status question, in the API's words.
const (
	purposeVerify   = "CHECK_PURPOSE_SIGNATURE_VERIFICATION"
	purposeLiveness = "CHECK_PURPOSE_LIVENESS_CHECK"
)

func verificationOf(o adapter.Outcome, result string) *verification {
	return &verification{ID: o.ID, Result: result, Hash: hashName(o.Hash), Digest: o.Digest, Signature: o.Value, CreatedAt: stamp(o.CheckedAt)}
}

var certificateTypes = map[jitsuin.CertKind]string{jitsuin.SignCert: "TYPE_JPKI_CARD_DIGITAL_SIGNATURE", jitsuin.AuthCert: "TYPE_JPKI_CARD_USER_AUTHENTICATION"}

func certificateOf(c *adapter.Certificate) *certificate {
	if c == nil {
		return nil
	}
	return &certificate{ID: c.ID, Type: certificateTypes[c.Kind], CreatedAt: stamp(c.Since)}
}

func userOf(o adapter.Outcome) *user {
	if o.User == nil {
		return nil
	}
	return &user{ID: o.User.ID, CreatedAt: stamp(o.UserSince)}
}

var checkWays = map[string]string{cert.SourceOCSP: "CHECK_METHOD_OCSP", cert.SourceCRL: "CHECK_METHOD_CRL"}

// statusOf tells the status in a check's report.
func statusOf(o adapter.Outcome, purpose string) *status {
	r := revocationOf(o.Report)
	if r == nil || checkWays[r.Source] == "" {
		return nil
	}
	out := &status{ID: o.ID, Status: word("STATUS_", string(r.Status)), Method: checkWays[r.Source], Purpose: purpose, CreatedAt: stamp(o.CheckedAt)}
	if o.Report.SubIndication == signature.Expired {
		out.Status = "STATUS_EXPIRED"
	}
	if r.ThisUpdate != nil {
		out.Source = stamp(*r.ThisUpdate)
	}
	if r.RevokedAt != nil {
		out.RevokedAt, out.Reason = stamp(*r.RevokedAt), word("CRL_REASON_", string(r.Reason))
	}
	return out
}

// revocationOf gives what was heard of the signer's certificate: of a login the report's, of a document its signature's.
func revocationOf(r signature.Report) *signature.Revocation {
	if r.Revocation != nil {
		return r.Revocation
	}
	if len(r.Signatures) > 0 {
		return &r.Signatures[0].Revocation
	}
	return nil
}

// livenessOf tells what a look at a certificate's status found.
func livenessOf(c api.StatusCheck) *status {
	out := &status{ID: c.ID, Status: word("STATUS_", c.Status), Method: word("CHECK_METHOD_", c.Method), Purpose: purposeLiveness, CreatedAt: stamp(c.CheckedAt)}
	if c.Method == "none" {
		out.Method = "CHECK_METHOD_UNSPECIFIED"
	}
	if c.UpdatedAt != nil {
		out.Source = stamp(*c.UpdatedAt)
	}
	if c.Since != nil && c.Status == string(cert.Revoked) {
		out.RevokedAt, out.Reason = stamp(*c.Since), word("CRL_REASON_", string(c.Reason))
	}
	return out
}

// word writes a word of ours as the value of an enumeration: affiliationChanged becomes AFFILIATION_CHANGED, and
// cACompromise, where RFC 5280 begins an abbreviation in lower case, CA_COMPROMISE.
func word(prefix, s string) string {
	if s == "" {
		return prefix + "UNSPECIFIED"
	}
	var b strings.Builder
	for i := range len(s) {
		if unicode.IsUpper(rune(s[i])) && (i > 1 && unicode.IsLower(rune(s[i-1])) || i > 0 && i+1 < len(s) && unicode.IsLower(rune(s[i+1]))) {
			b.WriteByte('_')
		}
		b.WriteByte(s[i])
	}
	return prefix + strings.ReplaceAll(strings.ToUpper(b.String()), "-", "_")
}
