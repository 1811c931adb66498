package rules

import "github.com/jitsuin/jitsuin"

// noteItem: the article was read item by item as of 2013, when it was art. 17 with 24 items; it has 31 today, and not
// all of them were read.
func noteItem(item string) string {
	return "Item " + item + " of art. 17(1) as of 2013; its number in the text in force is unverified."
}

func confirmation(key string, c RecordCase, f InForce, item string, text Text, sure Confidence) RecordMember {
	return RecordMember{RecordConfirmation, key, c, Rule{ID: "record-" + key, InForce: f, Text: text,
		Source: Source{regProceeds, Text{"20条1項", "art. 20(1)"}, sure, noteItem(item)}}}
}

// confirmationMembers are those of a confirmation record (確認記録) in the order of the regulation. Those of other
// cases than a natural person's own by JPKI stand there so that it is seen what is left out and why.
func confirmationMembers() []RecordMember { return append(membersAlways(), membersOfCases()...) }

func membersAlways() []RecordMember {
	m := func(item, key, ja, en string) RecordMember {
		return confirmation(key, CaseAlways, always(), item, Text{ja, en}, Ancestor)
	}
	return []RecordMember{
		m("i", MemberCheckedBy, "取引時確認を行った者の氏名その他の当該者を特定するに足りる事項。", "Who made the check: a name, or what identifies them."),
		m("ii", MemberMadeBy, "確認記録の作成者の氏名その他の当該者を特定するに足りる事項。", "Who made the record: a name, or what identifies them."),
		m("viii", MemberDeclaredAt, "取引を行う目的及び職業の確認を行った日付。", "The day on which purpose and occupation were declared."),
		m("ix", MemberTransaction, "取引時確認を行った取引の種類。", "The kind of transaction."),
		m("x", MemberMethod, "本人特定事項の確認を行った方法。", "The method by which the person was identified."),
		m("xiv", MemberName, "本人特定事項のうち氏名。", "The person's name."),
		m("xiv", MemberResidence, "本人特定事項のうち住居。", "The person's residence."),
		m("xiv", MemberBirthDate, "本人特定事項のうち生年月日。", "The person's date of birth."),
		m("xvi", MemberPurpose, "取引を行う目的。", "The purpose of the transaction."),
		m("xvii", MemberOccupation, "職業（法人では事業の内容）。", "The occupation; of a legal entity its business."),
		m("xxii", MemberAccount, "取引記録等を検索するための口座番号その他の事項。", "The account number, or what else the records of transactions are found by."),
	}
}

func membersOfCases() []RecordMember {
	return append([]RecordMember{
		{RecordConfirmation, MemberAttachment, CaseJPKI, Rule{ID: "record-attachment", InForce: always(),
			Text: Text{"当該方法により本人特定事項の確認を行ったことを証するに足りる電磁的記録（署名された情報・署名・証明書）の添付。電磁的記録のまま保存する。",
				"Attached: the electronic record that proves the identification (signed data, signature, certificate), kept in electronic form."},
			Source: cite(regProceeds, "19条1項2号", "art. 19(1)(ii)", Primary)}},
		{RecordConfirmation, MemberReceivedAt, CaseJPKI, Rule{ID: "record-received-at", InForce: always(),
			Text:   Text{"署名された情報及び署名用電子証明書の送信を受けた日付及び時刻。", "Day and time at which signed data and certificate were received."},
			Source: cite(regProceeds, "20条1項", "art. 20(1)", OurReading, "The text names the time at which a document is shown; here the reception stands for it.")}},
		{RecordConfirmation, MemberForeignPEP, CaseForeignPEP, Rule{ID: "record-foreign-pep", InForce: since(2016, 10, 1),
			Text: Text{"顧客が外国の重要な公的地位にある者等（外国PEPs）であるときは、その旨及びそう認めた理由。",
				"That the customer holds, or held, a prominent public position of a foreign state or is close to such a person, and why this is thought."},
			Source: cite(regProceeds, "20条1項", "art. 20(1)", Secondary, "It was added after 2013; its number in the text in force is unverified.")}},
	}, membersOfOtherCases()...)
}

