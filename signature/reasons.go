package signature

import "slices"

// reasonTexts holds every sentence that a report can give, Japanese and English.
var reasonTexts = map[string][2]string{
	"passed": {"署名は有効です。文書は署名後に変更されておらず、証明書は確認時点で有効です。",
		"The signature is valid: the document is unchanged and the certificate is in force at the time of checking."},
	"passed-login": {"利用者証明は有効です。証明書は確認時点で有効です。",
		"The authentication is valid, and the certificate is in force at the time of checking."},
	"challenge-signature": {"署名がこのチャレンジへの応答ではありません。",
		"The signature does not answer this challenge with the key of the certificate."},
	"malformed": {"電子署名として読み取れません。データが壊れているか、署名ではありません。",
		"This cannot be read as a signature. The data is damaged or is something else."},
	"unsupported-format": {"この版はこの形式の署名を検証できません。", "Signatures of this format are not judged by this release."},
	"hint-differs": {"署名が指定する証明書のハッシュ値は一致していますが、併記された発行者名または番号が異なります。",
		"The digest by which the signature names its certificate fits; issuer and number beside it are those of another."},
	"changed-after": {"署名後に、許されていない変更が文書に加えられています。",
		"The document was changed after it was signed, in a way that the signature does not allow."},
	"key-only": {"署名の鍵は確認できましたが、それが誰の鍵かを示す証明書がありません。",
		"The signature fits a bare key, and no certificate says whose key that is."},
	"part-signed": {"署名は文書の一部だけを対象としています。署名されていない部分は誰でも変更できます。",
		"The signature covers a part of the document only: what is not signed can have been written by anybody."},
	"unsupported-form": {"この形式の署名データには対応していません。", "This form of signed data is not supported."},
	"no-signature":     {"署名が一つも含まれていません。", "There is no signature inside."},
	"format":           {"署名の構造が規格に反しています。", "The structure of the signature breaks the rules of its format."},
	"content-changed": {"文書が署名されたものと異なります。署名後に変更されたか、別の文書です。",
		"The document is not the one that was signed: it was changed afterwards, or it is another document."},
	"signature-value": {"署名値が証明書の公開鍵と一致しません。", "The signature was not made with the key in the certificate, or what was signed has been changed."},
	"ambiguous": {"署名されたデータは文書以外のものとしても解釈できるため、文書への署名とは認められません。",
		"The signed bytes can be read as something other than a document, so this is no signature over a document."},
	"forbidden-algorithm": {"安全でないため受け付けない暗号方式または鍵です。", "An algorithm or key is used that is refused as unsafe."},
	"weak-algorithm": {"SHA-1や2048ビット未満のRSA鍵など、現在は信頼できない暗号方式が使われています。",
		"A weak algorithm or a short key is used, such as SHA-1 or RSA under 2048 bits, which proves too little today."},
	"unsupported-algorithm": {"この暗号方式には対応していません。", "An algorithm is used that is not supported."},
	"other-certificate": {"署名は、添付されたものとは別の証明書を指定しています。",
		"The signature names another certificate than the one at hand."},
	"no-certificate": {"署名者の証明書が見つかりません。", "The signer's certificate is not at hand."},
	"no-content": {"署名対象の文書がありません。文書を指定してください。",
		"The signed document is neither inside the signature nor given."},
	"anchors-none": {"指定により、証明書の信頼性は確認していません。文書の同一性だけを確認しました。",
		"Trust was left out on request; only the integrity of the document was checked."},
	"no-issuer": {"証明書の発行者を信頼できる認証局まで確認できません。",
		"The certificate does not lead to a trusted certification authority."},
	"forged-certificate": {"証明書に付された発行者の署名が一致しません。証明書は偽造または改変されています。",
		"The authority named in the certificate did not sign it: it is forged or altered."},
	"expired":       {"証明書は確認時点で有効期間を過ぎています。", "The certificate has expired at the time of checking."},
	"not-yet-valid": {"証明書は確認時点でまだ有効期間に入っていません。", "The certificate is not yet valid at the time of checking."},
	"wrong-kind": {"証明書の種類が異なります。利用者証明用電子証明書は文書の署名に使えません。",
		"The certificate is of another kind: a certificate for user authentication cannot sign documents, nor the reverse."},
	"bad-usage":       {"証明書の鍵用途が署名を許していません。", "The key usage of the certificate does not allow this signature."},
	"bad-constraints": {"証明書の経路が制約に反しています。", "The certificate path breaks a constraint."},
	"revoked": {"証明書は確認時点で失効または効力停止しています。",
		"The certificate was revoked or suspended at the time of checking."},
	"issuer-revoked":   {"発行者の証明書が失効しています。", "The certificate of an authority in the path was revoked."},
	"issuer-not-valid": {"発行者の証明書が確認時点で有効期間外です。", "The certificate of an authority in the path is outside its validity."},
	"status-unknown": {"失効情報を確認できませんでした。後でもう一度確認してください。",
		"The status of the certificate could not be learned. Try again later."},
	"status-stale": {"手元の失効情報が古くなっています。新しい情報で確認し直してください。",
		"The status at hand is out of date. Check again with fresh status."},
	"status-not-checked": {"証明書の失効を確認していません。", "The status of the certificate was not checked."},
	"chain-algorithm":    {"証明書の経路で受け付けない暗号方式が使われています。", "The certificate path uses an algorithm that is not accepted."},
	"chain-malformed":    {"証明書の経路を確認できません。", "The certificate path could not be judged."},
	"stamp-old": {"旧形式の長期署名用タイムスタンプが付いていますが、確認していません。",
		"There is a time-stamp of an older long-term form, which was not judged."},
	"stamp-ahead": {"タイムスタンプの時刻が確認時点より後です。", "The time-stamp states a time that lies after the time of checking."},
	"stamp-outside": {"タイムスタンプの時刻が、時刻認証局の証明書の有効期間に入っていません。",
		"The time-stamp states a time at which the certificate of its authority was not valid."},
	"stamp-expired": {"時刻認証局の証明書の有効期間が過ぎており、その前から存在したことを示す別のタイムスタンプがありません。",
		"The certificate of the time-stamping authority has expired, and no later time-stamp shows that this one was made before."},
	"stamp-status": {"時刻認証局の証明書の失効は確認できませんでした。", "The status of the time-stamping authority's certificate could not be learned."},
	"stamp-bad": {"タイムスタンプの一つは信頼できず、時刻の証明として数えていません。",
		"A time-stamp cannot be relied on and does not count as proof of a time."},
	"only-stamps": {"誰の署名もなく、タイムスタンプだけが付いています。文書がその時刻に存在したことしか示しません。",
		"Nobody signed this: there are only time-stamps, which show that the document existed then."},
	"passed-stamp": {"タイムスタンプは有効です。対象はその時刻に存在し、その後変更されていません。",
		"The time-stamp is valid: what it covers existed at the stated time and is unchanged."},
	"shared-value": {"同じ署名が文書内の複数の署名欄に使われています。", "Several signature fields of the document have one and the same signature."},
	"time-ahead": {"署名者の申告する署名日時が確認時点より後です。",
		"The signing time that the signer claims lies after the time of checking."},
}

// reasonOf gives the sentence pair of a code.
func reasonOf(code string) Reason {
	t := reasonTexts[code]
	return Reason{Code: code, JA: t[0], EN: t[1]}
}

// with adds a detail that has no translation.
func (r Reason) with(detail string) Reason {
	r.JA += " (" + detail + ")"
	r.EN += " (" + detail + ")"
	return r
}

// reasonsOf gives the reasons of all conclusions, the deciding one first, each once.
func reasonsOf(decided conclusion, all []conclusion) []Reason {
	codes := []string{decided.reason}
	for _, c := range all {
		if !slices.Contains(codes, c.reason) {
			codes = append(codes, c.reason)
		}
	}
	reasons := make([]Reason, len(codes))
	for i, code := range codes {
		reasons[i] = reasonOf(code)
	}
	return reasons
}
