package filing

// Outcome is what one check says.
type Outcome string

const (
	Pass      Outcome = "pass"
	Warn      Outcome = "warn" // does not keep a file from being taken, and is worth knowing
	Fail      Outcome = "fail"
	Unchecked Outcome = "unchecked" // what it would look at is missing; the file fails on that
)

// Check is one of the nine on one signature. Expected and Got are for people, in words that are the same in both
// languages.
type Check struct {
	ID       string  `json:"id"`    // C1 to C9
	Name     string  `json:"name"`  // a stable word: type, sub-filter, …
	Field    string  `json:"field"` // of the signature; "" where there is none
	Outcome  Outcome `json:"outcome"`
	Expected string  `json:"expected"`
	Got      string  `json:"got"`
	JA       string  `json:"ja"` // one sentence: what holds, or what is wrong and what to do
	EN       string  `json:"en"`
	Source   string  `json:"source"`
}

// Report is the answer for one file.
type Report struct {
	Accepted   bool    `json:"accepted"` // the form is the one that the system takes
	Signatures int     `json:"signatures"`
	Checks     []Check `json:"checks"` // C1 to C9 for each signature, in the order in which they were made
	// Unreadable says why the file is no PDF that can be read, where a caller wants a report of that too.
	Unreadable string `json:"unreadable,omitempty"`
}

// rule is what is fixed about a check: its name, what is expected, the sentences and where it is from.
type rule struct {
	name, expected string
	pass, fail     [2]string // Japanese, English
	source         string
}

// sources of the rules.
const (
	ministry = "法務省「PDFファイルへの電子署名の付与」（登記・供託オンライン申請システム）"
	adobe    = "Adobe PDF Public-Key Digital Signature and Encryption Specification 3.2"
	observed = "公開されている署名ソフトウェアの適合性検査（受理された実例による）"
	rfc5652  = "RFC 5652"
	iso      = "ISO 32000-2 §12.8.1"
)

// rules are the nine, in their order.
var rules = [9]rule{
	{"type", "/Type /Sig",
		[2]string{"署名辞書があります。", "There is a signature dictionary."},
		[2]string{"署名辞書（/Type /Sig）がありません。PDFに署名を付けてください。文書タイムスタンプは署名として扱われません。",
			"There is no signature dictionary (/Type /Sig). Sign the PDF; a document time-stamp does not count as a signature."},
		ministry + "; " + iso},
	{"sub-filter", "adbe.pkcs7.detached",
		[2]string{"署名の形式は受け付けられるものです。", "The form of the signature is the one that is taken."},
		[2]string{"署名の形式が adbe.pkcs7.detached ではありません。この形式で署名し直してください（jitsuin sign --format adbe）。",
			"The form of the signature is not adbe.pkcs7.detached. Sign again in that form (jitsuin sign --format adbe)."},
		ministry},
	{"name", "/Name",
		[2]string{"電子署名者の氏名が記録されています。", "The signer's name is recorded."},
		[2]string{"署名辞書に電子署名者の氏名（/Name）がありません。氏名を指定して署名し直してください。",
			"The signature dictionary has no name of the signer (/Name). Sign again and give the name."},
		ministry},
	{"date", "D:YYYYMMDDHHmmSS+09'00'",
		[2]string{"署名日時が記録されています。", "The time of signing is recorded."},
		[2]string{"署名日時（/M）がないか、時差を含むPDFの日時の形式ではありません。署名し直してください。",
			"The time of signing (/M) is missing, or is not a PDF date with a time zone. Sign again."},
		ministry + "; ISO 32000-2 §7.9.4"},
	{"coverage", "/ByteRange",
		[2]string{"署名の対象は、署名値を除く全体です。", "The signature covers everything but its own value."},
		[2]string{"署名の対象（/ByteRange）が足りないか、最後の署名の後にデータが加えられています。何も加えずに署名し直してください。",
			"The signature does not cover everything (/ByteRange), or something was added after the last signature. Sign again and add nothing."},
		ministry + "; " + observed},
	{"contents", "CMS SignedData",
		[2]string{"署名値はPKCS#7（CMS）の形式です。", "The signature value is PKCS#7 (CMS)."},
		[2]string{"署名値（/Contents）をPKCS#7（CMS）のSignedDataとして読み取れません。署名し直してください。",
			"The signature value (/Contents) cannot be read as SignedData of PKCS#7 (CMS). Sign again."},
		ministry + "; " + adobe + "; " + rfc5652 + " §5"},
	{"certificate", "certificate, contentType, messageDigest",
		[2]string{"署名者の証明書と必要な属性が含まれています。", "The signer's certificate and the attributes that must be there are inside."},
		[2]string{"署名の中に、署名者の証明書または必要な署名属性（contentType、messageDigest）がありません。署名し直してください。",
			"The signer's certificate, or a signed attribute that must be there (contentType, messageDigest), is missing. Sign again."},
		rfc5652 + " §5.3, §11; " + observed},
	{"digest", "message-digest, value",
		[2]string{"署名は文書と一致しています。", "The signature fits the document."},
		[2]string{"署名が文書と一致しません。署名後に変更されたか、壊れています。元の文書から署名し直してください。",
			"The signature does not fit the document: it was changed afterwards, or is broken. Sign the original again."},
		rfc5652 + " §5.4"},
	{"algorithms", "SHA-256, RSASSA-PKCS1-v1_5",
		[2]string{"暗号方式は公的個人認証サービスのものです。", "The algorithms are those of the public personal authentication system."},
		[2]string{"暗号方式がSHA-256とRSA（PKCS#1 v1.5）ではありません。受け付けられるかどうかを事前に確かめてください。",
			"The algorithms are not SHA-256 and RSA (PKCS#1 v1.5). Ask beforehand whether the system takes them."},
		observed},
}

// unchecked says that a check had nothing to look at.
var unchecked = [2]string{"前の項目が満たされないため、確かめられません。", "Cannot be checked, because an earlier one does not hold."}

// noTime is the warning of C7 where signing-time is missing.
var noTime = [2]string{"署名属性に署名日時（signingTime）がありません。任意の属性で、日時は /M に記録されています。",
	"The signed attributes have no signing-time. It is optional; the time stands in /M."}

// outcome makes the check number i (from 0) of a field.
func outcome(i int, field string, o Outcome, got string) Check {
	r := rules[i]
	c := Check{ID: "C" + string(rune('1'+i)), Name: r.name, Field: field, Outcome: o, Expected: r.expected, Got: got, Source: r.source}
	words := r.fail
	switch o {
	case Pass:
		words = r.pass
	case Unchecked:
		words = unchecked
	}
	c.JA, c.EN = words[0], words[1]
	return c
}

func decided(ok bool) Outcome {
	if ok {
		return Pass
	}
	return Fail
}
