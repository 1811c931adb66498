package judge

import (
	"bytes"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Formats that are known by sight and not judged yet.
const (
	formatPDF     signature.Format = "PDF"
	formatPAdES   signature.Format = "PAdES"
	formatXMLDSig signature.Format = "XMLDSig"
	formatXAdES   signature.Format = "XAdES"
	formatTST     signature.Format = "TST"
	formatJWS     signature.Format = "JWS"
)

// Modes lists the modes beside auto and status, with the format that each reads.
func Modes() map[Mode]signature.Format {
	return map[Mode]signature.Format{CMS: signature.FormatCMS, "cades": signature.FormatCMS, "pdf": formatPDF, "pades": formatPAdES,
		"xmldsig": formatXMLDSig, "xades": formatXAdES, "tst": formatTST, "jws": formatJWS}
}

func formatOfMode(m Mode) signature.Format { return Modes()[m] }

// formatOf tells the format of a file by its bytes and, where they are CMS, by what was parsed. What
// is nothing known is taken for CMS, where it will be found to be malformed.
func formatOf(raw []byte, sd *cms.SignedData) signature.Format {
	if sd != nil {
		if sd.ContentType.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}) {
			return formatTST // id-ct-TSTInfo, RFC 3161 §2.4.2
		}
		return signature.FormatCMS
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.Contains(raw[:min(len(raw), 1024)], []byte("%PDF-")):
		return formatPDF
	case bytes.HasPrefix(text, []byte("<")):
		if bytes.Contains(text, []byte("http://uri.etsi.org/01903/")) {
			return formatXAdES
		}
		return formatXMLDSig
	case isJWS(text):
		return formatJWS
	}
	return signature.FormatCMS
}

// isJWS knows the compact form and the JSON forms of RFC 7515 §7.
func isJWS(text []byte) bool {
	if bytes.HasPrefix(text, []byte("{")) {
		var j struct {
			Payload    *string         `json:"payload"`
			Signature  string          `json:"signature"`
			Signatures json.RawMessage `json:"signatures"`
		}
		return json.Unmarshal(text, &j) == nil && (j.Signature != "" || j.Signatures != nil)
	}
	if !bytes.HasPrefix(text, []byte("eyJ")) || bytes.Count(text, []byte(".")) != 2 {
		return false
	}
	for _, c := range text {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

// unsupported is the honest answer to what this release does not judge.
func unsupported(format signature.Format, at time.Time) *signature.Report {
	return &signature.Report{Verdict: signature.Unsupported, Format: format, At: at.UTC(), Signatures: []signature.Signature{},
		Reasons: []signature.Reason{{Code: "unsupported-format",
			JA: fmt.Sprintf("この版は%sの署名を検証できません。", format),
			EN: fmt.Sprintf("Signatures of the format %s are not judged by this release.", format)}}}
}
