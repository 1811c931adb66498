package rules

// of makes the members of one record that stand in one article, as it was read in 2013.
func of(record Record, act, article Text, sure Confidence, note string) func(key string, c RecordCase, ja, en string) RecordMember {
	return func(key string, c RecordCase, ja, en string) RecordMember {
		return RecordMember{record, key, c, Rule{ID: "record-" + string(record) + "-" + key, InForce: always(), Text: Text{ja, en},
			Source: Source{act, article, sure, note}}}
	}
}

// transactionMembers are those of records of transactions (取引記録等), and of the note that a known customer was
// recognised (取引時確認済みの確認).
func transactionMembers() []RecordMember {
	m := of(RecordTransaction, regProceeds, Text{"24条", "art. 24"}, Ancestor, "Art. 21 as of 2013; its number in the text in force is unverified.")
	k := of(RecordLinkedNumber, regProceeds, Text{"16条1項", "art. 16(1)"}, Ancestor, "Art. 14(1) as of 2013, by reference to items i to iii of art. 21.")
	return []RecordMember{
		m(MemberAccount, CaseAlways, "口座番号その他の顧客等の確認記録を検索するための事項。", "The account number, or what else the confirmation record is found by."),
		m(MemberTradedOn, CaseAlways, "取引の日付。", "The day of the transaction."),
		m(MemberTransaction, CaseAlways, "取引の種類。", "The kind of transaction."),
		m(MemberValue, CaseAlways, "取引に係る財産の価額。", "The value of the property."),
		m(MemberTransfer, CaseTransfer, "財産移転に係る移転元又は移転先の名義その他の特定するに足りる事項。", "From whom or to whom property goes: a name, or what identifies them."),
		k(MemberAccount, CaseAlways, "口座番号その他の顧客等の確認記録を検索するための事項。", "The account number, or what else the confirmation record is found by."),
		k(MemberTradedOn, CaseAlways, "取引の日付。", "The day of the transaction."),
		k(MemberTransaction, CaseAlways, "取引の種類。", "The kind of transaction."),
	}
}

// mobileMembers are those of the identification record (本人確認記録) of a carrier, and of one who rents out.
func mobileMembers() []RecordMember {
	m := of(RecordMobile, regMobile, Text{"8条1項（貸与では21条1項）", "art. 8(1), of a rental art. 21(1)"}, Ancestor, "")
	r := of(RecordMobile, regMobile, Text{"21条1項", "art. 21(1)"}, Ancestor, "")
	return []RecordMember{
		m(MemberCheckedBy, CaseAlways, "本人確認を行った者の氏名その他の当該者を特定するに足りる事項。", "Who made the check: a name, or what identifies them."),
		m(MemberMadeBy, CaseAlways, "本人確認記録の作成者の氏名その他の当該者を特定するに足りる事項。", "Who made the record: a name, or what identifies them."),
		m(MemberCheckedOn, CaseAlways, "本人確認を行った日付（電子証明書による方法では、電子証明書を受信した日）。", "The day of the check: where a certificate is used, the day it was received."),
		m(MemberName, CaseAlways, "本人特定事項のうち氏名。", "The person's name."),
		m(MemberResidence, CaseAlways, "本人特定事項のうち住居。", "The person's residence."),
		m(MemberBirthDate, CaseAlways, "本人特定事項のうち生年月日。", "The person's date of birth."),
		m(MemberMethod, CaseAlways, "本人確認を行った方法。", "The method of the check."),
		m(MemberCertificate, CaseAlways, "本人確認に用いた書類又は電子証明書の種類及び記号番号その他の特定するに足りる事項。", "Kind and number of the paper or certificate that was used."),
		m("representative", CaseAgent, "代表者等の本人確認の日付、本人特定事項、方法、書類の種類及び記号番号。", "Of who acts for the customer: day of the check, identity, method, and the paper used."),
		m("state-body", CaseStateBody, "国等と契約したときは、その名称その他の特定するに足りる事項。", "Of a contract with a state body: its name, or what identifies it."),
		r(MemberDevices, CaseRental, "貸与した通話可能端末設備等の数。", "The number of devices that were rented out."),
		r(MemberTelephone, CaseRental, "貸与した通話可能端末設備等の電話番号。", "Their telephone numbers."),
		r("handed-over", CasePosted, "交付した者、相手方であることを確認した方法及び交付した時刻。", "Who handed the devices over, how the recipient was recognised, and when."),
	}
}

// antiqueMembers are those of the book of dealings (帳簿等) of a dealer in second-hand goods.
func antiqueMembers() []RecordMember {
	m := of(RecordAntique, actAntique, Text{"16条", "art. 16"}, Ancestor, "")
	return []RecordMember{
		m(MemberTradedOn, CaseAlways, "取引の年月日。", "The day of the dealing."),
		m(MemberGoods, CaseAlways, "古物の品目及び数量。", "Kind and quantity of the goods."),
		m(MemberFeatures, CaseAlways, "古物の特徴。", "What the goods are recognised by."),
		m(MemberResidence, CaseAlways, "相手方の住所。", "The other side's address."),
		m(MemberName, CaseAlways, "相手方の氏名。", "The other side's name."),
		m(MemberOccupation, CaseAlways, "相手方の職業。", "The other side's occupation."),
		m(MemberAge, CaseAlways, "相手方の年齢。", "The other side's age."),
		m(MemberMethod, CaseAlways, "法15条1項によりとった措置の区分（同項4号では、その区分及び方法）。", "Which measure of art. 15(1) was taken; for item iv also how."),
	}
}

// archiveMembers are those of what no regulation lists: a contract that was signed, and a consent.
func archiveMembers() []RecordMember {
	c := of(RecordContract, ourDecision, Text{}, OurReading, "No regulation lists them: what proves the contract and its signature later.")
	s := of(RecordConsent, ourDecision, Text{}, OurReading, "The guideline prescribes the text of a consent in 15 items, which were not read.")
	return []RecordMember{
		c(MemberDocument, CaseAlways, "署名された契約書（要約値）。", "The contract that was signed, by its digest."),
		c(MemberReceivedAt, CaseAlways, "契約書及び署名を受けた日時。", "When contract and signature were received."),
		c(MemberName, CaseAlways, "署名した者の氏名。", "The name of who signed."),
		c(MemberMethod, CaseAlways, "署名を受領した根拠。", "Under which act the signature was received."),
		c(MemberAttachment, CaseAlways, "署名・証明書・有効性確認の結果の添付。", "Attached: signature, certificate, and what was answered about it."),
		s(MemberReceivedAt, CaseAlways, "同意を受けた日時。", "When the consent was received."),
		s(MemberName, CaseAlways, "同意した者の氏名。", "The name of who consented."),
		s(MemberService, CaseAlways, "同意の対象となるサービス。", "The service for which consent was given."),
		s(MemberDocument, CaseAlways, "同意の文（要約値）。", "The text of the consent, by its digest."),
		s(MemberAttachment, CaseAlways, "署名・証明書・有効性確認の結果の添付。", "Attached: signature, certificate, and what was answered about it."),
	}
}
