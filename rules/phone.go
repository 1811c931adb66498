package rules

import "github.com/jitsuin/jitsuin"

// PhoneModel is a kind of telephone that can hold certificates (移動端末設備).
type PhoneModel string

const (
	Android PhoneModel = "android"
	IPhone  PhoneModel = "iphone"
)

// Valid tells whether m is one of the kinds.
func (m PhoneModel) Valid() bool { return m == Android || m == IPhone }

var phoneAndroid = series{{
	ID: "phone-android", InForce: since(2023, 5, 11),
	Text:   Text{"Android端末に移動端末設備用電子証明書を搭載できる。", "Android telephones can hold certificates."},
	Source: cite(actJPKI, "16条の2・35条の2", "arts. 16-2 and 35-2", Secondary, "The article numbers were not read."),
}}

var phoneIPhone = series{{
	ID: "phone-iphone", InForce: since(2025, 6, 24),
	Text:   Text{"iPhoneに移動端末設備用電子証明書を搭載できる。", "iPhones can hold certificates."},
	Source: cite(actJPKI, "16条の2・35条の2", "arts. 16-2 and 35-2", Unverified, "2025 is told by the sources, the day is not."),
}}

var phoneApplication = series{{
	ID: "phone-application", InForce: since(2023, 5, 11),
	Text: Text{"移動端末設備用電子証明書は、カードの署名用電子証明書による署名を付して機構に申請する。カードの署名用電子証明書のない者（15歳未満の者など）は申請できない。",
		"Certificates on a telephone are applied for at the Agency, signed with the signature certificate on the card; who has none (under 15, for one) cannot apply."},
	Source: cite(actJPKI, "16条の2第1項・35条の2第1項", "arts. 16-2(1) and 35-2(1)", Secondary, "That each kind needs the certificate of its kind on the card is our reading."),
}}

var phoneTerm = series{{
	ID: "phone-term", InForce: since(2023, 5, 11),
	Text:   Text{"移動端末設備用電子証明書の有効期間の満了の日は、カードの同じ種類の電子証明書の満了の日と同じ。", "A certificate on a telephone ends on the day on which the one of its kind on the card ends."},
	Source: cite(cardGuide, "（スマホ用電子証明書）", "certificates on phones", Secondary),
}}

var phoneSuspended = series{{
	ID: "phone-suspended", InForce: since(2023, 5, 11),
	Text: Text{"カード用電子証明書が一時停止の間は、スマホ用電子証明書も一時停止となり、解除とともに再び有効となる。",
		"While the certificates on the card are suspended, those on the telephone are too; both come back together."},
	Source: cite(cardGuide, "（スマホ用電子証明書）", "certificates on phones", OurReading, "The call centre takes calls about telephones too; that one follows the other is our reading."),
}}

var reportsLost = series{{
	ID: "card-lost-report", InForce: since(2016, 1, 1),
	Text: Text{"紛失等による一時停止は、24時間受け付ける。カードがなくても、氏名・住所・生年月日・性別の申出で受け付ける。解除は、市町村の窓口で本人を確認してからに限る。",
		"A card is reported lost at any hour, without the card, by name, address, date of birth and sex. It is lifted only at a municipality's counter, after a check of the person."},
	Source: cite(cpsJPKI, "「一時停止」", "\"suspension\"", OurReading, "What the call centre asks is not public; a suspension can be undone, so less is asked for than for anything else."),
}}

var reportsAtOnce = series{{
	ID: "card-lost-reports", N: 5, InForce: always(),
	Text:   Text{"一の申出元から1時間に受け付ける紛失の申出は、5件まで。", "At most 5 reports of a loss are taken an hour from one place."},
	Source: cite(ourDecision, "", "", OurReading),
}}

var pinlessUse = series{{
	ID: "pinless-use", InForce: since(2024, 5, 27),
	Text: Text{"暗証番号を入力しない利用者証明（かざし利用）は、特定利用者証明検証者に限り確認できる。",
		"Authentication without a PIN (かざし利用) is checked only by specified verifiers of authentication (特定利用者証明検証者)."},
	Source: cite(actJPKI, "38条の2以下", "arts. 38-2 and following", Secondary, "The article numbers and the exact day were not read."),
}}

var guardianAge = series{{
	ID: "guardian-age", N: 15, Unit: Years, InForce: since(2016, 1, 1),
	Text:   Text{"15歳未満の者の申請及び照会は、法定代理人が行う。", "For persons under 15 the legal representative applies and sees."},
	Source: cite(cardGuide, "（15歳未満の方の申請）", "applications for persons under 15", Secondary),
}}

func phoneRules() []series {
	return []series{phoneAndroid, phoneIPhone, phoneApplication, phoneTerm, phoneSuspended, reportsLost, reportsAtOnce, pinlessUse, guardianAge}
}

// PhoneTerm gives the validity of a certificate that is issued for a telephone on a day, by the last day of the certificate of
// its kind on the card. Invalid "phone-model" for a telephone that cannot hold one on that day, Expired
// "card-certificate-over" where the one on the card is over.
func PhoneTerm(model PhoneModel, issued, cardUntil jitsuin.Date) (Term, error) {
	from := phoneAndroid
	if model == IPhone {
		from = phoneIPhone
	}
	if _, err := from.on(issued); err != nil || !model.Valid() {
		return Term{}, jitsuin.Errorf(jitsuin.Invalid, "phone-model", "a telephone of the kind %q cannot hold certificates on %v", model, issued).At("model")
	}
	if cardUntil.IsZero() || cardUntil.Before(issued) {
		return Term{}, jitsuin.Errorf(jitsuin.Expired, "card-certificate-over", "the certificate on the card does not reach the day of issue %v", issued).
			WithHint("renew the certificates of the card first")
	}
	return Term{issued, cardUntil, phoneTerm[0]}, nil
}

// LostReportsAnHour is how many reports of a loss are taken from one place in an hour.
func LostReportsAnHour() int { return reportsAtOnce[0].N }

// PINlessUse tells whether somebody may check an authentication for which no PIN was asked (かざし利用) on a day: nil for a
// specified verifier, else Denied "pinless-not-entitled".
func PINlessUse(specified bool, on jitsuin.Date) error {
	if _, err := pinlessUse.on(on); err != nil || !specified {
		return jitsuin.Errorf(jitsuin.Denied, "pinless-not-entitled", "authentication without a PIN is not open to this verifier on %v", on).
			WithHint("ask for a login with the PIN; only a specified verifier of authentication (特定利用者証明検証者) may do without")
	}
	return nil
}

// GuardianActs tells whether the legal representative (法定代理人) applies and sees in a person's place on a day.
func GuardianActs(birth, on jitsuin.Date) bool { return Age(birth, on) < guardianAge.n(on) }
