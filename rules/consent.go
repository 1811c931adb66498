package rules

import "github.com/jitsuin/jitsuin"

// A consent to be told the latest four items (最新4情報提供の同意): given to J-LIS with the signature key, for one service, and in
// force for years whatever becomes of the certificate that signed it.

var consentBegins = day(2023, 5, 16)

func consentRule(id string, n int, unit Unit, ja, en string, c Confidence, note ...string) series {
	return series{{ID: id, N: n, Unit: unit, InForce: InForce{From: consentBegins}, Text: Text{ja, en},
		Source: cite(guideJPKI, "（4情報提供）", "supply of the four items", c, note...)}}
}

var consentTerm = consentRule("consent-term", 10, Years,
	"最新4情報提供の同意は、同意の日の翌日から起算して10年間有効とし、証明書が再発行されても効力を失わない。",
	"A consent to be told the latest four items lasts 10 years counted from the day after, and survives the re-issue of certificates.", Official)

var consentReminder = consentRule("consent-reminder", 1, Years,
	"同意が有効であることを、本人に年1回知らせる。", "The person is reminded once a year that the consent is in force.", Official,
	"That it is the verifier's tenant who reminds, and on the day of the year of the consent, is our reading.")

var consentUnit = consentRule("consent-unit", 0, NoUnit,
	"同意はサービスを単位とし、署名用電子証明書による署名で行う。撤回は署名用、照会は利用者証明用の電子証明書で行う。",
	"A consent is for one service and signed with the signature certificate; it is withdrawn with that and looked up with the authentication certificate.", Official)

var consentPassOn = consentRule("consent-pass-on", 0, NoUnit,
	"プラットフォーム事業者は、受けた4情報を事業者に渡した後、直ちに破棄する。事業者は提出された署名用電子証明書を保存しない。",
	"The platform discards the four items once it has passed them on; the firm does not keep the signature certificate that was submitted.", Official)

var consentDisclosure = consentRule("consent-disclosure", 0, NoUnit,
	"提供を受けた日時と情報の項目は、本人の求めに応じて開示する。", "The date and time of a supply, and the data obtained, are disclosed to the person who asks.", Official)

var consentEnds = consentRule("consent-ends-with-death", 0, NoUnit,
	"本人が死亡し、又は住民票が消除されたときは、同意に基づく提供を行わない。", "Nothing is supplied once the person has died or the register's entry was deleted.", OurReading,
	"By analogy with Civil Code art. 653: a mandate ends with death.")

func consentRules() []series {
	return []series{consentTerm, consentReminder, consentUnit, consentPassOn, consentDisclosure, consentEnds}
}

// ConsentTerm gives the term of a consent given on a day: the first day counted is the next, and the last that of ten years.
// It fails with kind Invalid before there was such a supply.
func ConsentTerm(given jitsuin.Date) (Term, error) {
	rule, err := consentTerm.on(given)
	if err != nil {
		return Term{}, err
	}
	return Term{given, yearsFrom(given.AddDays(1), rule.N), rule}, nil
}

// ConsentReminder gives the first day after a day on which the person is reminded of a consent: the day of the consent in each
// following year, 28 February in common years for one given on 29 February. It is no date where the term is over by then.
func ConsentReminder(given, after jitsuin.Date) jitsuin.Date {
	term, err := ConsentTerm(given)
	if err != nil {
		return jitsuin.Date{}
	}
	every := consentReminder.n(given)
	for n := every; ; n += every {
		on := addMonths(given, 12*n)
		switch {
		case !on.Before(term.Until):
			return jitsuin.Date{}
		case on.After(after):
			return on
		}
	}
}

// ConsentItem is one of the prescribed items of the text that is signed. Key names it in the form.
type ConsentItem struct {
	Key       string
	Mandatory bool
	Rule
}

// Keys of the items whose content is the service's own.
const (
	ConsentRecipient = "recipient"
	ConsentVerifier  = "verifier"
	ConsentService   = "service"
	ConsentPurpose   = "purpose"
	ConsentContact   = "contact"
)

// noteConsentItems: that there are 15 items, 11 of them mandatory, is known; the list is not.
const noteConsentItems = "The guideline has 15 items, 11 of them mandatory; its list was not read, and which they are is our reading."

// ConsentItems lists the items in the order of the text: fifteen, eleven of them mandatory.
func ConsentItems() []ConsentItem {
	item := func(key string, mandatory bool, ja, en string) ConsentItem {
		return ConsentItem{key, mandatory, Rule{ID: "consent-item-" + key, InForce: InForce{From: consentBegins}, Text: Text{ja, en},
			Source: cite(guideJPKI, "（4情報提供・同意文言）", "supply of the four items, text of the consent", OurReading, noteConsentItems)}}
	}
	return []ConsentItem{
		item("subject", true, "同意する事項", "What is consented to"),
		item("data", true, "提供される情報の項目", "The items that are supplied"),
		item("provider", false, "提供元", "Who supplies them"),
		item(ConsentRecipient, true, "提供を受ける事業者", "The firm that gets them"),
		item(ConsentVerifier, true, "署名検証者（プラットフォーム事業者）", "The verifier (platform operator)"),
		item(ConsentService, true, "対象のサービス", "The service that it is for"),
		item(ConsentPurpose, true, "利用目的", "What they are used for"),
		item("occasion", false, "提供の時期", "When they are supplied"),
		item("term", true, "同意の有効期間", "How long the consent lasts"),
		item("survives", true, "証明書の更新・再発行との関係", "What becomes of it when certificates are renewed or issued again"),
		item("withdrawal", true, "撤回の方法", "How it is withdrawn"),
		item("disclosure", true, "提供の記録の開示", "How the record of supplies is disclosed"),
		item("handling", false, "情報の取扱い", "How the data are handled"),
		item("reminder", false, "年1回のお知らせ", "The yearly reminder"),
		item(ConsentContact, true, "問合せ先", "Whom to ask"),
	}
}