func membersOfOtherCases() []RecordMember {
	m := func(item, key string, c RecordCase, ja, en string) RecordMember {
		return confirmation(key, c, always(), item, Text{ja, en}, Ancestor)
	}
	return []RecordMember{
		m("iii", "shown-at", CasePaper, "本人確認書類の提示を受けた日付及び時刻。", "Day and time at which an identity paper was shown."),
		m("iv", "sent-in-on", CasePaper, "本人確認書類又はその写しの送付を受けた日付。", "The day on which an identity paper or a copy was received."),
		m("v", "papers-posted-on", CasePosted, "取引関係文書を送付した日付。", "The day on which papers of the transaction were posted."),
		m("vi", "papers-handed-on", CasePosted, "取引関係文書を交付した日付。", "The day on which papers of the transaction were handed over at a place of business."),
		m("vii", "second-paper-on", CaseHighRisk, "厳格な取引時確認で追加の書類の提示又は送付を受けた日付。", "In a strict check: the day on which a further paper was shown or received."),
		m("xi", "identity-paper", CasePaper, "提示を受けた本人確認書類又は補完書類の名称、記号番号。", "Name and number of the identity paper that was shown."),
		m("xii", "residence-paper", CasePaper, "現在の住居を確認した書類の名称、記号番号。", "Name and number of the paper by which the present residence was checked."),
		m("xiii", "place-of-business", CasePosted, "文書を送付し又は交付した営業所の名称、所在地及び書類の名称、記号番号。", "The place of business to which papers went, and the paper that names it."),
		m("xv", "representative", CaseAgent, "代表者等の本人特定事項、顧客との関係、取引の任に当たると認めた理由。", "Who acts for the customer, in which relation, and why they are taken to be charged with it."),
		m("xviii", "controlled", CaseLegalEntity, "法人の実質的支配者の有無並びに確認の方法及び書類の名称。", "Whether somebody controls the legal entity, and how and by which papers this was checked."),
		m("xix", "beneficial-owner", CaseLegalEntity, "実質的支配者の本人特定事項、確認の方法及び書類の名称、記号番号。", "Who controls it, how this was checked, and by which papers."),
		m("xx", "wealth", CaseHighRisk, "資産及び収入の状況を確認した方法及び書類の名称。", "Where wealth and income were checked: how, and by which papers."),
		m("xxi", "alias", CaseAlias, "自己の氏名と異なる名義を用いるときは、その名義及び理由。", "Where another name than one's own is used: that name, and why."),
		m("xxiii", "earlier-check", CaseHighRisk, "関連取引時確認に係る確認記録を検索するための、その確認を行った日付その他の事項。", "The day of the earlier check to which this one belongs, or what else its record is found by."),
		m("xxiv", "period-of-stay", CaseStay, "在留期間等を確認した旅券又は許可書の名称、日付、記号番号。", "Name, date and number of the passport or permit by which the period of stay was checked."),
	}
}

var confirmationItems = series{{
	ID: "confirmation-items", N: 24, Unit: Items, InForce: until(2016, 9, 30),
	Text:   Text{"確認記録の記録事項は24ある。", "A confirmation record has 24 items."},
	Source: cite(regProceeds, "17条1項（2013年）", "art. 17(1) as of 2013", Ancestor, "The last day is unverified."),
}, {
	ID: "confirmation-items", N: 31, Unit: Items, InForce: since(2016, 10, 1),
	Text:   Text{"確認記録の記録事項は31ある。そのすべてが読まれたわけではない。", "A confirmation record has 31 items, not all of which were read here."},
	Source: cite(regProceeds, "20条1項", "art. 20(1)", Secondary, "Counted as of 2026 and not read item by item; since when there are 31 is unverified. What is recorded here are the 24 of 2013 and one of later."),
}}

var recordAppended = series{{
	ID: "record-appended", InForce: always(),
	Text: Text{"記録した事項に変更があることを知ったときは、その内容を付記する。既に記録された内容を消去してはならない。",
		"Whoever learns that something recorded has changed adds a note of it; what was recorded is never erased."},
	Source: cite(regProceeds, "20条3項", "art. 20(3)", Ancestor, "The paragraph's number in the text in force is unverified."),
}}

var adultAge = series{{
	ID: "adult-age", N: 20, Unit: Years, InForce: until(2022, 3, 31),
	Text:   Text{"年齢20歳をもって成年とする。", "One comes of age at 20."},
	Source: cite(actCivil, "4条", "art. 4", Unverified),
}, {
	ID: "adult-age", N: 18, Unit: Years, InForce: since(2022, 4, 1),
	Text:   Text{"年齢18歳をもって成年とする。未成年者の契約には法定代理人の同意を要する（5条）。", "One comes of age at 18. A minor's contract needs the legal representative's consent (art. 5)."},
	Source: cite(actCivil, "4条", "art. 4", Unverified),
}}

func recordRules() []series { return []series{recordAppended, confirmationItems, adultAge} }

// IsAdult tells whether a person born on a day is of age on another, and gives the age that counts.
func IsAdult(birth, on jitsuin.Date) (adult bool, age int) {
	age = adultAge.n(on)
	return Age(birth, on) >= age, age
}
