package report

import "github.com/jitsuin/jitsuin/rules"

// pair is a text in Japanese and English.
type pair [2]string

// in gives the text in a language: "ja", or English for anything else.
func (p pair) in(lang string) string {
	if lang == Japanese {
		return p[0]
	}
	return p[1]
}

// Languages of a report.
const (
	Japanese = "ja"
	English  = "en"
)

func of(t rules.Text) pair { return pair{t.JA, t.EN} }

// headlines are the first lines, by what headlineOf gives.
var headlines = map[string]pair{
	string(Accept):         {"有効です。この署名は受け付けられます。", "Valid. You can accept this signature."},
	string(AcceptWithCare): {"有効です。何のために受け付けるかを決めてから使ってください。", "Valid. Decide what you accept it for before you use it."},
	string(NewSignature):   {"受け付けられません。署名し直してもらう必要があります。", "Not acceptable. It has to be signed again."},
	string(Wait):           {"まだ受け付けないでください。今は判定できません。", "Do not accept it yet. It cannot be decided now."},
	string(Supply):         {"まだ受け付けないでください。確認に必要なものが足りません。", "Do not accept it yet. Something that the check needs is missing."},
	string(Refuse):         {"受け付けないでください。この署名は有効ではありません。", "Do not accept it. The signature is not valid."},
	string(IntegrityOnly):  {"文書は署名されたときのままです。ただし、誰の署名かは確認していません。", "The document is as it was signed. Who signed it was not checked."},
	"does-not-fit":         {"署名は正しいものですが、この目的には使えません。", "The signature is right, and is not good for this purpose."},
	"overdue":              {"有効ですが、期限の切れた失効情報による確認です。最近の失効は分かりません。", "Valid, but by revocation information that has ended. A recent revocation is not known."},
	"part":                 {"署名は有効です。ただし、署名されているのは文書の一部だけです。", "The signature is valid. It covers a part of the document only."},
	"timestamp":            {"タイムスタンプは有効です。", "The time-stamp is valid."},
	"timestamp-bad":        {"このタイムスタンプは使えません。", "The time-stamp is not to be relied on."},
	"certificate":          {"証明書は有効です。", "The certificate is valid."},
	"certificate-bad":      {"この証明書は使えません。", "The certificate is not to be relied on."},
	"certificate-open":     {"証明書が有効かどうか、判定できません。", "Whether the certificate is valid cannot be decided."},
	"unsupported":          {"まだ受け付けないでください。この形式は検証できません。", "Do not accept it yet. This form cannot be checked here."},
	"malformed":            {"電子署名として読み取れません。", "This cannot be read as a signature."},
}

