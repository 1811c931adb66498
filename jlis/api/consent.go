package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
)

// Forms (signature/form) by which a resident consents to the supply of the latest four items, and withdraws it.
const (
	FormConsent    = "latest-items-consent"
	FormWithdrawal = "latest-items-withdrawal"
)

// ConsentText is what a consent says of its own; all else of its text is prescribed.
type ConsentText struct {
	Number    string // of the verifier's own, by which the signed form is known
	Recipient form.Text
	Verifier  string // the verifier's name; VerifierID its instance
	// VerifierID is in the text, so that the consent names one verifier and no other.
	VerifierID string
	Service    form.Text
	Purpose    string // what the items are used for, at most 150 characters
	Contact    string // of the firm, at most 150 characters
}

// fixed are the prescribed items whose content is the same for everybody.
var fixed = map[string]string{
	"subject":    "あなたの最新の4情報が、機構から署名検証者を経て、下の事業者に提供されること。",
	"data":       "氏名、住所、生年月日、性別",
	"provider":   "地方公共団体情報システム機構（J-LIS）",
	"occasion":   "事業者が照会したときに、前に提供された情報から変わっていた場合に限る。",
	"term":       "同意の日の翌日から起算して10年間",
	"survives":   "署名用電子証明書が更新又は再発行されても、この同意は効力を失わない。",
	"withdrawal": "いつでも署名用電子証明書による署名で撤回でき、撤回は直ちに効力を生ずる。照会は利用者証明用電子証明書で行う。",
	"disclosure": "提供の日時と提供された情報の項目を、本人の求めに応じて開示する。",
	"handling":   "署名検証者は事業者に渡した後直ちに破棄する。事業者は署名用電子証明書を保存しない。",
	"reminder":   "同意が有効であることを、年に1回お知らせする。",
}

// ConsentForm makes the form of a consent: the prescribed items (rules.ConsentItems) in their order, and the name of who signs. The
// same text gives the same form.
func ConsentForm(t ConsentText) form.Form {
	own := map[string]string{rules.ConsentRecipient: t.Recipient.JA, rules.ConsentVerifier: t.Verifier + "（" + t.VerifierID + "）",
		rules.ConsentService: t.Service.JA, rules.ConsentPurpose: t.Purpose, rules.ConsentContact: t.Contact}
	f := form.Form{ID: FormConsent, Number: t.Number, Issuer: t.Recipient,
		Title: form.Text{JA: "最新の4情報の提供に関する同意書", EN: "Consent to the supply of the latest four items"},
		Intro: form.Text{JA: "私は、次のとおり、最新の4情報（氏名・住所・生年月日・性別）の提供に同意します。",
			EN: "I consent to the supply of my latest four items (name, address, date of birth, sex) as follows. Service: " + t.Service.EN + "."},
		Fields: []form.Field{{Name: form.ItemName, Label: form.Text{JA: "同意する者の氏名", EN: "Name of who consents"}, From: form.FromCertificate, Item: form.ItemName}}}
	for _, i := range rules.ConsentItems() {
		value, ok := own[i.Key]
		if !ok {
			value = fixed[i.Key]
		}
		f.Fields = append(f.Fields, form.Field{Name: i.Key, Label: form.Text{JA: i.Text.JA, EN: i.Text.EN}, From: form.FromIssuer, Value: value})
	}
	return f
}

// WithdrawalForm makes the form by which a consent is withdrawn.
func WithdrawalForm(number string, consent jitsuin.ID, recipient, service form.Text) form.Form {
	issuer := func(name, ja, en, value string) form.Field {
		return form.Field{Name: name, Label: form.Text{JA: ja, EN: en}, From: form.FromIssuer, Value: value}
	}
	return form.Form{ID: FormWithdrawal, Number: number, Issuer: recipient,
		Title: form.Text{JA: "最新の4情報の提供に関する同意の撤回書", EN: "Withdrawal of the consent to the supply of the latest four items"},
		Intro: form.Text{JA: "私は、次の同意を撤回します。撤回は直ちに効力を生じます。", EN: "I withdraw the following consent. This takes effect at once. Service: " + service.EN + "."},
		Fields: []form.Field{{Name: form.ItemName, Label: form.Text{JA: "撤回する者の氏名", EN: "Name of who withdraws"}, From: form.FromCertificate, Item: form.ItemName},
			issuer("consent", "同意の番号", "Number of the consent", string(consent)),
			issuer(rules.ConsentRecipient, "提供を受ける事業者", "The firm that gets the items", recipient.JA),
			issuer(rules.ConsentService, "対象のサービス", "The service", service.JA)}}
}

