package rules

import "github.com/jitsuin/jitsuin"

// CardEvent is something other than a change of the resident record that ends or suspends certificates.
type CardEvent string

const (
	EventRevocationAsked CardEvent = "revocation-asked"    // 失効申請
	EventKeyLeaked       CardEvent = "key-leaked"          // 署名利用者符号の漏えい等の届出
	EventCardBroken      CardEvent = "card-broken"         // 記録媒体の使用不能
	EventCardLost        CardEvent = "card-lost"           // 紛失・盗難による一時停止
	EventCardFound       CardEvent = "card-found"          // 一時停止の解除
	EventCardReissued    CardEvent = "card-reissued"       // 再交付
	EventCardReturned    CardEvent = "card-returned"       // 返納
	EventNumberChanged   CardEvent = "number-changed"      // 個人番号の変更
	EventRenewed         CardEvent = "certificate-renewed" // 更新
	EventRecordError     CardEvent = "record-error"        // 記録誤り・記録漏れ
	EventCACompromised   CardEvent = "ca-key-compromised"  // 発行者署名符号の漏えい等
	EventPhoneReplaced   CardEvent = "phone-replaced"      // 新しいスマートフォンへの搭載
	EventCardCertRevoked CardEvent = "card-cert-revoked"   // カード用電子証明書の失効（スマホ用への効果）
)

// EventRule says what a card event does. Reason certificateHold suspends and removeFromCRL lifts
// the suspension. Chosen: only the certificate that the event names is touched, not both.
// Phone: the event concerns the certificates on a phone (移動端末設備用電子証明書), not on the card.
type EventRule struct {
	Event  CardEvent
	Reason jitsuin.RevocationReason
	Chosen bool
	Phone  bool
	Rule
}

// Effect gives what the event does at recording; chosen is looked at where the rule says Chosen.
func (e EventRule) Effect(chosen jitsuin.CertKind) (Revocation, error) {
	if !e.Chosen {
		return Revocation{}.both(atRecording(e.Reason), e.Rule), nil
	}
	r := Revocation{Sign: keep, Auth: keep, Rule: e.Rule}
	switch chosen {
	case jitsuin.SignCert:
		r.Sign = atRecording(e.Reason)
	case jitsuin.AuthCert:
		r.Auth = atRecording(e.Reason)
	default:
		return Revocation{}, jitsuin.Errorf(jitsuin.Invalid, "certificate-kind", "the event %q must say which certificate it means", e.Event).At("kind")
	}
	return r, nil
}

// EventOf gives the rule of an event; it fails with kind Invalid for an unknown one.
func EventOf(e CardEvent) (EventRule, error) {
	for _, r := range CardEvents() {
		if r.Event == e {
			return r, nil
		}
	}
	return EventRule{}, jitsuin.Errorf(jitsuin.Invalid, "event-unknown", "unknown card event %q", e)
}

