package rules

import "github.com/jitsuin/jitsuin"

// Reading is what the law makes of a verified signature or authentication: the legal part of a
// verification report. Every sentence is a Rule with its source.
type Reading struct {
	Kind    jitsuin.CertKind
	Purpose Purpose
	On      jitsuin.Date
	// Fits is false where the purpose needs the other kind of certificate; Basis then says so.
	Fits bool
	// Basis says which act and letter the reception rests on.
	Basis []Rule
	// Presumed tells that the signed document is presumed genuine (電子署名法3条), given that the
	// person alone could sign; Presumption is the rule, either way.
	Presumed    bool
	Presumption Rule
	Conditions  []Rule        // on which the presumption rests; none where nothing is presumed
	Must        []Rule        // what the recipient must do
	MayNot      []Rule        // what the recipient may not do
	Keep        []KeepingRule // what is kept; KeepingRule.Until gives the day
}

var presumed = series{{
	ID: "presumption", InForce: since(2001, 4, 1),
	Text: Text{"本人だけが行うことができる電子署名がされた電磁的記録は、真正に成立したものと推定する（印影のある文書についての民訴法228条4項に当たる）。",
		"A record with an electronic signature that only the person could make is presumed genuine, as a sealed document is under Code of Civil Procedure art. 228(4)."},
	Source: cite(actESign, "3条", "art. 3", Ancestor, "The day on which the act came into force is unverified."),
}}

var notPresumed = series{{
	ID: "no-presumption", InForce: since(2016, 1, 1),
	Text:   Text{"利用者証明は本人がその場にいたことを示すにとどまり、文書の真正を推定させない。", "Authentication shows that the person was present; it makes no document presumed genuine."},
	Source: cite(guideJPKI, "注7", "note 7", Official),
}}

var mustCheckBoth = series{{
	ID: "must-check-both", InForce: always(),
	Text: Text{"署名検証者は、署名用電子証明書が失効していないことと、その証明書に対応する符号で電子署名が行われたことの両方を確認しなければならない。",
		"A verifier must check both that the certificate has not ended and that the signature was made with its key."},
	Source: cite(actJPKI, "19条1項", "art. 19(1)", Ancestor),
}}

var mustCheckAuth = series{{
	ID: "must-check-authentication", InForce: since(2016, 1, 1),
	Text:   Text{"利用者証明検証者は、利用者証明用電子証明書が失効していないことと、対応する符号で利用者証明が行われたことの両方を確認する。", "A verifier of authentications checks both that the certificate has not ended and that its key was used."},
	Source: cite(actJPKI, "36条以下", "art. 36 ff.", OurReading, "By analogy with art. 19(1)."),
}}

var mustBeVerifier = series{{
	ID: "must-be-verifier", InForce: always(),
	Text: Text{"検証を業とする者は、主務大臣の認定を受けて機構に届け出た者（又はこれに委託するみなし署名検証者）でなければならない。",
		"Whoever verifies for others to rely on is accredited by the minister and notified to the Agency, or entrusts such a one (deemed verifier)."},
	Source: cite(actJPKI, "17条1項・4項", "art. 17(1) and (4)", Ancestor),
}}

var mustConfirmRecord = series{{
	ID: "must-confirmation-record", InForce: always(),
	Text: Text{"確認記録を直ちに作成し、本人特定事項の確認を証するに足りる電磁的記録（署名された情報・署名・証明書）を電子のまま添付する。",
		"The confirmation record is made at once, with the signed data, signature and certificate attached, in electronic form."},
	Source: cite(regProceeds, "19条1項2号・20条", "arts. 19(1)(ii) and 20", Primary),
}}

var mustMobileRecord = series{{
	ID: "must-mobile-record", InForce: always(),
	Text:   Text{"本人確認記録を速やかに作成し、確認の日（証明書を受けた日）、方法、証明書の種類と記号番号を記す。", "The identification record is made promptly and names the day the certificate was received, the method, the certificate's kind and number."},
	Source: cite(regMobile, "8条", "art. 8", Ancestor),
}}

var mustRentalRecord = series{{
	ID: "must-rental-record", N: 3, Unit: Days, InForce: always(),
	Text:   Text{"貸与では、台数と電話番号を加え、3日以内に記録を作成する。", "For rentals the number of devices and telephone numbers are added, and the record made within 3 days."},
	Source: cite(regMobile, "", "", Ancestor),
}}

var mustAntiqueItems = series{{
	ID: "must-antique-items", InForce: always(),
	Text:   Text{"署名される記録に、相手方の住所・氏名・職業・年齢を含める（職業と年齢は証明書にない）。", "The signed record names address, name, occupation and age; the certificate has neither occupation nor age."},
	Source: cite(regAntique, "15条3項11号", "art. 15(3)(xi)", Primary),
}}