// CheckConsent refuses a form that is no consent to a verifier: Invalid "consent-form" where it is another one or lacks one of
// the mandatory items, Denied "consent-verifier" where it names another verifier.
func CheckConsent(f form.Filled, verifier string) error {
	if f.Form.ID != FormConsent {
		return jitsuin.Errorf(jitsuin.Invalid, "consent-form", "the document is no consent to the supply of the latest four items")
	}
	for _, i := range rules.ConsentItems() {
		value := f.Values[i.Key]
		prescribed, fix := fixed[i.Key]
		switch {
		case value == "" && i.Mandatory:
			return jitsuin.Errorf(jitsuin.Invalid, "consent-form", "the consent lacks a mandatory item: %s", i.Text.EN).At(i.Key)
		case fix && value != "" && value != prescribed:
			return jitsuin.Errorf(jitsuin.Invalid, "consent-form", "the consent has other words than are prescribed: %s", i.Text.EN).At(i.Key)
		}
	}
	if !strings.HasSuffix(f.Values[rules.ConsentVerifier], "（"+verifier+"）") {
		return jitsuin.Errorf(jitsuin.Denied, "consent-verifier", "the consent names another verifier").At(rules.ConsentVerifier)
	}
	return nil
}

// SignedForm is a form that a resident signed inside itself (PAdES).
type SignedForm struct {
	Document []byte `json:"document" doc:"PDF, made from the form and signed with the signature certificate"`
}

// Consent is a consent as J-LIS has recorded it.
type Consent struct {
	ID        jitsuin.ID   `json:"id"`
	Number    string       `json:"number" doc:"of the verifier, as in the form"`
	Recipient string       `json:"recipient"`
	Service   string       `json:"service"`
	GivenOn   jitsuin.Date `json:"given_on"`
	LastDay   jitsuin.Date `json:"last_day" doc:"on which it is in force, unless it is withdrawn"`
	State     string       `json:"state" enum:"in-force,withdrawn,expired"`
	EndedAt   *time.Time   `json:"ended_at,omitempty" doc:"of one that was withdrawn, civil time"`
}

// States of a consent.
const (
	ConsentInForce   = "in-force"
	ConsentWithdrawn = "withdrawn"
	ConsentExpired   = "expired"
)

// Consents are those of one person for one verifier.
type Consents struct {
	Consents []Consent `json:"consents"`
}

// LatestRequest asks for the latest items under a consent. Known is the signature certificate whose items the firm has, if it has any:
// what stands in it is not new.
type LatestRequest struct {
	Known *Link `json:"known,omitempty"`
}

// Latest is the answer: Items where something is new, which items that are, and the fee. Nothing new costs nothing.
type Latest struct {
	Supply jitsuin.ID         `json:"supply" doc:"number of this supply in the record of J-LIS"`
	At     time.Time          `json:"at" doc:"civil time"`
	New    bool               `json:"new"`
	Items  *jitsuin.FourItems `json:"items,omitempty"`
	Fields []string           `json:"fields,omitempty" doc:"which of the items are new"`
	Yen    int                `json:"yen"`
}

// Consent files a signed consent. Filed again, the same document gives the same consent.
func (c Client) Consent(ctx context.Context, requestID string, document []byte) (Consent, error) {
	return httpapi.Do[Consent](ctx, c.Remote, http.MethodPost, "/consents", requestID, SignedForm{document})
}

// Withdraw files a signed withdrawal.
func (c Client) Withdraw(ctx context.Context, requestID string, consent jitsuin.ID, document []byte) (Consent, error) {
	return httpapi.Do[Consent](ctx, c.Remote, http.MethodPost, "/consents/"+string(consent)+"/withdrawal", requestID, SignedForm{document})
}

// Latest asks for the latest items. Repeated with the same id within seven days, the answer is the same and costs nothing more.
func (c Client) Latest(ctx context.Context, requestID string, consent jitsuin.ID, r LatestRequest) (Latest, error) {
	return httpapi.Do[Latest](ctx, c.Remote, http.MethodPost, "/consents/"+string(consent)+"/latest-items", requestID, r)
}

// Inquire gives the consents for this verifier of the person who holds an authentication certificate.
func (c Client) Inquire(ctx context.Context, l Link) ([]Consent, error) {
	out, err := httpapi.Do[Consents](ctx, c.Remote, http.MethodPost, "/consent-inquiries", "", l)
	return out.Consents, err
}
