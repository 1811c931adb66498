package judge

import "github.com/jitsuin/jitsuin/signature"

// Modes lists the modes beside auto, chain and status, with the format that each reads.
func Modes() map[Mode]signature.Format {
	return map[Mode]signature.Format{"cms": signature.FormatCMS, "cades": signature.FormatCAdES, "pdf": signature.FormatPDF, "pades": signature.FormatPAdES,
		"xml": signature.FormatXMLDSig, "xmldsig": signature.FormatXMLDSig, "xades": signature.FormatXAdES, "timestamp": signature.FormatTST, "tst": signature.FormatTST, "jws": signature.FormatJWS}
}