// stepTexts are the things to do.
var stepTexts = map[string]pair{
	"accept":         {"受け付けてかまいません。", "Accept the document."},
	"compare-person": {"署名した人の氏名・住所が、申込みや契約の相手と一致することを確かめてください。", "See that the signer's name and address are those of the person you deal with."},
	"only-what-was-signed": {"署名されている部分（下の「署名の対象」）だけを根拠にしてください。署名の後に加えられたものや、署名の外にあるものは、署名した人のものとは限りません。",
		"Rely on what was signed (see below) and on nothing else. What was added later, or lies outside, need not be the signer's."},
	"keep-report": {"この検証報告書を、文書と署名と一緒に保存してください。", "Keep this report together with the document and the signature."},
	"name-purpose": {"何のために受け付けるか（口座開設、契約、申請など）を指定して確認し直すと、根拠となる法令と保存する記録が分かります。",
		"Check again with the purpose named (an account, a contract, an application): the report then says which law applies and what to keep."},
	"time-not-person":      {"これはデータがその時刻にあったことの証明です。誰が作ったかの証明にはなりません。", "It proves that the data existed then, and not who made it."},
	"stamp-not-of-this":    {"このタイムスタンプを、この文書がその時刻にあったことの証拠にしないでください。", "Do not take the time-stamp as proof that this document existed then."},
	"certificate-only":     {"これは証明書だけの確認です。文書を受け付けるには、その署名を確認してください。", "Only a certificate was checked. To accept a document, have its signature checked."},
	"not-this-certificate": {"この証明書による署名やログインは受け付けないでください。", "Accept no signature and no login with this certificate."},
	"not-for-this-purpose": {"この目的では受け付けないでください。", "Do not accept it for this purpose."},
	"right-kind":           {"この目的に必要な種類の証明書で、手続をやり直してもらってください。", "Have it done again with the kind of certificate that this purpose needs."},
	"use-signature-certificate": {"利用者証明用（ログイン用）ではなく、署名用の電子証明書（英数字の長い暗証番号を使うほう）で署名し直すように伝えてください。",
		"Tell the signer to sign again with the signature certificate (the one with the long password of letters and digits), not with the one for logging in."},
	"unchanged-only":     {"分かったのは、文書が変わっていないことだけです。これだけで受け付けないでください。", "All that is known is that the document is unchanged. Do not accept it on that alone."},
	"check-with-anchors": {"信頼する認証局を指定して、もう一度確認してください。", "Check again with the authorities that you trust."},
	"not-yet":            {"今は受け付けないでください。", "Do not accept it for now."},
	"give-missing":       {"上の理由に書かれた足りないものを用意して、もう一度確認してください。", "Get what the reasons above say is missing, and check again."},
	"do-not-accept":      {"この署名では受け付けないでください。", "Do not accept anything on this signature."},
	"do-not-use":         {"文書の内容を信用せず、受け付けないでください。", "Do not rely on what the document says, and do not accept it."},
	"contact-known": {"文書やメールに書かれた連絡先ではなく、以前から知っている連絡先で本人に確かめてください。",
		"Ask the person in a way that you knew before, not by an address in the document or the mail."},
	"keep-as-received": {"届いたファイルは、開き直して保存したりせず、届いたまま残してください。", "Keep the files exactly as they came; do not open and save them again."},
	"get-original": {"署名したときのままのファイルを、もう一度送ってもらってください。途中で保存し直したり変換したりすると、署名は無効になります。",
		"Ask for the files exactly as they were signed. Saving or converting them on the way breaks a signature."},
	"ask-signature":   {"文書にもう一度署名して、送ってもらってください。", "Have the document signed again and sent to you."},
	"ask-person-why":  {"引っ越し、改姓、カードの紛失などで、証明書が使えなくなったと考えられます。本人に事情を確かめてください。", "The certificate was ended, as happens with a move, a change of name or a lost card. Ask the person."},
	"renew":           {"署名し直す前に、住所地の市区町村で証明書を新しくしてもらう必要があります。", "Before signing again the person needs a new certificate from their town office."},
	"check-date":      {"確認した日時と、使っているコンピューターの時計が正しいことを確かめてください。", "See that the date of the check, and the clock of the computer, are right."},
	"overdue":         {"期限の切れた失効情報で受け付けてよい手続かどうか、決まりを確かめてください。", "See whether your rules let you accept by revocation information that has ended."},
	"check-fresh":     {"新しい失効情報が届いたら、もう一度確認してください。", "Check again when fresh revocation information is there."},
	"check-later":     {"しばらく待って、もう一度確認してください。", "Wait a while and check again."},
	"give-status":     {"最新の失効情報（CRLまたはOCSP応答）を用意するか、検証者（プラットフォーム事業者）に確認を依頼してください。", "Get current revocation information (CRL or OCSP), or have a verifier check it."},
	"whose-authority": {"証明書の発行者が、受け付けてよい認証局かどうかを確かめてください。", "See whether the certificate's issuer is one that you may accept."},
	"give-anchors":    {"受け付けてよい認証局なら、その証明書を信頼するものとして指定し、もう一度確認してください。違うなら断ってください。", "If it is, name its certificate as trusted and check again. If not, refuse."},
	"give-certificate": {"署名した人の証明書を一緒に送ってもらい、それを指定して、もう一度確認してください。",
		"Ask the signer for the certificate, name it, and check again."},
	"give-document":   {"署名の対象になった文書を用意して、もう一度確認してください。", "Get the document that was signed, and check again together with it."},
	"modern-software": {"署名に使われた方式が古いか、安全ではありません。新しいソフトウェアとカードで署名してもらってください。", "It was signed in an old or unsafe way. Have it signed with current software and card."},
	"other-software":  {"この形式を扱えるソフトウェアで確認するか、別の形式（PDF、CMS、XML）で署名してもらってください。", "Check it with software for this form, or have it signed in another (PDF, CMS, XML)."},
	"right-file":      {"正しいファイルを選んだか確かめてください。", "See whether this is the right file."},
}

// stepOf gives a step with its texts.
func stepOf(code string) Step {
	t := stepTexts[code]
	return Step{Code: code, JA: t[0], EN: t[1]}
}