var mustSeparateNumber = series{{
	ID: "must-separate-my-number", InForce: since(2016, 1, 1),
	Text:   Text{"個人番号は署名の記録と分けて保管し、安全管理措置を講じる。", "My Number is stored apart from the record of the signature, under the act's security measures."},
	Source: cite(actNumber, "12条", "art. 12", Unverified),
}}

var mustConsent = series{{
	ID: "must-consent", InForce: since(2023, 5, 16),
	Text:   Text{"最新4情報の提供は、本人が署名用電子証明書で同意した後に限る。取消しもできる。", "The latest four items are supplied only after the person consented with a signature, which can be withdrawn."},
	Source: cite(guideJPKI, "（4情報提供）", "supply of the four items", Official),
}}

var mayNotOtherUse = series{{
	ID: "may-not-other-purpose", InForce: always(),
	Text:   Text{"受領した署名用電子証明書を、その電子署名の確認以外の目的に利用してはならない。", "The certificate received may be used for nothing but checking that signature."},
	Source: cite(actJPKI, "19条2項", "art. 19(2)", Ancestor),
}}

var mayNotStatus = series{{
	ID: "may-not-pass-on-status", InForce: always(),
	Text: Text{"失効情報、失効情報ファイル及び対応証明書の発行番号は、確認に必要な限度を超えて利用し、又は提供してはならない。",
		"Revocation information, revocation files and serial numbers of corresponding certificates may not be used or passed on beyond what the check needs."},
	Source: cite(actJPKI, "52条", "art. 52", Primary),
}}

var mayNotMyNumber = series{{
	ID: "may-not-collect-my-number", InForce: since(2016, 1, 1),
	Text: Text{"社会保障・税・災害対策の法定事務を行う者でなければ、個人番号を収集し、保管してはならない（カード裏面の写しを含む）。",
		"Nobody but those with statutory duties in social security, tax and disaster relief may collect or keep My Number, copies of the card's back included."},
	Source: cite(actNumber, "15条・20条", "arts. 15 and 20", Primary, "The rule is in the slides of 2018, p. 3; the numbers of the articles are unverified."),
}}

var mayNotTell = series{{
	ID: "may-not-tell", InForce: always(),
	Text:   Text{"失効情報等を扱う職員・受託者（再受託者を含む）は、知り得た秘密を漏らしてはならない。", "Staff and contractors, sub-contractors included, who handle this information may not tell what they learn."},
	Source: cite(actJPKI, "25条から28条まで（2013年）", "arts. 25 to 28 as of 2013", Ancestor),
}}

var wrongKindNeedsSign = series{{
	ID: "needs-signature-certificate", InForce: since(2016, 1, 1),
	Text:   Text{"この目的には署名用電子証明書による電子署名が必要であり、利用者証明では足りない。", "This purpose needs a signature with the signature certificate; authentication is not enough."},
	Source: cite(actESign, "2条", "art. 2", Official),
}}

var wrongKindNeedsAuth = series{{
	ID: "needs-authentication-certificate", InForce: since(2016, 1, 1),
	Text:   Text{"ログインには利用者証明用電子証明書を用いる。属性を得るために意味のないデータに署名させてはならない。", "Login uses the authentication certificate; nobody may be made to sign meaningless data."},
	Source: cite(actJPKI, "19条2項・36条", "arts. 19(2) and 36", OurReading),
}}

var basisSignature = series{{
	ID: "basis-signature", InForce: since(2016, 1, 1),
	Text:   Text{"署名用電子証明書に係る電子署名であり、検証者は署名検証者として受領する。", "A signature under the signature certificate, received as a signature verifier."},
	Source: cite(actJPKI, "2条1項・17条", "arts. 2(1) and 17", Ancestor),
}}

var basisAuthentication = series{{
	ID: "basis-authentication", InForce: since(2016, 1, 1),
	Text:   Text{"利用者証明用電子証明書に係る電子利用者証明であり、検証者は利用者証明検証者として受領する。", "An authentication under the authentication certificate, received as a verifier of authentications."},
	Source: cite(actJPKI, "2条2項・36条", "arts. 2(2) and 36", Secondary),
}}

func legalRules() []series {
	return append(presumptionRules(), presumed, notPresumed, mustCheckBoth, mustCheckAuth, mustBeVerifier, mustConfirmRecord, mustMobileRecord,
		mustRentalRecord, mustAntiqueItems, mustSeparateNumber, mustConsent, mayNotOtherUse, mayNotStatus, mayNotMyNumber,
		mayNotTell, wrongKindNeedsSign, wrongKindNeedsAuth, basisSignature, basisAuthentication)
}
