package rules

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

// Generation is a generation of the My Number Card.
type Generation string

const (
	Card2016 Generation = "2016" // the card issued since January 2016; the zero value means it too
	CardNext Generation = "next" // 次期個人番号カード: planned, no date of start is known
)

var cardAdultAge = series{{
	ID: "card-adult-age", N: 20, Unit: Years, InForce: between(day(2016, 1, 1), day(2022, 3, 31)),
	Text:   Text{"カードの有効期間が10回目の誕生日までとなる年齢は20歳以上（交付申請の受付日が2022年3月31日まで）。", "Cards run to the 10th birthday for holders of 20 and over (application received up to 31 March 2022)."},
	Source: cite(regCard, "（2018年の説明資料2頁）", "as told in the slides of 2018, p. 2", Primary),
}, {
	ID: "card-adult-age", N: 18, Unit: Years, InForce: since(2022, 4, 1),
	Text:   Text{"カードの有効期間が10回目の誕生日までとなる年齢は18歳以上（交付申請の受付日が2022年4月1日から）。", "Cards run to the 10th birthday for holders of 18 and over (application received from 1 April 2022)."},
	Source: cite(cardGuide, "", "", Secondary, "Which age counts goes by the day the application was received; the age itself is taken on the day of issue (Digital Agency), though one city takes it on the day of receipt."),
}}

var cardAdultTerm = series{{
	ID: "card-term-adult", N: 10, Unit: Birthdays, InForce: since(2016, 1, 1),
	Text:   Text{"成年の者のカードは、発行の日後の10回目の誕生日まで有効。", "The card of an adult is valid to the 10th birthday after the day of issue."},
	Source: cite(founding, "2頁", "p. 2", Primary),
}}

var cardMinorTerm = series{{
	ID: "card-term-minor", N: 5, Unit: Birthdays, InForce: since(2016, 1, 1),
	Text:   Text{"未成年の者のカードは、発行の日後の5回目の誕生日まで有効。", "The card of a minor is valid to the 5th birthday after the day of issue."},
	Source: cite(founding, "2頁", "p. 2", Primary),
}}

var cardNextGrace = series{{
	ID: "card-next-grace", N: 1, Unit: Months, InForce: always(),
	Text:   Text{"次期カードは10回目（5回目）の誕生日の1か月後まで有効とする案。", "The next card would be valid one month beyond the 10th (5th) birthday."},
	Source: cite(nextCard, "第4回", "4th meeting", Plan, "Discussed; applied to Generation next only."),
}}

var cardStayCap = series{{
	ID: "card-stay-cap", InForce: since(2016, 1, 1),
	Text:   Text{"永住者・特別永住者・高度専門職第2号以外の外国人住民のカードは、在留期間等の満了の日を超えない。", "The card of a foreign resident other than permanent, special permanent and highly skilled (ii) ends no later than the period of stay."},
	Source: cite(cardGuide, "", "", Secondary),
}}

var certTerm = series{{
	ID: "certificate-term", N: 3, Unit: Years, InForce: until(2015, 12, 31),
	Text:   Text{"住民基本台帳カードの電子証明書は発行の日から3年（歴史的規定。本実装では発行しない）。", "Certificates on the former resident card ran three years from issue (history; never issued here)."},
	Source: cite(actJPKI, "5条（2013年）", "art. 5 as of 2013", Ancestor),
}, {
	ID: "certificate-term", N: 5, Unit: Birthdays, InForce: since(2016, 1, 1),
	Text:   Text{"電子証明書は、発行の日後の5回目の誕生日まで有効。", "A certificate is valid to the 5th birthday after the day of issue."},
	Source: cite(founding, "2頁", "p. 2", Primary),
}}