// labels are headings, and the words at the left of a value.
var labels = map[string]pair{
	"title": {"電子署名の検証報告書", "Report on electronic signatures"}, "meaning": {"どういうことか", "What this means"}, "next": {"次にすること", "What to do"},
	"signed": {"誰が、何に、いつ署名したか", "Who signed what, and when"}, "law": {"法律ではどう扱われるか", "What the law says"}, "details": {"詳しい内容", "Details"},
	"signature": {"署名", "Signature"}, "timestamp": {"タイムスタンプ", "Time-stamp"}, "certificate": {"証明書", "Certificate"},
	"verdict": {"判定", "Verdict"}, "at": {"確認した時点", "Checked as of"}, "file": {"ファイル", "File"}, "file-digest": {"ファイルのSHA-256", "SHA-256 of the file"},
	"format": {"形式", "Format"}, "integrity": {"文書の同一性", "Integrity"}, "purpose": {"受け付ける目的", "Purpose"}, "made-by": {"作成者", "Made by"}, "made-at": {"作成日時", "Made at"},
	"name": {"氏名", "Name"}, "address": {"住所", "Address"}, "birth": {"生年月日", "Date of birth"}, "subject": {"証明書の名義", "Certificate's subject"}, "stamper": {"タイムスタンプ局", "Time-stamping authority"},
	"kind": {"証明書の種類", "Kind of certificate"}, "what": {"署名の対象", "What was signed"}, "part": {"対象の部分", "Part"}, "after": {"署名後の変更", "Changes afterwards"},
	"when": {"署名した日時", "Signed at"}, "stamped": {"タイムスタンプの時刻", "Time-stamped at"}, "authority": {"認証局", "Authority"}, "status": {"失効の確認", "Revocation"},
	"reason": {"理由", "Reason"}, "warning": {"注意", "Note"}, "algorithm": {"暗号方式", "Algorithms"}, "digest": {"対象のハッシュ値", "Digest of what was signed"},
	"claims": {"署名した人の記載（証明されていません）", "What the signer wrote (not proven)"}, "certified": {"許される変更", "Changes allowed"}, "changes": {"加えられた変更", "What was changed"},
	"path": {"証明書の経路", "Certificate path"}, "anchor": {"信頼の起点のSHA-256", "SHA-256 of the anchor"}, "validity": {"証明書の有効期間", "Certificate valid"},
	"evidence": {"失効情報", "Revocation information"}, "failed": {"満たしていない項目", "Rule not kept"}, "checks": {"確認した項目の数", "Rules applied"}, "unsigned": {"保護されていない属性", "Not protected"},
	"basis": {"根拠", "Basis"}, "presumption": {"真正の推定", "Presumption"}, "conditions": {"推定の条件", "On these conditions"}, "must": {"しなければならないこと", "You must"},
	"keep": {"保存する記録", "Records to keep"}, "may-not": {"してはならないこと", "You may not"},
}

