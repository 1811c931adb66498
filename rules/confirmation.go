package rules

import "github.com/jitsuin/jitsuin"

// RecordCase is a case in which a member of a confirmation record is asked for.
type RecordCase string

const (
	CaseAlways      RecordCase = "always"       // every natural person who comes by herself or himself
	CaseJPKI        RecordCase = "jpki"         // identified by a signature with the signature certificate
	CaseForeignPEP  RecordCase = "foreign-pep"  // 外国PEPs
	CaseAgent       RecordCase = "agent"        // 代表者等 acts for the customer
	CaseLegalEntity RecordCase = "legal-entity" // 法人
	CaseHighRisk    RecordCase = "high-risk"    // 厳格な取引時確認
	CaseAlias       RecordCase = "alias"        // another name than one's own is used
)

// RecordMember is a member that a confirmation record (確認記録) must have in a case. Key is its name
// in the record, ID of its Rule is "record-" and Key.
type RecordMember struct {
	Key  string
	Case RecordCase
	Rule
}

// Keys of the members that a natural person's record has.
const (
	MemberCheckedBy   = "checked-by"
	MemberMadeBy      = "made-by"
	MemberReceivedAt  = "received-at"
	MemberDeclaredAt  = "declared-at"
	MemberTransaction = "transaction"
	MemberMethod      = "method"
	MemberName        = "name"
	MemberResidence   = "residence"
	MemberBirthDate   = "birth-date"
	MemberPurpose     = "purpose"
	MemberOccupation  = "occupation"
	MemberAccount     = "account-number"
	MemberForeignPEP  = "foreign-pep"
	MemberAttachment  = "attachment"
)

// noteNumber: the article has had between 24 (2013) and 31 items, and was read item by item only as of 2013.
const noteNumber = "The item's number in the text in force is unverified."

func member(key string, c RecordCase, f InForce, text Text, article Text, sure Confidence, note string) RecordMember {
	return RecordMember{key, c, Rule{ID: "record-" + key, InForce: f, Text: text, Source: Source{regProceeds, article, sure, note}}}
}

// RecordMembers lists the members of a confirmation record in the order of the regulation. Those of
// other cases than a natural person's own stand there so that it is seen what is left out and why.
func RecordMembers() []RecordMember { return append(membersAlways(), membersOfCases()...) }

func membersAlways() []RecordMember {
	items := Text{"20条1項", "art. 20(1)"}
	m := func(key string, ja, en string) RecordMember {
		return member(key, CaseAlways, always(), Text{ja, en}, items, Ancestor, noteNumber)
	}
	return []RecordMember{
		m(MemberCheckedBy, "取引時確認を行った者の氏名その他の当該者を特定するに足りる事項。", "Who made the check: a name, or what identifies them."),
		m(MemberMadeBy, "確認記録の作成者の氏名その他の当該者を特定するに足りる事項。", "Who made the record: a name, or what identifies them."),
		m(MemberDeclaredAt, "取引を行う目的及び職業の確認を行った日付。", "The day on which purpose and occupation were declared."),
		m(MemberTransaction, "取引時確認を行った取引の種類。", "The kind of transaction."),
		m(MemberMethod, "本人特定事項の確認を行った方法。", "The method by which the person was identified."),
		m(MemberName, "本人特定事項のうち氏名。", "The person's name."),
		m(MemberResidence, "本人特定事項のうち住居。", "The person's residence."),
		m(MemberBirthDate, "本人特定事項のうち生年月日。", "The person's date of birth."),
		m(MemberPurpose, "取引を行う目的。", "The purpose of the transaction."),
		m(MemberOccupation, "職業（法人では事業の内容）。", "The occupation; of a legal entity its business."),
		m(MemberAccount, "口座番号その他の確認記録を検索するための事項。", "The account number, or what else the record is found by."),
	}
}

func membersOfCases() []RecordMember {
	items := Text{"20条1項", "art. 20(1)"}
	return []RecordMember{
		member(MemberAttachment, CaseJPKI, always(), Text{"当該方法により本人特定事項の確認を行ったことを証するに足りる電磁的記録（署名された情報・署名・証明書）の添付。電磁的記録のまま保存する。",
			"Attached: the electronic record that proves the identification (signed data, signature, certificate), kept in electronic form."},
			Text{"19条1項2号", "art. 19(1)(ii)"}, Primary, ""),
		member(MemberReceivedAt, CaseJPKI, always(), Text{"署名された情報及び署名用電子証明書の送信を受けた日付及び時刻。", "Day and time at which signed data and certificate were received."},
			items, OurReading, "The text names the time at which a document is shown; here the reception stands for it."),
		member(MemberForeignPEP, CaseForeignPEP, since(2016, 10, 1), Text{"顧客が外国の重要な公的地位にある者等（外国PEPs）であるときは、その旨及びそう認めた理由。",
			"That the customer holds, or held, a prominent public position of a foreign state or is close to such a person, and why this is thought."}, items, Secondary, noteNumber),
		member("representative", CaseAgent, always(), Text{"代表者等の本人特定事項、顧客との関係、取引の任に当たると認めた理由。", "Who acts for the customer, in which relation, and why they are taken to be charged with it."},
			items, Ancestor, noteNumber),
		member("beneficial-owner", CaseLegalEntity, since(2013, 4, 1), Text{"法人の実質的支配者の本人特定事項、顧客との関係、確認の方法。", "Of a legal entity: who controls it, in which relation, and how this was checked."},
			items, Ancestor, noteNumber),
		member("wealth", CaseHighRisk, since(2013, 4, 1), Text{"資産及び収入の状況を確認したときは、確認した方法及び書類の名称。", "Where wealth and income were checked: how, and by which papers."},
			items, Ancestor, noteNumber),
		member("alias", CaseAlias, always(), Text{"自己の氏名と異なる名義を用いるときは、その名義及び理由。", "Where another name than one's own is used: that name, and why."},
			items, Ancestor, noteNumber),
	}
}

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

func recordRules() []series { return []series{recordAppended, adultAge} }

// MembersOf gives the members that a record made on a day must have in the cases. CaseAlways is
// always among them.
func MembersOf(on jitsuin.Date, cases ...RecordCase) []RecordMember {
	asked := map[RecordCase]bool{CaseAlways: true}
	for _, c := range cases {
		asked[c] = true
	}
	var all []RecordMember
	for _, m := range RecordMembers() {
		if asked[m.Case] && m.InForce.Covers(on) {
			all = append(all, m)
		}
	}
	return all
}

// IsAdult tells whether a person born on a day is of age on another, and gives the age that counts.
func IsAdult(birth, on jitsuin.Date) (adult bool, age int) {
	age = adultAge.n(on)
	return Age(birth, on) >= age, age
}
