package rules

import "github.com/jitsuin/jitsuin"

var signAge = series{{
	ID: "signature-age", N: 15, Unit: Years, InForce: since(2016, 1, 1),
	Text:   Text{"署名用電子証明書は、15歳未満の者には原則として発行しない。", "The signature certificate is in principle not issued to persons under 15."},
	Source: cite(cpsJPKI, "", "", Secondary),
}}

var signWard = series{{
	ID: "signature-ward", InForce: since(2016, 1, 1),
	Text:   Text{"署名用電子証明書は、成年被後見人には原則として発行しない。", "The signature certificate is in principle not issued to an adult ward."},
	Source: cite(cpsJPKI, "", "", Secondary),
}}

var pinByRepresentative = series{{
	ID: "pin-by-representative", N: 15, Unit: Years, InForce: since(2016, 1, 1),
	Text:   Text{"15歳未満の者及び成年被後見人の暗証番号は、法定代理人が設定する。", "For persons under 15 and adult wards the legal representative sets the PIN."},
	Source: cite(cpsJPKI, "", "", Secondary),
}}

var pinlessCard = series{{
	ID: "pinless-card", InForce: since(2023, 12, 15),
	Text:   Text{"顔認証マイナンバーカードには暗証番号がなく、署名用電子証明書は記録しない。利用者証明用は顔認証での利用に限る。", "The card used by face only has no PIN and no signature certificate; its authentication certificate serves where faces are compared."},
	Source: cite(cardGuide, "（顔認証マイナンバーカード）", "cards used by face", Secondary, "Introduced in December 2023; the day is unverified."),
}}

var photoAge = series{{
	ID: "photo-age", N: 0, Unit: Years, InForce: between(day(2016, 1, 1), day(2024, 12, 1)),
	Text:   Text{"すべてのカードに顔写真を表示する。", "Every card shows a photo."},
	Source: cite(regCard, "", "", Secondary),
}, {
	ID: "photo-age", N: 1, Unit: Years, InForce: since(2024, 12, 2),
	Text:   Text{"申請時に1歳未満の者のカードには顔写真を表示しない。", "The card of a person under 1 at the application shows no photo."},
	Source: cite(cardGuide, "（1歳未満の顔写真なしカード・特急発行）", "cards without photo under the age of 1", Secondary),
}}

func holderRules() []series {
	return []series{signAge, signWard, pinByRepresentative, pinlessCard, photoAge}
}

// Holder is what the right to a certificate depends on.
type Holder struct {
	Birth     jitsuin.Date
	AdultWard bool // 成年被後見人
	Pinless   bool // holds a card used by face only (顔認証マイナンバーカード)
}

// MayHold tells whether a certificate of the kind can be issued to the holder on a day: nil, or an
// error of kind Denied whose message and hint can be shown at the counter.
func MayHold(kind jitsuin.CertKind, h Holder, on jitsuin.Date) error {
	age := Age(h.Birth, on)
	switch {
	case !kind.Valid():
		return jitsuin.Errorf(jitsuin.Invalid, "certificate-kind", "unknown certificate kind %q", kind).At("kind")
	case h.Birth.IsZero() || age < 0:
		return jitsuin.Errorf(jitsuin.Invalid, "birth-date", "the date of birth is missing or lies after %v", on).At("birth_date")
	case kind == jitsuin.AuthCert:
		return nil
	case age < signAge[0].N:
		return jitsuin.Errorf(jitsuin.Denied, "under-age", "the signature certificate is not issued to persons under %d", signAge[0].N).
			WithHint("it can be issued from %v", ageDay(h.Birth, signAge[0].N))
	case h.AdultWard:
		return jitsuin.Errorf(jitsuin.Denied, "adult-ward", "the signature certificate is not issued to an adult ward")
	case h.Pinless:
		return jitsuin.Errorf(jitsuin.Denied, "pinless-card", "a card used by face only holds no signature certificate").
			WithHint("change to a card with PINs first")
	}
	return nil
}

// ageDay is the first day on which a person has the age.
func ageDay(birth jitsuin.Date, age int) jitsuin.Date {
	return yearsFrom(birth, age).AddDays(1)
}

// RepresentativeSetsPIN tells whether the legal representative (法定代理人) chooses the PIN.
func RepresentativeSetsPIN(h Holder, on jitsuin.Date) bool {
	return h.AdultWard || Age(h.Birth, on) < pinByRepresentative[0].N
}

// ShowsPhoto tells whether the card applied for on a day shows a photo.
func ShowsPhoto(birth, applied jitsuin.Date) bool {
	return Age(birth, applied) >= photoAge.n(applied)
}
