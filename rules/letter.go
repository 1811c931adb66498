package rules

import "github.com/jitsuin/jitsuin"

// Purpose is what a signature or an authentication is received for.
type Purpose string

const (
	PurposeApplication  Purpose = "application"   // 行政手続の申請・届出
	PurposeContract     Purpose = "contract"      // 電子契約
	PurposeAccount      Purpose = "account"       // 取引時確認: accounts, loans, securities
	PurposeMobile       Purpose = "mobile"        // 携帯音声通信役務の契約
	PurposeMobileRental Purpose = "mobile-rental" // 携帯電話の貸与
	PurposeAntique      Purpose = "antique"       // 古物の買受け
	PurposeMyNumber     Purpose = "my-number"     // 個人番号の提供を受ける際の本人確認
	PurposeLogin        Purpose = "login"         // 利用者証明によるログイン
	PurposeStillValid   Purpose = "still-valid"   // 現況確認
	PurposeLatestItems  Purpose = "latest-items"  // 最新4情報の提供
)

var purposes = []Purpose{PurposeApplication, PurposeContract, PurposeAccount, PurposeMobile, PurposeMobileRental,
	PurposeAntique, PurposeMyNumber, PurposeLogin, PurposeStillValid, PurposeLatestItems}

// Purposes lists all purposes.
func Purposes() []Purpose { return append([]Purpose(nil), purposes...) }

// Letter is the place in an ordinance that names identification by JPKI: its mark moves whenever
// a method is inserted or abolished. An empty Mark means that it was not found.
type Letter struct {
	Purpose Purpose
	Mark    string
	Rule
}

func proceeds(mark string, f InForce, s Source) Letter {
	s.Act, s.Article = regProceeds, Text{"6条1項1号" + mark, "art. 6(1)(i) " + mark}
	return Letter{PurposeAccount, mark, Rule{ID: "letter-proceeds", InForce: f, Source: s, Text: Text{
		"署名用電子証明書と、電子署名が行われた特定取引等に関する情報の送信を受ける方法（" + mark + "）。特定事業者が署名検証者である場合に限る。",
		"Receiving the signature certificate and the signed data of the transaction (" + mark + "); only for a business that is itself a signature verifier."}}}
}

func mobile(p Purpose, mark, ja, en string, f InForce, s Source) Letter {
	s.Act, s.Article = regMobile, Text{"3条1項1号" + mark, "art. 3(1)(i) " + mark}
	return Letter{p, mark, Rule{ID: "letter-" + string(p), InForce: f, Source: s, Text: Text{ja, en}}}
}

// Letters lists the places through time.
func Letters() []Letter {
	all := []Letter{
		proceeds("ヘ", between(day(2016, 1, 1), day(2018, 11, 29)), Source{Confidence: Ancestor, Note: "Art. 5 before its renumbering to art. 6, whose day is unverified."}),
		proceeds("ワ", between(day(2018, 11, 30), day(2025, 6, 23)), Source{Confidence: Secondary}),
		proceeds("カ", between(day(2025, 6, 24), day(2027, 3, 31)), Source{Confidence: Primary}),
		proceeds("ヌ", since(2027, 4, 1), Source{Confidence: Primary, Note: "Promulgated, in force on 1 April 2027."}),
	}
	for _, p := range []Purpose{PurposeMobile, PurposeMobileRental} {
		all = append(all,
			mobile(p, "", "電子署名が行われた情報と電子証明書の送信を受ける方法。", "Receiving signed data and the certificate.",
				between(day(2016, 1, 1), day(2026, 3, 31)), Source{Confidence: Ancestor, Note: "The mark before April 2026 was not found."}),
			mobile(p, "ト", "電子署名が行われた情報と電子証明書の送信を受ける方法（ト）。2026年9月30日までは従前の方法も経過的に認められる。",
				"Receiving signed data and the certificate (ト); until 30 September 2026 the former methods are still allowed.",
				between(day(2026, 4, 1), day(2026, 9, 30)), Source{Confidence: Primary, Note: "Transitional."}),
			mobile(p, "ト", "電子署名が行われた情報と電子証明書の送信を受ける方法（ト）。", "Receiving signed data and the certificate (ト).",
				since(2026, 10, 1), Source{Confidence: Primary}))
	}
	return append(all, Letter{PurposeAntique, "11号", Rule{ID: "letter-antique", InForce: since(2016, 1, 1),
		Text: Text{"署名用電子証明書と、相手方の住所・氏名・職業・年齢について電子署名が行われた記録の送信を受ける方法（11号）。署名検証者に限る。",
			"Receiving the signature certificate and a signed record of address, name, occupation and age (item 11); only for a signature verifier."},
		Source: cite(regAntique, "15条3項11号", "art. 15(3)(xi)", Primary, "Read as of 2026; since when it has this number is unknown.")}})
}

// LetterOf gives the place that names JPKI for a purpose on a day; it fails with kind Unsupported
// where no ordinance names it.
func LetterOf(p Purpose, on jitsuin.Date) (Letter, error) {
	for _, l := range Letters() {
		if l.Purpose == p && l.InForce.Covers(on) {
			return l, nil
		}
	}
	return Letter{}, jitsuin.Errorf(jitsuin.Unsupported, "no-letter", "no ordinance names JPKI for the purpose %q on %v", p, on)
}
