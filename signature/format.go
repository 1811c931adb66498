package signature

import (
	"bytes"
	"encoding/json"

	"github.com/jitsuin/jitsuin/signature/cms"
)

// Format is a signature format: the plain one, or the advanced form of it (EN 319 122, 142, 132).
type Format string

const (
	FormatCMS     Format = "CMS"
	FormatCAdES   Format = "CAdES"
	FormatPDF     Format = "PDF"
	FormatPAdES   Format = "PAdES"
	FormatXMLDSig Format = "XMLDSig"
	FormatXAdES   Format = "XAdES"
	FormatTST     Format = "TST" // a time-stamp token or response (RFC 3161)
	FormatJWS     Format = "JWS"
)

// Family gives the plain format of an advanced form, and any other format itself.
func (f Format) Family() Format {
	switch f {
	case FormatCAdES:
		return FormatCMS
	case FormatPAdES:
		return FormatPDF
	case FormatXAdES:
		return FormatXMLDSig
	}
	return f
}

// sniffed is how many bytes of a file are looked at for the mark of a PDF.
const sniffed = 1024

// FormatOf tells the plain format of a file by its bytes. What is nothing known is taken for CMS,
// where it will be found to be malformed.
func FormatOf(raw []byte) Format {
	text := bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.HasPrefix(raw, []byte{0x30}):
		if cms.IsTimeStamp(raw) {
			return FormatTST
		}
		return FormatCMS
	case bytes.Contains(raw[:min(len(raw), sniffed)], []byte("%PDF-")):
		return FormatPDF
	case bytes.HasPrefix(text, []byte("<")), bytes.HasPrefix(raw, []byte("\xfe\xff\x00<")), bytes.HasPrefix(raw, []byte("\xff\xfe<\x00")):
		return FormatXMLDSig
	case isJWS(text):
		return FormatJWS
	}
	return FormatCMS
}

// isJWS knows the compact form, which begins with a header in base64url ("{" and a quote, a space or a
// line's end), and the JSON forms of RFC 7515 §7.
func isJWS(text []byte) bool {
	if bytes.HasPrefix(text, []byte("{")) {
		var j struct {
			Payload    *string         `json:"payload"`
			Signature  string          `json:"signature"`
			Signatures json.RawMessage `json:"signatures"`
		}
		return json.Unmarshal(text, &j) == nil && (j.Signature != "" || j.Signatures != nil)
	}
	if !bytes.HasPrefix(text, []byte("ey")) && !bytes.HasPrefix(text, []byte("ew")) || bytes.Count(text, []byte(".")) != 2 {
		return false
	}
	for _, c := range text {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}
