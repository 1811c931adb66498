package cert

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Profile names one of the certificate profiles.
type Profile string

const (
	ProfileCA        Profile = "ca"   // a self-signed certification authority
	ProfileSign      Profile = "sign" // 署名用電子証明書
	ProfileAuth      Profile = "auth" // 利用者証明用電子証明書
	ProfileResponder Profile = "ocsp" // a delegated OCSP responder (RFC 6960 §4.2.2.2)

	// On a telephone (移動端末設備用電子証明書, JPKI Act arts. 16-2 and 35-2). They have the form of those on the card and
	// are told from them by their policy alone; that they have no other difference is our reading.
	ProfilePhoneSign Profile = "phone-sign"
	ProfilePhoneAuth Profile = "phone-auth"
)

// PhoneProfile is the profile of a certificate of a kind that is for a telephone.
func PhoneProfile(k jitsuin.CertKind) Profile {
	if k == jitsuin.SignCert {
		return ProfilePhoneSign
	}
	return ProfilePhoneAuth
}

func (p Profile) signs() bool   { return p == ProfileSign || p == ProfilePhoneSign }
func (p Profile) onPhone() bool { return p == ProfilePhoneSign || p == ProfilePhoneAuth }

// Realm holds the names and policies in which a real system, a test environment and a sandbox differ.
type Realm struct {
	Organization   string // O of every name: JPKI in production
	Agency         string // the last OU of a CA's name
	OrganizationJA string // O of a CA's Japanese name
	AgencyJA       string // the last OU of it
	SignPolicy     asn1.ObjectIdentifier
	AuthPolicy     asn1.ObjectIdentifier
	// Policies of certificates on a telephone. Those of production: 1.2.392.200149.8.5.1.1.40 for signatures is reported
	// second-hand; that for authentication is not known.
	PhoneSignPolicy asn1.ObjectIdentifier
	PhoneAuthPolicy asn1.ObjectIdentifier
	CPS             string // URI of the certification practice statement, "" for none
}

// Sandbox is the realm of the sandbox: O=JPKI-TEST, the test environment's signature policy
// 1.2.392.200149.8.5.1.0.20, and 1.2.392.200149.8.5.1.0.30, this project's choice, for authentication. On telephones
// the last arc is 21 and 31, this project's choice too (40 is time-stamps').
func Sandbox() Realm {
	return Realm{
		Organization: "JPKI-TEST", Agency: "Japan Agency for Local Authority Information Systems",
		OrganizationJA: "公的個人認証サービス", AgencyJA: "地方公共団体情報システム機構",
		SignPolicy: policySignTest, AuthPolicy: policyAuthTest,
		PhoneSignPolicy: policySignMobileTest, PhoneAuthPolicy: policyAuthMobileTest, CPS: "http://www.jpki.go.jp/cps.html",
	}
}

func (r Realm) policy(p Profile) asn1.ObjectIdentifier {
	switch p {
	case ProfilePhoneSign:
		return r.PhoneSignPolicy
	case ProfilePhoneAuth:
		return r.PhoneAuthPolicy
	case ProfileSign:
		return r.SignPolicy
	}
	return r.AuthPolicy
}

// Place is a municipality by the romaji that certificates and distribution points carry, such as
// Kiyose-shi in Tokyo-to.
type Place struct {
	Prefecture   string
	Municipality string
}

func unitOf(k jitsuin.CertKind) string {
	if k == jitsuin.SignCert {
		return "JPKI for digital signature"
	}
	return "JPKI for user authentication"
}

// authorityName is the distinguished name that all generations of a CA share. It has no CN.
func (r Realm) authorityName(k jitsuin.CertKind) []rdn {
	return []rdn{{attrCountry, "JP"}, {attrOrg, r.Organization}, {attrOrgUnit, unitOf(k)}, {attrOrgUnit, r.Agency}}
}

// authorityNameJA is the alternative, Japanese name of a CA.
func (r Realm) authorityNameJA(k jitsuin.CertKind) []rdn {
	unit := r.OrganizationJA + "署名用"
	if k == jitsuin.AuthCert {
		unit = r.OrganizationJA + "利用者証明用"
	}
	return []rdn{{attrCountry, "JP"}, {attrOrg, r.OrganizationJA}, {attrOrgUnit, unit}, {attrOrgUnit, r.AgencyJA}}
}

