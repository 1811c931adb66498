package rules

import "github.com/jitsuin/jitsuin"

// Record is a record that a law tells somebody to keep.
type Record string

const (
	RecordIssuance      Record = "issuance"              // 発行記録
	RecordRevocation    Record = "revocation"            // 失効に関する情報
	RecordCRL           Record = "crl"                   // 失効情報ファイル
	RecordNetwork       Record = "network"               // 本人確認情報
	RecordConfirmation  Record = "confirmation"          // 確認記録
	RecordTransaction   Record = "transaction"           // 取引記録等
	RecordMobile        Record = "mobile"                // 本人確認記録（携帯電話）
	RecordAntique       Record = "antique"               // 古物営業の帳簿等
	RecordConsent       Record = "consent"               // 最新4情報提供の同意
	RecordConsentLedger Record = "consent-ledger"        // 最新4情報提供の同意・提供の記録
	RecordAccreditation Record = "accreditation"         // 特定認証業務の帳簿書類
	RecordContract      Record = "contract"              // 署名した契約書（時効）
	RecordLinkedNumber  Record = "knowledge-of-customer" // 取引時確認済みの確認の記録
)

// KeepingRule says how long a record is kept: N years counted from the day after the day named in
// StartJA / StartEN, or to that very day where N is 0.
type KeepingRule struct {
	Record Record
	Start  Text // the day from which the time counts
	Rule
}

var startExpiry = Text{"電子証明書の有効期間の満了の日", "the last day of the certificate's validity"}
var startContract = Text{"契約の終了の日", "the end of the contract"}

func keepYears(record Record, years int, start Text, f InForce, text Text, s Source) KeepingRule {
	return KeepingRule{record, start, Rule{ID: "keep-" + string(record), N: years, Unit: Years, InForce: f, Text: text, Source: s}}
}

// Keepings lists the records to keep; a record whose time changed stands once per time.
func Keepings() []KeepingRule {
	return append(authorityKeepings(), partyKeepings()...)
}

func authorityKeepings() []KeepingRule {
	return []KeepingRule{
		keepYears(RecordIssuance, 10, startExpiry, always(),
			Text{"機構は発行記録を、満了の日の翌日から起算して10年を経過する日まで保存する。", "The Agency keeps the record of issuance for 10 years after the certificate's last day."},
			cite(ordJPKI, "2条", "art. 2", Ancestor)),
		keepYears(RecordRevocation, 0, startExpiry, always(),
			Text{"機構は失効に関する情報を、その電子証明書の満了の日まで保存する。", "The Agency keeps what it recorded of a revocation to the certificate's last day."},
			cite(ordJPKI, "3条から6条まで", "arts. 3 to 6", Ancestor)),
		keepYears(RecordCRL, 10, Text{"作成の日", "the day it was made"}, always(),
			Text{"機構は失効情報ファイルを10年間保存する。", "The Agency keeps every revocation file for 10 years."},
			cite(ordJPKI, "7条", "art. 7", Ancestor)),
		keepYears(RecordNetwork, 5, Text{"次の通知を受けた日", "the day of the next notice"}, until(2019, 6, 19),
			Text{"本人確認情報は、次の通知を受けた日から5年間保存する。", "Identification data in the resident network are kept for 5 years after the next notice."},
			cite(ordResident, "", "", Ancestor, "The day on which the time changed is unverified.")),
		keepYears(RecordNetwork, 150, Text{"次の通知を受けた日", "the day of the next notice"}, since(2019, 6, 20),
			Text{"本人確認情報は、次の通知を受けた日から150年間保存する。", "Identification data in the resident network are kept for 150 years after the next notice."},
			cite(ordResident, "", "", Unverified)),
		keepYears(RecordAccreditation, 10, startExpiry, always(),
			Text{"特定認証業務の申込書類・本人確認資料・失効書類は、満了の日から10年間保存する。", "Application, identity and revocation papers of an accredited certifier are kept for 10 years after expiry."},
			cite(regJPKI, "25条・26条", "arts. 25 and 26", Ancestor)),
	}
}

