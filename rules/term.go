package rules

import "github.com/jitsuin/jitsuin"

// Stay is the status of a foreign resident (外国人住民, Basic Resident Registration Act
// art. 30-45), as far as validity depends on it. The zero value is a Japanese national.
type Stay string

const (
	National         Stay = ""                  // 日本国民
	Permanent        Stay = "permanent"         // 永住者
	SpecialPermanent Stay = "special-permanent" // 特別永住者
	HighlySkilled2   Stay = "highly-skilled-2"  // 高度専門職第2号
	MidToLongTerm    Stay = "mid-to-long-term"  // その他の中長期在留者
	Provisional      Stay = "provisional"       // 一時庇護許可者・仮滞在許可者
	Transitional     Stay = "transitional"      // 出生・国籍喪失による経過滞在者
)

// Limited tells whether the stay has an end that caps the card; ok is false for an unknown status.
func (s Stay) Limited() (limited, ok bool) {
	switch s {
	case National, Permanent, SpecialPermanent, HighlySkilled2:
		return false, true
	case MidToLongTerm, Provisional, Transitional:
		return true, true
	}
	return false, false
}

// CardIssue is what the validity of a card (個人番号カード) depends on.
type CardIssue struct {
	Birth      jitsuin.Date
	Applied    jitsuin.Date // 交付申請の受付日: which age of majority counts
	Issued     jitsuin.Date // 発行の日
	Stay       Stay
	StayUntil  jitsuin.Date // the last day of a limited stay
	Generation Generation
}

// CardTerm gives the validity of a card. It fails with kind Invalid on dates out of order or a
// limited stay without an end, and Expired where the stay is over.
func CardTerm(in CardIssue) (Term, error) {
	if err := inOrder(in.Birth, in.Applied, in.Issued); err != nil {
		return Term{}, err
	}
	adult, err := cardAdultAge.on(in.Applied)
	if err != nil {
		return Term{}, err
	}
	rule := cardMinorTerm[0]
	if Age(in.Birth, in.Issued) >= adult.N {
		rule = cardAdultTerm[0]
	}
	t := Term{in.Issued, BirthdayAfter(in.Birth, in.Issued, rule.N), rule}
	if in.Generation == CardNext {
		t.Until, t.Because = addMonths(t.Until, cardNextGrace[0].N), cardNextGrace[0]
	}
	limited, ok := in.Stay.Limited()
	switch {
	case !ok:
		return Term{}, jitsuin.Errorf(jitsuin.Invalid, "stay-unknown", "unknown status of residence %q", in.Stay).At("stay")
	case !limited:
		return t, nil
	case in.StayUntil.IsZero():
		return Term{}, jitsuin.Errorf(jitsuin.Invalid, "stay-end-missing", "the status %q needs the end of the stay", in.Stay).At("stay_until")
	case in.StayUntil.Before(in.Issued):
		return Term{}, jitsuin.Errorf(jitsuin.Expired, "stay-over", "the stay ended on %v, before the day of issue", in.StayUntil).At("stay_until")
	}
	return t.capAt(in.StayUntil, cardStayCap), nil
}

// CertificateIssue is what the validity of a certificate depends on.
type CertificateIssue struct {
	Kind      jitsuin.CertKind
	Birth     jitsuin.Date
	Issued    jitsuin.Date
	CardUntil jitsuin.Date // last day of the card that stores the certificate
	// Replaces is the last day of the certificate of the same kind that is still in force and
	// that this one renews; no date for a first certificate or one issued after a revocation.
	Replaces jitsuin.Date
	// AuthUntil is, for a signature certificate, the last day of the holder's authentication
	// certificate; no date where there is none. When both are renewed at once, issue that one first.
	AuthUntil  jitsuin.Date
	Generation Generation
}

// CertificateTerm gives the validity of a certificate: to the 5th birthday, or the 6th when
// renewed in the window before the end, never beyond the card or, for a signature certificate,
// the authentication certificate. It fails with kind Expired where the card is over.
func CertificateTerm(in CertificateIssue) (Term, error) {
	if !in.Kind.Valid() {
		return Term{}, jitsuin.Errorf(jitsuin.Invalid, "certificate-kind", "unknown certificate kind %q", in.Kind).At("kind")
	}
	if err := inOrder(in.Birth, in.Issued); err != nil {
		return Term{}, err
	}
	if in.CardUntil.IsZero() || in.CardUntil.Before(in.Issued) {
		return Term{}, jitsuin.Errorf(jitsuin.Expired, "card-over", "the card's validity does not reach the day of issue %v", in.Issued).
			WithHint("renew the card first")
	}
	rule, err := birthdayRule(in)
	if err != nil {
		return Term{}, err
	}
	n := rule.N
	if in.Generation == CardNext && renewsEarly(in) {
		n++
	}
	t := Term{in.Issued, BirthdayAfter(in.Birth, in.Issued, n), rule}
	if in.Kind == jitsuin.SignCert && !in.AuthUntil.IsZero() {
		if in.AuthUntil.Before(in.Issued) {
			return Term{}, jitsuin.Errorf(jitsuin.Invalid, "auth-over", "the authentication certificate ended on %v, before the day of issue", in.AuthUntil).
				WithHint("renew the authentication certificate too, or leave it out")
		}
		t = t.capAt(in.AuthUntil, certAuthCap)
	}
	return t.capAt(in.CardUntil, certCardCap), nil
}

func birthdayRule(in CertificateIssue) (Rule, error) {
	if in.Issued.Before(certTermRenewed[0].InForce.From) {
		return Rule{}, jitsuin.Errorf(jitsuin.Unsupported, "before-the-card", "certificates of before 2016 are not issued")
	}
	switch {
	case in.Generation == CardNext:
		return certNextTerm[0], nil
	case renewsEarly(in):
		return certTermRenewed.on(in.Issued)
	}
	return certTerm.on(in.Issued)
}

func renewsEarly(in CertificateIssue) bool {
	return !in.Replaces.IsZero() && !in.Issued.After(in.Replaces) &&
		!in.Issued.Before(RenewalOpens(in.Replaces, in.Generation))
}

// RenewalOpens gives the first day on which a certificate, or a card, that ends on the day until
// can be renewed: the day after the one three months (next card: one year) before.
func RenewalOpens(until jitsuin.Date, g Generation) jitsuin.Date {
	months := renewalWindow[0].N
	if g == CardNext {
		months = nextRenewalWindow[0].N
	}
	return addMonths(until, -months).AddDays(1)
}

// inOrder checks that the dates are given and none lies before the one to its left.
func inOrder(dates ...jitsuin.Date) error {
	for i, d := range dates {
		if d.IsZero() || i > 0 && d.Before(dates[i-1]) {
			return jitsuin.Errorf(jitsuin.Invalid, "dates-out-of-order", "birth, application and issue must be given and follow each other")
		}
	}
	return nil
}
