package rules

// The acts, ordinances and pages that rules cite, as they are called in practice.
var (
	actJPKI = Text{"公的個人認証法", "Public Personal Authentication Act (Act 153 of 2002)"}
	ordJPKI = Text{"公的個人認証法施行令", "Order for the Public Personal Authentication Act"}
	regJPKI = Text{"公的個人認証法施行規則", "Regulation for the Public Personal Authentication Act"}
	cpsJPKI = Text{"公的個人認証サービス運用規程・案内", "JPKI certification practice and guidance of J-LIS"}

	actNumber = Text{"番号法", "My Number Act (Act 27 of 2013)"}
	ordNumber = Text{"番号法施行令", "Order for the My Number Act"}
	regCard   = Text{"カード省令（平成26年総務省令第85号）", "Card Ordinance (MIC Ordinance 85 of 2014)"}
	cardGuide = Text{"マイナンバーカード総合サイト・デジタル庁・市町村の案内", "Guidance of the Digital Agency, J-LIS and municipalities on the card"}
	nextCard  = Text{"次期個人番号カードタスクフォース資料", "Papers of the task force on the next My Number Card"}

	actResident = Text{"住民基本台帳法", "Basic Resident Registration Act (Act 81 of 1967)"}
	ordResident = Text{"住民基本台帳法施行令", "Order for the Basic Resident Registration Act"}
	regResident = Text{"住民基本台帳法施行規則", "Regulation for the Basic Resident Registration Act"}
	actFamily   = Text{"戸籍法", "Family Register Act (Act 224 of 1947)"}
	actAge      = Text{"年齢計算ニ関スル法律", "Act on the Calculation of Age (Act 50 of 1902)"}
	actCivil    = Text{"民法", "Civil Code"}
	actEra      = Text{"元号法・改元の詔書及び政令", "Era Name Act and the edicts and orders that named the eras"}
	actCalendar = Text{"明治5年太政官布告第337号", "Grand Council Proclamation 337 of 1872"}

	actESign     = Text{"電子署名法", "Electronic Signatures Act (Act 102 of 2000)"}
	regProceeds  = Text{"犯罪収益移転防止法施行規則", "Regulation for the Act on Prevention of Transfer of Criminal Proceeds"}
	actProceeds  = Text{"犯罪収益移転防止法", "Act on Prevention of Transfer of Criminal Proceeds (Act 22 of 2007)"}
	actMobile    = Text{"携帯電話不正利用防止法", "Mobile Phone Improper Use Prevention Act (Act 31 of 2005)"}
	regMobile    = Text{"携帯電話不正利用防止法施行規則", "Regulation for the Mobile Phone Improper Use Prevention Act"}
	actAntique   = Text{"古物営業法", "Secondhand Articles Dealer Act (Act 108 of 1949)"}
	regAntique   = Text{"古物営業法施行規則", "Regulation for the Secondhand Articles Dealer Act"}
	regTimestamp = Text{"時刻認証業務の認定に関する規程（令和3年総務省告示第146号）", "Rules for accrediting time-stamping services (MIC Notice 146 of 2021)"}
	guideJPKI    = Text{"民間事業者向け公的個人認証ガイドライン・デジタル庁案内", "Guideline for private users of JPKI and the Digital Agency's introduction"}
	founding     = Text{"公的個人認証制度の説明資料（2018年）", "Public slides on the system, 2018"}
	rfc5280      = Text{"RFC 5280", "RFC 5280"}
	ourDecision  = Text{"本実装の判断", "Decision of this implementation"}
)