func partyKeepings() []KeepingRule {
	return []KeepingRule{
		keepYears(RecordConfirmation, 7, startContract, always(),
			Text{"確認記録は直ちに作成し、契約の終了等の日から7年間保存する。", "The confirmation record is made at once and kept for 7 years from the end of the contract."},
			cite(actProceeds, "6条（規則21条）", "art. 6 (Regulation art. 21)", Primary, "Where later transactions rest on the same check, the last of them to end counts.")),
		keepYears(RecordTransaction, 7, Text{"取引の日", "the day of the transaction"}, always(),
			Text{"取引記録は取引の日から7年間保存する。", "Records of transactions are kept for 7 years."},
			cite(actProceeds, "7条", "art. 7", Primary)),
		keepYears(RecordLinkedNumber, 7, Text{"確認の日", "the day of the check"}, always(),
			Text{"取引時確認済みの確認の記録は7年間保存する。", "The note that a known customer was recognised is kept for 7 years."},
			cite(regProceeds, "16条", "art. 16", Primary)),
		keepYears(RecordMobile, 3, startContract, always(),
			Text{"本人確認記録は速やかに作成し、契約の終了の日から3年間保存する。", "The identification record is made promptly and kept for 3 years from the end of the contract."},
			cite(actMobile, "4条2項", "art. 4(2)", Ancestor)),
		keepYears(RecordAntique, 3, Text{"最終の記載をした日", "the day of the last entry"}, always(),
			Text{"取引の帳簿等（相手方・品目・確認の方法）は3年間保存する。", "The book of dealings (who, what, how checked) is kept for 3 years."},
			cite(actAntique, "16条・18条1項", "arts. 16 and 18(1)", Ancestor, "Of an electronic record the three years count from the day it was recorded; of one that grows, from its last entry.")),
		keepYears(RecordConsent, 10, Text{"同意の日", "the day of consent"}, since(2023, 5, 16),
			Text{"最新4情報提供の同意は、同意の日の翌日から10年間有効。", "Consent to be told the latest four items lasts 10 years from the day after."},
			cite(guideJPKI, "（4情報提供）", "supply of the four items", Official)),
		keepYears(RecordConsentLedger, 10, Text{"同意の効力を失った日", "the day on which the consent ended"}, InForce{From: consentBegins},
			Text{"同意と撤回、提供の日時と項目の記録は、同意の効力を失った日から10年間保存し、本人に開示できるようにする。",
				"What is recorded of a consent, its withdrawal and each supply is kept for 10 years from its end, so that it can be disclosed to the person."},
			cite(guideJPKI, "（4情報提供）", "supply of the four items", OurReading, "That there is a duty to disclose is official; the time is ours, after the consent's own.")),
		keepYears(RecordContract, 10, startContract, always(),
			Text{"署名した契約書は、消滅時効を考え契約終了から10年間の保存が目安。", "A signed contract is best kept for 10 years from its end, with prescription in mind."},
			cite(actCivil, "166条", "art. 166", Unverified, "Advice, not a duty.")),
	}
}

// KeepingOf gives the rule for a record as it is in force on a day; it fails with kind Invalid
// where there is none.
func KeepingOf(r Record, on jitsuin.Date) (KeepingRule, error) {
	for _, k := range Keepings() {
		if k.Record == r && k.InForce.Covers(on) {
			return k, nil
		}
	}
	return KeepingRule{}, jitsuin.Errorf(jitsuin.Invalid, "record-unknown", "no rule keeps the record %q on %v", r, on)
}

// Until gives the last day on which the record is kept, where its time counts from the day start:
// the first day counted is the one after, and N whole years end on the same day of the year.
func (k KeepingRule) Until(start jitsuin.Date) jitsuin.Date {
	if k.N == 0 {
		return start
	}
	return yearsFrom(start.AddDays(1), k.N)
}

// UntilLatest gives the last day where the time counts from the latest of several days, such as the ends of all contracts
// that rest on one check (犯収法規則21条). No day is no last day.
func (k KeepingRule) UntilLatest(starts ...jitsuin.Date) (last jitsuin.Date) {
	for _, s := range starts {
		if until := k.Until(s); until.After(last) {
			last = until
		}
	}
	return last
}