// words are values that need both languages.
var words = map[string]pair{
	"sign": {"署名用電子証明書（実印にあたります）", "signature certificate (stands for the registered seal)"}, "auth": {"利用者証明用電子証明書（ログイン用）", "user authentication certificate (for logging in)"},
	"other": {"公的個人認証サービス以外の証明書", "not a certificate of the public personal authentication system"},
	"ok":    {"署名されたときのままです", "as it was signed"}, "broken": {"変更されたか、一致しません", "changed, or not matching"}, "": {"確認できません", "could not be established"},
	"whole": {"文書全体", "the whole document"}, "revision": {"署名した時点の文書全体（その後に追加された部分を除く）", "the whole document as it was when it was signed, without what was added later"},
	"part": {"文書の一部だけ", "only a part of the document"}, "detached": {"別のファイルの文書", "a document in a file of its own"}, "embedded": {"署名に含まれる文書", "the document inside"}, "countersigned": {"別の署名（その署名を確かめた副署）", "another signature, which this one countersigns"},
	"digest": {"ハッシュ値だけが示された文書", "a document of which only the digest was given"},
	"none":   {"ありません", "none"}, "allowed": {"あります（許された変更だけ）", "some, all of them allowed"}, "forbidden": {"あります（許されていない変更）", "some that are not allowed"},
	"claimed": {"署名した人の申告。証明されていません", "as the signer says; not proven"}, "stamp-proof": {"タイムスタンプで証明されています", "proven by a time-stamp"},
	"name-withheld":   {"確認に合格していないため示しません", "not shown, because the check was not passed"},
	"name-not-inside": {"この種類の証明書には記録されていません", "this kind of certificate has none"},
	"doc-mdp-1":       {"一切許さない", "none at all"}, "doc-mdp-2": {"入力欄への記入と署名だけ", "filling in forms and signing"}, "doc-mdp-3": {"入力欄への記入、署名、注釈", "filling in forms, signing and notes"},
	"stamp-claimed": {"タイムスタンプの記載。証明されていません", "as the time-stamp says; not proven"},
	"no-time":       {"分かりません", "not known"},
	"untrusted":     {"信頼できる認証局まで確認できません", "no path to a trusted authority"},
	"good":          {"失効していません", "not revoked"}, "revoked": {"失効しています", "revoked"}, "unknown": {"分かりません", "not known"}, "not_checked": {"確認していません", "not checked"},
	"content": {"署名前の文書", "the content, before it was signed"}, "signature": {"署名", "the signature"}, "archive": {"署名と証拠（長期保存）", "signature and evidence, for the archive"}, "document": {"文書", "the document"},
	"stamp-bad":   {"信頼できません", "not to be relied on"},
	"file-beside": {"添付ファイル", "file"}, "whole-document": {"文書全体", "the whole document"},
	"certificateHold": {"一時停止", "suspended"}, "affiliationChanged": {"氏名・住所などの変更", "name or address changed"}, "cessationOfOperation": {"本人の死亡・国外転出など", "the person died, left the country or the like"},
	"superseded": {"再発行・更新", "re-issued or renewed"}, "keyCompromise": {"鍵の漏えい", "the key was compromised"}, "unspecified": {"理由の記載なし", "no reason given"},
	"years-from": {"%sの翌日から%d年間", "for %[2]d years from the day after %[1]s"}, "day-of": {"%sまで", "until %s"},
	"presumed":     {"文書は本人が作ったものと推定されます（条件があります）。", "The document is presumed to be the person's own, on conditions."},
	"not-presumed": {"本人が作ったとの推定は受けません。", "The document is not presumed to be the person's own."},
	"no-law":       {"この文書は確認に合格していないため、法律上の効果は示しません。", "The document did not pass, so no legal effect is stated."},
}

// notes stand at the end.
var notes = map[string]pair{
	"serial": {"証明書の発行番号は、法律により確認以外に使えないため、この報告書に載せていません。", "Serial numbers of certificates are not shown: the law allows their use for the check alone."},
	"evidence": {"公的個人認証サービスの失効情報は、確認以外の目的に使えず、文書に埋め込んで渡すこともできません（公的個人認証法52条）。確認したことの証拠としては、検証者が署名したこの報告書を保存してください。",
		"Revocation information of JPKI may be used for the check alone and is not embedded in documents that are handed on (JPKI Act art. 52). Keep this report, signed by the verifier, as the evidence of the check."},
	"attached": {"この報告書と同じ内容を機械で読める形にしたデータ（%s）が添付されています。", "The same report as data for programs (%s) is attached."},
	"law":      {"法令の読みは一般的な説明であり、個別の事案についての法的助言ではありません。出典の確かさは jitsuin rules で確かめられます。", "The legal reading is general information and no legal advice. How sure each source is: jitsuin rules."},
}

// purposeTexts name the purposes.
var purposeTexts = map[rules.Purpose]pair{
	rules.PurposeApplication: {"行政手続の申請・届出", "application to an authority"}, rules.PurposeContract: {"電子契約", "contract"},
	rules.PurposeAccount: {"口座開設などの取引時確認", "identification for an account or loan"}, rules.PurposeMobile: {"携帯電話の契約", "mobile telephone contract"},
	rules.PurposeMobileRental: {"携帯電話の貸与", "rental of mobile telephones"}, rules.PurposeAntique: {"古物の買受け", "purchase of second-hand goods"},
	rules.PurposeMyNumber: {"個人番号の提供を受ける際の本人確認", "identification when My Number is collected"}, rules.PurposeLogin: {"ログイン", "login"},
	rules.PurposeStillValid: {"現況確認", "check of whether customer data still hold"}, rules.PurposeLatestItems: {"最新の4情報の提供", "supply of the latest four items"},
}

// PurposeText names a purpose in a language: "ja", or English for anything else.
func PurposeText(p rules.Purpose, lang string) string { return purposeTexts[p].in(lang) }
