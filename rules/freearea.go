package rules

// freeAreaRules say who may use the free area (空き領域) of the card: the registers of the minister and of the towns keep the
// grounds, the chip keeps to them.
func freeAreaRules() []series {
	card := since(2016, 1, 1)
	return []series{
		{{ID: "free-area-ordinance", InForce: card, Text: Text{"市町村の機関は、条例で定めるところにより、個人番号カードの空き領域を使える。", "A municipality may use the free area of the card as its ordinance provides."},
			Source: cite(actNumber, "18条1号", "art. 18(i)", Unverified, "The slides of 2018 name prefectures beside municipalities; the article's text was not read again.")}},
		{{ID: "free-area-designation", InForce: card, Text: Text{"国の機関等及び民間事業者は、政令及び主務大臣の定めるところにより、個人番号カードの空き領域を使える。", "National bodies and the like, and private operators, may use the free area of the card as the Cabinet Order and the minister provide."},
			Source: cite(actNumber, "18条2号・施行令18条", "art. 18(ii) with art. 18 of its Order", Unverified, "Named by the slides of 2018 (the minister of internal affairs then); how the Order numbers the bodies was not read.")}},
	}
}
