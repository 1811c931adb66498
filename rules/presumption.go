package rules

import "github.com/jitsuin/jitsuin"

// The presumption of genuineness (真正の推定) holds on conditions; a technical check answers some of
// them and leaves the others to whoever relies on the document.

var conditionPerson = series{{
	ID: "condition-own-act", InForce: since(2001, 4, 1),
	Text: Text{"本人が自分の意思で署名したこと。カードと暗証番号を他人に渡していたときなどは、推定が覆ることがある。",
		"That the person signed, of their own will. The presumption can be rebutted, for instance where card and PIN were in other hands."},
	Source: cite(actESign, "3条", "art. 3", Ancestor, "Rebuttal is how presumptions work (Code of Civil Procedure art. 228(4))."),
}}

var conditionControl = series{{
	ID: "condition-sole-control", InForce: since(2001, 4, 1),
	Text: Text{"符号（秘密鍵）と物件（カード）を適正に管理すれば本人だけが行えることとなる電子署名であること。署名用電子証明書による署名は、これに当たる典型とされる。",
		"That the signature is of a kind which only the person can make, as long as key and card are properly kept. Signatures under the signature certificate are the model case."},
	Source: cite(actESign, "3条括弧書", "art. 3, in brackets", Ancestor),
}}

var conditionCovered = series{{
	ID: "condition-covered", InForce: since(2001, 4, 1),
	Text: Text{"推定されるのは署名された部分に限る。署名の後に加えられたもの、署名の外にあるものには及ばない。",
		"Only what was signed is presumed genuine: nothing that was added afterwards or lies outside the signature."},
	Source: cite(actESign, "2条1項・3条", "arts. 2(1) and 3", OurReading),
}}

var conditionInForce = series{{
	ID: "condition-in-force", InForce: always(),
	Text: Text{"確認の時点で証明書が失効していないこと。失効後に確認したときは、失効の前に署名されたことを別に証明する必要がある。",
		"That the certificate has not ended when the check is made. After it has, that the signature is older must be proven by other means."},
	Source: cite(actJPKI, "19条1項", "art. 19(1)", OurReading),
}}

var presumptionOpen = series{{
	ID: "presumption-open", InForce: since(2001, 4, 1),
	Text: Text{"公的個人認証サービスの署名用電子証明書による署名ではない。真正の推定（電子署名法3条）が働くかは、本人だけが行うことができる電子署名かどうかを、発行者の規程などにより別に確かめる必要がある。",
		"This is no signature under a JPKI signature certificate. Whether the presumption of art. 3 holds depends on whether only the person could make it, which the issuer's own rules must show."},
	Source: cite(actESign, "3条", "art. 3", OurReading),
}}

var basisOther = series{{
	ID: "basis-other", InForce: since(2001, 4, 1),
	Text: Text{"電子署名法にいう電子署名に当たり得るが、公的個人認証法の署名検証者として受領するものではない。",
		"It may be an electronic signature in the sense of the act, and is not received as a verifier under the Public Personal Authentication Act."},
	Source: cite(actESign, "2条1項", "art. 2(1)", OurReading),
}}

var mayNotSerial = series{{
	ID: "may-not-use-serial-as-id", InForce: always(),
	Text: Text{"証明書の発行番号を顧客番号とし、又は名寄せに用いてはならない。",
		"The certificate's serial number may not serve as a customer number or to join records of a person."},
	Source: cite(actJPKI, "19条2項・52条", "arts. 19(2) and 52", OurReading, "Follows from use for the check alone; a rule that bans data bases of serial numbers exists and its wording is unverified."),
}}

var mayNotEmbed = series{{
	ID: "may-not-embed-status", InForce: always(),
	Text: Text{"失効情報（CRL・OCSP応答）を文書に埋め込み、又は文書に添えて他人に渡してはならない。後日の証拠には、検証者が署名した検証報告書とタイムスタンプを用いる。",
		"Revocation information (CRL, OCSP response) may not be embedded in the document or handed on with it. Evidence for later is the report that the verifier signs, and a time-stamp."},
	Source: cite(actJPKI, "52条", "art. 52", OurReading, "The article allows use and supply within the need of the check alone."),
}}

func presumptionRules() []series {
	return []series{conditionPerson, conditionControl, conditionCovered, conditionInForce, presumptionOpen, basisOther, basisTimestamp, mayNotSerial, mayNotEmbed}
}

// conditionsOn gives the conditions of the presumption that are in force on a day.
func conditionsOn(on jitsuin.Date) []Rule {
	var all []Rule
	for _, s := range []series{conditionControl, conditionPerson, conditionCovered, conditionInForce} {
		if r, err := s.on(on); err == nil {
			all = append(all, r)
		}
	}
	return all
}

// KindReading tells what the law makes of a valid signature or authentication where nobody has said
// what it is for: what holds for every purpose. Purpose is "" and nothing is kept. A kind of "" is a
// certificate outside JPKI; of it only the Electronic Signatures Act speaks, and leaves the
// presumption open. It fails with kind Invalid for an unknown kind and for days before 2016.
func KindReading(kind jitsuin.CertKind, on jitsuin.Date) (Reading, error) {
	r := Reading{Kind: kind, On: on, Fits: true}
	if kind == "" {
		basis, err := basisOther.on(on)
		if err != nil {
			return Reading{}, err
		}
		r.Basis, r.Presumption, r.Conditions = []Rule{basis}, presumptionOpen[0], conditionsOn(on)[:1]
		return r, nil
	}
	if err := r.basis(); err != nil {
		return Reading{}, err
	}
	r.generalDuties(use{})
	return r, nil
}

// CountsFromContract tells that the time of the record begins when the contract ends, a day that only
// who made the contract knows.
func (k KeepingRule) CountsFromContract() bool { return k.Start == startContract }

// NeedsJPKI tells that a purpose is served by certificates of JPKI alone: a letter names them, or a
// supply of J-LIS hangs on them.
func NeedsJPKI(p Purpose) bool { return p != PurposeApplication && p != PurposeContract }

var basisTimestamp = series{{
	ID: "basis-timestamp", InForce: always(),
	Text: Text{"タイムスタンプは、その時刻にデータが存在し、その後変わっていないことを示す。誰が作ったかは示さない。",
		"A time-stamp shows that the data existed at its time and has not changed since. It says nothing of who made it."},
	Source: cite(regTimestamp, "2条", "art. 2", Unverified),
}}

// TimestampBasis is what the law makes of a time-stamp that stands alone.
func TimestampBasis() Rule { return basisTimestamp[0] }