// DistributionPoint gives the DER Name of the CRL partition of a municipality, as certificates name it
// in cRLDistributionPoints and its CRL in issuingDistributionPoint.
func (r Realm) DistributionPoint(k jitsuin.CertKind, p Place) []byte {
	return encodeName([]rdn{{attrCountry, "JP"}, {attrOrg, r.Organization}, {attrOrgUnit, unitOf(k)},
		{attrOrgUnit, "CRL Distribution Points"}, {attrOrgUnit, p.Prefecture}, {attrCommon, p.Municipality + " CRLDP"}})
}

// Template is all that a certificate is made of. Which fields are used depends on Profile:
//
//	ca    Kind
//	sign  Issuer, CommonName, Place, Items, OCSP
//	auth  Issuer, CommonName, Place, ClientAuth, OCSP
//	ocsp  Issuer, CommonName
//	phone-sign and phone-auth as sign and auth
//
// and on the rest in all. Sources disagree, or are silent, on the following; these are choices:
// the order of extensions of residents' certificates is AKI, KU, (EKU), SAN, IAN, CRLDP, CP, SKI, (AIA); EKU and AIA
// stand there only where ClientAuth and OCSP ask for them; the authority key identifier has issuer and serial only with
// LongAKI; an authentication certificate has the same kind of CRL distribution point as a signature
// certificate; the responder's profile is RFC 6960's minimum with id-pkix-ocsp-nocheck.
type Template struct {
	Profile    Profile
	Realm      Realm
	Kind       jitsuin.CertKind  // ca only: which of the two authorities
	Issuer     *x509.Certificate // the CA's certificate; nil for ca
	Serial     *big.Int          // positive, at most 20 octets
	NotBefore  time.Time         // whole seconds
	LastDay    jitsuin.Date      // valid until 23:59:59 JST of this day
	Key        crypto.PublicKey  // the subject's; CheckSubjectKey is applied
	CommonName string            // an opaque identifier, not a person's name
	Place      Place
	Items      Items
	ClientAuth bool   // extended key usage clientAuth
	OCSP       string // URI of the responder for authorityInfoAccess
	LongAKI    bool   // authority key identifier with issuer and serial
}

// check refuses templates that the profile does not allow.
func (t *Template) check() error {
	switch {
	case !slices.Contains(allProfiles, t.Profile):
		return templateError("profile", "%q is no certificate profile", t.Profile)
	case t.Serial == nil || t.Serial.Sign() <= 0 || t.Serial.BitLen() > 159:
		return templateError("serial", "a serial number is positive and has at most 20 octets")
	case t.NotBefore.IsZero() || t.LastDay.IsZero() || !t.NotBefore.Before(t.LastDay.LastSecond()):
		return templateError("validity", "the validity must begin before it ends")
	case t.Realm.Organization == "" || t.Realm.Agency == "":
		return templateError("realm", "the realm has no names")
	}
	if err := CheckSubjectKey(t.Key); err != nil {
		return err
	}
	if t.Profile == ProfileCA {
		if t.Issuer != nil || !t.Kind.Valid() {
			return templateError("issuer", "a CA certificate is self-signed and says which kind it issues")
		}
		return nil
	}
	if err := t.checkIssuer(); err != nil {
		return err
	}
	return t.checkSubject()
}

func (t *Template) checkIssuer() error {
	c := t.Issuer
	switch {
	case c == nil || !c.IsCA || len(c.SubjectKeyId) == 0:
		return templateError("issuer", "the issuer must be a CA certificate with a key identifier")
	case t.NotBefore.Before(c.NotBefore) || t.LastDay.LastSecond().After(c.NotAfter):
		return templateError("validity", "a certificate is never valid outside its CA certificate's validity")
	}
	return nil
}

func (t *Template) checkSubject() error {
	if !isRomaji(t.CommonName) || len(t.CommonName) > 64 {
		return templateError("common_name", "the common name is an identifier of 1 to 64 ASCII characters")
	}
	if t.Profile == ProfileResponder {
		return nil
	}
	if !isRomaji(t.Place.Prefecture) || !isRomaji(t.Place.Municipality) || len(t.Place.Prefecture) > 64 || len(t.Place.Municipality) > 58 {
		return templateError("place", "prefecture and municipality are written in romaji")
	}
	if t.Profile.onPhone() && len(t.Realm.policy(t.Profile)) == 0 {
		return templateError("realm", "the realm has no policy for telephones")
	}
	if t.Profile.signs() {
		return t.Items.Check()
	}
	if t.Items != (Items{}) {
		return templateError("items", "an authentication certificate carries no personal data")
	}
	return nil
}

func isRomaji(s string) bool {
	for _, r := range s {
		if r < 0x20 || r > 0x7e {
			return false
		}
	}
	return s != ""
}

func templateError(field, format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "certificate-template", format, args...).At(field)
}