// CardEvents lists the rules of all card events.
func CardEvents() []EventRule {
	card := since(2016, 1, 1)
	return []EventRule{
		{EventRevocationAsked, jitsuin.ReasonCessationOfOperation, true, false, Rule{ID: "event-revocation-asked", InForce: card,
			Text:   Text{"本人が失効を申請したときは、申請された電子証明書が失効する（窓口又は署名した電子申請）。", "The holder asks for revocation, at the counter or signed on line: the certificate named ends."},
			Source: cite(actJPKI, "9条・11条・15条", "arts. 9, 11 and 15", Ancestor)}},
		{EventKeyLeaked, jitsuin.ReasonKeyCompromise, true, false, Rule{ID: "event-key-leaked", InForce: card,
			Text:   Text{"符号の漏えい、滅失又は毀損が届け出られたときは、その電子証明書が失効する。", "The holder reports the key leaked, lost or damaged: its certificate ends."},
			Source: cite(actJPKI, "10条・11条・15条", "arts. 10, 11 and 15", Ancestor)}},
		{EventCardBroken, jitsuin.ReasonCessationOfOperation, false, false, Rule{ID: "event-card-broken", InForce: card,
			Text:   Text{"記録媒体が使用できなくなったと届け出られたときは、両方の電子証明書が失効する。", "The holder reports the card unusable: both certificates end."},
			Source: cite(actJPKI, "10条", "art. 10", Ancestor)}},
		{EventCardLost, jitsuin.ReasonCertificateHold, false, false, Rule{ID: "event-card-lost", InForce: card,
			Text:   Text{"紛失・盗難の連絡（24時間受付）により、両方の電子証明書が一時停止となる。", "A call that the card is lost or stolen, taken day and night, suspends both certificates."},
			Source: cite(cpsJPKI, "「一時停止」", "\"suspension\"", Official)}},
		{EventCardFound, jitsuin.ReasonRemoveFromCRL, false, false, Rule{ID: "event-card-found", InForce: card,
			Text:   Text{"カードが見つかり窓口で一時停止を解除すると、電子証明書は再び有効となる。", "The card is found and the suspension lifted at the counter: the certificates are good again."},
			Source: cite(cardGuide, "", "", Secondary, "How the lifting is published is not known; the next full CRL leaves the certificate out.")}},
		{EventCardReissued, jitsuin.ReasonSuperseded, false, false, Rule{ID: "event-card-reissued", InForce: card,
			Text:   Text{"カードの再交付により、従前のカードの両方の電子証明書が失効する。", "Re-issue of the card ends both certificates on the old one."},
			Source: cite(cpsJPKI, "「失効」", "\"revocation\"", Official)}},
		{EventCardReturned, jitsuin.ReasonCessationOfOperation, false, false, Rule{ID: "event-card-returned", InForce: card,
			Text:   Text{"カードの返納により、両方の電子証明書が失効する。", "Return of the card ends both certificates."},
			Source: cite(cpsJPKI, "「失効」", "\"revocation\"", Official)}},
		{EventNumberChanged, jitsuin.ReasonCessationOfOperation, false, false, Rule{ID: "event-number-changed", InForce: card,
			Text:   Text{"個人番号の変更により、カードとともに両方の電子証明書が失効する。", "A change of My Number ends the card and both certificates."},
			Source: cite(cpsJPKI, "「個人番号変更に伴う利用停止」", "\"stop of use upon change of number\"", Official)}},
		{EventRenewed, jitsuin.ReasonSuperseded, true, false, Rule{ID: "event-certificate-renewed", InForce: card,
			Text:   Text{"更新により、従前の同じ種類の電子証明書が失効する（二重発行の禁止）。", "Renewal ends the old certificate of that kind, as nobody has two of a kind in force."},
			Source: cite(actJPKI, "6条", "art. 6", Ancestor)}},
		{EventRecordError, jitsuin.ReasonCessationOfOperation, true, false, Rule{ID: "event-record-error", InForce: card,
			Text:   Text{"発行記録の誤り又は漏れを知ったときは、その電子証明書が失効し、利用者に通知する。", "The authority learns of an error in its record: the certificate ends and the holder is told."},
			Source: cite(actJPKI, "13条・15条2項", "arts. 13 and 15(2)", Ancestor)}},
		{EventCACompromised, jitsuin.ReasonCACompromise, false, false, Rule{ID: "event-ca-key-compromised", InForce: card,
			Text:   Text{"発行者署名符号の漏えい等があったときは、その符号によるすべての電子証明書が失効し、遅滞なく公表する。", "The authority's key leaks: all certificates under it end, and this is announced without delay."},
			Source: cite(actJPKI, "14条・15条3項", "arts. 14 and 15(3)", Ancestor)}},
		{EventPhoneReplaced, jitsuin.ReasonSuperseded, false, true, Rule{ID: "event-phone-replaced", InForce: since(2023, 5, 11),
			Text:   Text{"新しいスマートフォンに搭載すると、従前のスマートフォンの電子証明書は失効する（1人1台）。", "Certificates on a new phone end those on the old one; a person has one phone."},
			Source: cite(cardGuide, "（スマホ用電子証明書）", "certificates on phones", Secondary)}},
		{EventCardCertRevoked, jitsuin.ReasonCessationOfOperation, true, true, Rule{ID: "event-card-cert-revoked", InForce: since(2023, 5, 11),
			Text:   Text{"カード用電子証明書が失効すると、これに基づくスマホ用電子証明書も失効する。", "When a certificate on the card ends, the one on the phone that rests on it ends too."},
			Source: cite(cardGuide, "（スマホ用電子証明書）", "certificates on phones", Unverified)}},
	}
}
