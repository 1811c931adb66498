package rules

import (
	"slices"

	"github.com/jitsuin/jitsuin"
)

// use says what a purpose asks beyond what every signature or authentication asks.
type use struct {
	kinds  []jitsuin.CertKind // the kinds that fit
	letter bool               // an ordinance names JPKI for it
	must   []series
	keep   []Record
	number bool // the recipient may hold My Number
}

var signOnly = []jitsuin.CertKind{jitsuin.SignCert}
var eitherKind = []jitsuin.CertKind{jitsuin.SignCert, jitsuin.AuthCert}

func useOf(p Purpose) (u use, ok bool) {
	switch p {
	case PurposeApplication:
		return use{kinds: signOnly}, true
	case PurposeContract:
		return use{kinds: signOnly, keep: []Record{RecordContract}}, true
	case PurposeAccount:
		return use{kinds: signOnly, letter: true, must: []series{mustConfirmRecord}, keep: []Record{RecordConfirmation, RecordTransaction}}, true
	case PurposeMobile:
		return use{kinds: signOnly, letter: true, must: []series{mustMobileRecord}, keep: []Record{RecordMobile}}, true
	case PurposeMobileRental:
		return use{kinds: signOnly, letter: true, must: []series{mustMobileRecord, mustRentalRecord}, keep: []Record{RecordMobile}}, true
	case PurposeAntique:
		return use{kinds: signOnly, letter: true, must: []series{mustAntiqueItems}, keep: []Record{RecordAntique}}, true
	case PurposeMyNumber:
		return use{kinds: signOnly, must: []series{mustSeparateNumber}, number: true}, true
	case PurposeLogin:
		return use{kinds: []jitsuin.CertKind{jitsuin.AuthCert}}, true
	case PurposeStillValid:
		return use{kinds: eitherKind}, true
	case PurposeLatestItems:
		return use{kinds: signOnly, must: []series{mustConsent}, keep: []Record{RecordConsent}}, true
	}
	return use{}, false
}

// LegalReading tells what the law on a day makes of a valid signature or authentication with a
// certificate of the kind, received for the purpose. It presupposes that the technical check
// passed, and decides nothing about it. It fails with kind Invalid for an unknown kind or purpose
// and for days before 2016, and Unsupported where no ordinance names JPKI for the purpose yet.
func LegalReading(kind jitsuin.CertKind, p Purpose, on jitsuin.Date) (Reading, error) {
	u, ok := useOf(p)
	if !ok {
		return Reading{}, jitsuin.Errorf(jitsuin.Invalid, "purpose", "unknown purpose %q", p).At("purpose")
	}
	r := Reading{Kind: kind, Purpose: p, On: on, Fits: slices.Contains(u.kinds, kind)}
	if err := r.basis(); err != nil {
		return Reading{}, err
	}
	r.generalDuties(u)
	if !r.Fits {
		need := wrongKindNeedsSign
		if kind == jitsuin.SignCert {
			need = wrongKindNeedsAuth
		}
		r.Basis = append(r.Basis, need[0])
		return r, nil
	}
	if err := r.particularDuties(u); err != nil {
		return Reading{}, jitsuin.Errorf(jitsuin.Unsupported, "not-yet", "the purpose %q has no rule on %v: %w", p, on, err)
	}
	return r, nil
}

// basis fills in what a certificate of the kind is received under.
func (r *Reading) basis() error {
	if !r.Kind.Valid() {
		return jitsuin.Errorf(jitsuin.Invalid, "certificate-kind", "unknown certificate kind %q", r.Kind).At("kind")
	}
	basis := basisSignature
	if r.Kind == jitsuin.AuthCert {
		basis = basisAuthentication
	}
	rule, err := basis.on(r.On)
	if err != nil {
		return err
	}
	r.Basis = []Rule{rule}
	return nil
}

// generalDuties fills in what holds for every use of a certificate of the kind.
func (r *Reading) generalDuties(u use) {
	check := mustCheckAuth
	r.Presumption = notPresumed[0]
	r.MayNot = []Rule{mayNotStatus[0], mayNotSerial[0], mayNotEmbed[0], mayNotTell[0]}
	if r.Kind == jitsuin.SignCert {
		check = mustCheckBoth
		r.Presumed, r.Presumption, r.Conditions = true, presumed[0], conditionsOn(r.On)
		r.MayNot = append([]Rule{mayNotOtherUse[0]}, r.MayNot...)
	}
	if !u.number {
		r.MayNot = append(r.MayNot, mayNotMyNumber[0])
	}
	r.Must = []Rule{check[0], mustBeVerifier[0]}
}

// particularDuties adds what the purpose asks on the day.
func (r *Reading) particularDuties(u use) error {
	if u.letter {
		l, err := LetterOf(r.Purpose, r.On)
		if err != nil {
			return err
		}
		r.Basis = append(r.Basis, l.Rule)
	}
	for _, s := range u.must {
		m, err := s.on(r.On)
		if err != nil {
			return err
		}
		r.Must = append(r.Must, m)
	}
	for _, record := range u.keep {
		k, err := KeepingOf(record, r.On)
		if err != nil {
			return err
		}
		r.Keep = append(r.Keep, k)
	}
	return nil
}