var certTermRenewed = series{{
	ID: "certificate-term-renewed", N: 6, Unit: Birthdays, InForce: since(2016, 1, 1),
	Text: Text{"満了の日までの期間が3月未満となった電子証明書を更新するときは、発行の日後の6回目の誕生日まで有効。",
		"Renewing a certificate with less than three months left, the new one is valid to the 6th birthday after the day of issue."},
	Source: cite(cpsJPKI, "「電子証明書の有効期間」", "\"validity of certificates\"", Official, "Taken literally on the last day itself, which is a birthday, this gives six years from then."),
}}

var renewalWindow = series{{
	ID: "renewal-window", N: 3, Unit: Months, InForce: since(2016, 1, 1),
	Text: Text{"更新は、満了の日の3か月前に相当する日の翌日（相当する日がないときは翌月1日）からできる。",
		"Renewal opens on the day after the day three months before the end (the first of the next month where there is no such day)."},
	Source: cite(cardGuide, "", "", Secondary, "A municipality's examples: end 2023-07-07 opens 2023-04-08; end 2023-05-28 opens 2023-03-01."),
}}

var certCardCap = series{{
	ID: "certificate-card-cap", InForce: since(2016, 1, 1),
	Text:   Text{"電子証明書は、記録されたカードの有効期間の満了の日を超えない。", "A certificate ends no later than the card it is stored on."},
	Source: cite(cpsJPKI, "「電子証明書の有効期間」", "\"validity of certificates\"", Secondary),
}}

var certAuthCap = series{{
	ID: "certificate-auth-cap", InForce: since(2016, 1, 1),
	Text:   Text{"利用者証明用電子証明書があるとき、署名用電子証明書はその満了の日を超えない。", "Where there is an authentication certificate, the signature certificate ends no later than it."},
	Source: cite(cpsJPKI, "「電子証明書の有効期間」", "\"validity of certificates\"", Secondary),
}}

var certNextTerm = series{{
	ID: "certificate-next-term", N: 10, Unit: Birthdays, InForce: always(),
	Text:   Text{"次期カードの電子証明書は10回目の誕生日まで有効とする計画。", "Certificates on the next card are planned to run to the 10th birthday."},
	Source: cite(nextCard, "", "", Plan, "Renewed early, the 11th: our reading, by analogy with the card of 2016."),
}}

var nextRenewalWindow = series{{
	ID: "renewal-window-next", N: 12, Unit: Months, InForce: always(),
	Text:   Text{"次期カードの更新は1年前からできる計画。", "Renewal on the next card is planned to open one year before the end."},
	Source: cite(nextCard, "", "", Plan),
}}

var endOfDay = series{{
	ID: "end-of-day", InForce: always(),
	Text:   Text{"有効期間は満了の日の23時59分59秒（日本標準時）に終わる。", "Validity ends at 23:59:59 Japan Standard Time of the last day."},
	Source: cite(ourDecision, "（試験用カードの証明書に見られる値）", "observed on a test card's certificate", OurReading),
}}

func validityRules() []series {
	return []series{leapBirthday, ageReached, periodOfTime, cardAdultAge, cardAdultTerm, cardMinorTerm, cardNextGrace,
		cardStayCap, certTerm, certTermRenewed, renewalWindow, certCardCap, certAuthCap, certNextTerm, nextRenewalWindow, endOfDay}
}

// Term is a time of validity in days. Because is the rule that set its end.
type Term struct {
	From    jitsuin.Date
	Until   jitsuin.Date
	Because Rule
}

// NotAfter is the last valid second: 23:59:59 in Japan of the day Until.
func (t Term) NotAfter() time.Time { return t.Until.LastSecond() }

// Covers tells whether the day lies in the term.
func (t Term) Covers(d jitsuin.Date) bool { return !d.Before(t.From) && !d.After(t.Until) }

// capAt shortens the term to the day until, if that is earlier.
func (t Term) capAt(until jitsuin.Date, why series) Term {
	if until.Before(t.Until) {
		t.Until, t.Because = until, why[len(why)-1]
	}
	return t
}
