package rules

var effectItems = series{{
	ID: "effect-four-items", InForce: since(2016, 1, 1),
	Text: Text{"基本4情報（氏名・住所・生年月日・性別）に異動が生じたときは、署名用電子証明書のみが、機構が異動等失効情報を記録した時に失効する。",
		"When one of the four items changes, the signature certificate alone ends, the moment the Agency records the notice of change."},
	Source: cite(actJPKI, "12条・15条", "arts. 12 and 15", Ancestor),
}}

var effectSame = series{{
	ID: "effect-nothing-changed", InForce: since(2016, 1, 1),
	Text:   Text{"基本4情報が変わらない記載・修正では、いずれの電子証明書も失効しない。", "An entry or amendment that leaves the four items as they were ends no certificate."},
	Source: cite(actJPKI, "12条", "art. 12", OurReading),
}}

var effectMoveOut = series{{
	ID: "effect-move-out", InForce: since(2016, 1, 1),
	Text:   Text{"国内の転出では、転入の記録があるまで電子証明書は失効しない。", "A departure within the country ends no certificate until the arrival is recorded."},
	Source: cite(actJPKI, "12条", "art. 12", OurReading, "Sources agree that the signature certificate ends with a move and differ on the moment; Practice.RevokeAtMoveOut chooses the other."),
}}

var effectMoveOutEarly = series{{
	ID: "effect-move-out-early", InForce: since(2016, 1, 1),
	Text:   Text{"（選択時）国内の転出では、転出予定年月日に署名用電子証明書が失効する。", "(Where so chosen) a departure within the country ends the signature certificate on the planned day."},
	Source: cite(actJPKI, "12条", "art. 12", OurReading),
}}

var effectAbroad = series{{
	ID: "effect-abroad", InForce: since(2016, 1, 1),
	Text:   Text{"国外継続利用の手続のない国外転出では、転出の日に両方の電子証明書が失効する。", "Departure abroad without the procedure for continued use ends both certificates on the day of departure."},
	Source: cite(founding, "5頁", "p. 5", Primary, "That the day is the day of departure is told by municipalities."),
}}

var effectAbroadKept = series{{
	ID: "effect-abroad-continued", InForce: since(2024, 5, 27),
	Text: Text{"国外継続利用の手続をした国外転出では、署名用電子証明書は転出の日に失効し、利用者証明用電子証明書は失効しない。",
		"Departure abroad with the procedure for continued use ends the signature certificate on the day of departure and leaves the authentication certificate."},
	Source: cite(cardGuide, "（国外転出者向けマイナンバーカード）", "cards for people abroad", Secondary),
}}

var effectDeath = series{{
	ID: "effect-death", InForce: since(2016, 1, 1),
	Text:   Text{"死亡の通知を記録した時に両方の電子証明書が失効する。", "Both certificates end when the notice of death is recorded."},
	Source: cite(actJPKI, "12条・15条", "arts. 12 and 15", Ancestor),
}}

var effectDeleted = series{{
	ID: "effect-deleted", InForce: since(2016, 1, 1),
	Text:   Text{"住民票の職権消除等の通知を記録した時に両方の電子証明書が失効する。", "Both certificates end when the deletion of the resident record is recorded."},
	Source: cite(actJPKI, "12条・15条", "arts. 12 and 15", Ancestor),
}}

var effectCode = series{{
	ID: "effect-code-changed", InForce: since(2016, 1, 1),
	Text:   Text{"住民票コードが変わるとカードが失効し、記録された両方の電子証明書も失効する。", "A new resident code ends the card, and both certificates on it."},
	Source: cite(ordNumber, "14条", "art. 14", OurReading, "The card's lapse is in the ancestor ordinance (art. 30-20(7)); that the certificates follow is our reading."),
}}

var reasonMapping = series{{
	ID: "crl-reasons", InForce: always(),
	Text: Text{"失効理由は、4情報の異動をaffiliationChanged、死亡・国外転出・消除・返納をcessationOfOperation、再発行・更新をsuperseded、一時停止をcertificateHold、鍵の危殆化をkeyCompromiseとする。",
		"Reasons: affiliationChanged for changed items; cessationOfOperation for death, departure abroad, deletion and return; superseded for re-issue and renewal; certificateHold for suspension; keyCompromise for a leaked key."},
	Source: cite(rfc5280, " 5.3.1", "sec. 5.3.1", OurReading, "The Agency's own mapping is not public; the names are those that verifiers see."),
}}

func effectRules() []series {
	s := []series{effectItems, effectSame, effectMoveOut, effectMoveOutEarly, effectAbroad, effectAbroadKept,
		effectDeath, effectDeleted, effectCode, reasonMapping}
	for _, c := range MinorCases() {
		s = append(s, series{c.Rule})
	}
	return s
}
