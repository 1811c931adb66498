package card

import (
	"slices"

	"github.com/jitsuin/jitsuin"
)

// Profile is a kind of card or device, as data: what its chip is pre-personalised with and what a
// card of this kind may carry.
type Profile struct {
	// Name is how commands and files call it.
	Name string
	// Label is the token's label in EF 0006, by which clients tell devices apart.
	Label string
	// Model is the token's model in EF 0006, at most 16 characters. Ours; a real card says E16R01NJ.
	Model string
	// Algorithm is what the JPKI keys are.
	Algorithm Algorithm
	// Kinds are the certificates that the card may carry.
	Kinds []jitsuin.CertKind
	// Face tells that the card has a face and the applications that repeat it: 券面事項確認AP,
	// 券面事項入力補助AP, 住基AP and 共通カードAP. A telephone has none of them.
	Face bool
	// Photo tells that there is a portrait on the face and in the chip.
	Photo bool
	// PIN tells that the resident sets PINs at hand-over. Without it the PINs stay unset, as if
	// blocked, and the authentication key is used by terminals that compare the face.
	PIN bool
	// AuthCertNeedsPIN tells that the authentication certificate is read after its PIN only.
	AuthCertNeedsPIN bool
	// LastCommand tells that the device takes 80 FC 00 00, by which a client says that it is done.
	LastCommand bool
	// Merged tells that the PIN-protected items stand in the JPKI application (the next card).
	Merged bool
}

// Names of the profiles.
const (
	ProfileCard    = "card"
	ProfileChild   = "child"
	ProfileInfant  = "infant"
	ProfilePINless = "pinless"
	ProfileOld     = "basic-resident-card"
	ProfileAndroid = "android"
	ProfileIPhone  = "iphone"
	ProfileNext    = "next"
)

var (
	bothKinds = []jitsuin.CertKind{jitsuin.SignCert, jitsuin.AuthCert}
	authOnly  = []jitsuin.CertKind{jitsuin.AuthCert}
)

const (
	labelCard    = "JPKIAPICCTOKEN2"
	labelOld     = "JPKIAPICCTOKEN"
	labelAndroid = "JPKIAPGPSETOKEN"
	labelIPhone  = "JPKIAPIOSTOKEN"
	modelOurs    = "JITSUIN1"
)

// Profiles are all kinds of card that this chip can be. Which one a resident gets is decided by
// whoever produces cards.
var Profiles = []Profile{
	// 個人番号カード as it is issued today.
	{Name: ProfileCard, Label: labelCard, Model: modelOurs, Algorithm: RSA2048, Kinds: bothKinds, Face: true, Photo: true, PIN: true},
	// A resident under 15: no signature certificate (art. 3(1) of the JPKI Act and its rules; package rules has the age).
	{Name: ProfileChild, Label: labelCard, Model: modelOurs, Algorithm: RSA2048, Kinds: authOnly, Face: true, Photo: true, PIN: true},
	// A resident under 1 at the time of the application: no photo either.
	{Name: ProfileInfant, Label: labelCard, Model: modelOurs, Algorithm: RSA2048, Kinds: authOnly, Face: true, PIN: true},
	// 顔認証マイナンバーカード: no PIN is set, used at readers that compare the face.
	{Name: ProfilePINless, Label: labelCard, Model: modelOurs, Algorithm: RSA2048, Kinds: authOnly, Face: true, Photo: true},
	// 住民基本台帳カード, no longer issued: clients refuse it by its label.
	{Name: ProfileOld, Label: labelOld, Model: modelOurs, Algorithm: RSA2048, Kinds: bothKinds, PIN: true},
	// 移動端末設備用電子証明書 in a telephone: the JPKI application alone.
	{Name: ProfileAndroid, Label: labelAndroid, Model: modelOurs, Algorithm: RSA2048, Kinds: bothKinds, PIN: true, AuthCertNeedsPIN: true},
	{Name: ProfileIPhone, Label: labelIPhone, Model: modelOurs, Algorithm: RSA2048, Kinds: bothKinds, PIN: true, LastCommand: true},
	// 次期個人番号カード: P-384 and two applications are announced; labels, names and files are our reading.
	{Name: ProfileNext, Label: labelCard, Model: "JITSUIN2", Algorithm: P384, Kinds: bothKinds, Face: true, Photo: true, PIN: true, Merged: true},
}

// ProfileNamed gives the profile with a name, "" being ProfileCard; Invalid "card-profile" for an unknown one.
func ProfileNamed(name string) (Profile, error) {
	if name == "" {
		name = ProfileCard
	}
	i := slices.IndexFunc(Profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, jitsuin.Errorf(jitsuin.Invalid, "card-profile", "there is no kind of card called %q", name).At("profile")
	}
	p := Profiles[i]
	p.Kinds = slices.Clone(p.Kinds)
	return p, nil
}

// applications lays out what a blank chip of this profile has, after the issuer's domain.
func (p Profile) applications(b Blank) []*application {
	apps := []*application{issuerDomain(p), jpki(p, b.Serial)}
	switch {
	case p.Merged:
		return append(apps, visual(p, b.Switches))
	case p.Face:
		return append(apps, text(b.Switches), visual(p, b.Switches), resident(), common())
	}
	return apps
}
