package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
)

// Phone is the type of an application for certificates on a telephone. It comes from the telephone's holder, not from a municipality.
const Phone ApplicationType = "phone"

// FormPhone is the form (signature/form) by which a resident applies for certificates on a telephone.
const FormPhone = "phone-certificates"

// Names of its fields.
const (
	phoneModel = "model"
	phoneKey   = "key-" // and a kind: SHA-256 of the key's SubjectPublicKeyInfo
	phoneOther = "other"
)

// PhoneForm makes the application: which kind of telephone, and by their SHA-256 the keys that it has made. id is the application's
// and the form's number; the same gives the same form.
func PhoneForm(id jitsuin.ID, model rules.PhoneModel, keys map[jitsuin.CertKind][]byte) form.Form {
	issuer := func(name, ja, en, value string) form.Field {
		return form.Field{Name: name, Label: form.Text{JA: ja, EN: en}, From: form.FromIssuer, Value: value}
	}
	names := map[jitsuin.CertKind]form.Text{jitsuin.SignCert: {JA: "署名用の公開鍵（SHA-256）", EN: "Public key for signatures (SHA-256)"},
		jitsuin.AuthCert: {JA: "利用者証明用の公開鍵（SHA-256）", EN: "Public key for authentication (SHA-256)"}}
	f := form.Form{ID: FormPhone, Number: string(id), Issuer: form.Text{JA: "地方公共団体情報システム機構（J-LIS）", EN: "J-LIS"},
		Title: form.Text{JA: "移動端末設備用電子証明書の発行申請書", EN: "Application for certificates on a telephone"},
		Intro: form.Text{JA: "私は、次の移動端末設備に電子証明書を発行することを申請します。", EN: "I apply for certificates on the following telephone."},
		Fields: []form.Field{{Name: form.ItemName, Label: form.Text{JA: "申請する者の氏名", EN: "Name of the applicant"}, From: form.FromCertificate, Item: form.ItemName},
			issuer(phoneModel, "端末の種類", "Kind of telephone", string(model)),
			issuer(phoneOther, "ほかの端末", "Any other telephone", "ほかの端末に発行された電子証明書は失効する。")}}
	for _, kind := range jitsuin.CertKinds {
		if key, ok := keys[kind]; ok {
			sum := sha256.Sum256(key)
			f.Fields = append(f.Fields, issuer(phoneKey+string(kind), names[kind].JA, names[kind].EN, hex.EncodeToString(sum[:])))
		}
	}
	return f
}

// PhoneRequest applies for certificates on a telephone.
type PhoneRequest struct {
	Model rules.PhoneModel `json:"model" enum:"android,iphone"`
	// PublicKeys are the telephone's, by kind; Proofs are signatures with them over PhoneProof: PKCS #1 v1.5 with SHA-256, or ECDSA with SHA-384.
	PublicKeys map[jitsuin.CertKind][]byte `json:"public_keys" doc:"by kind: RSA-2048 or P-384 public key, DER SubjectPublicKeyInfo"`
	Document   []byte                      `json:"document" doc:"PDF made from PhoneForm, signed inside itself with the card's signature certificate"`
	Proofs     map[jitsuin.CertKind][]byte `json:"proofs" doc:"by kind: signature with the telephone's key over the proof text"`
}

// PhoneProof is what a telephone signs with a key of its own to show that it has it. It says what it is for and can be nothing else.
func PhoneProof(kind jitsuin.CertKind, document []byte) []byte {
	sum := sha256.Sum256(document)
	return fmt.Appendf(nil, "JITSUIN-PHONE-KEY-V1\n%s\n%s\n", kind, hex.EncodeToString(sum[:]))
}

// CheckPhone refuses a signed form that is not the application that a request says: Invalid "phone-form".
func (r PhoneRequest) CheckPhone(f form.Filled) error {
	id, err := jitsuin.ParseID(f.Form.Number)
	if err == nil && f.Form.ID == FormPhone {
		want, err1 := json.Marshal(PhoneForm(id, r.Model, r.PublicKeys))
		have, err2 := json.Marshal(f.Form)
		if err1 == nil && err2 == nil && string(want) == string(have) {
			return nil
		}
	}
	return jitsuin.Errorf(jitsuin.Invalid, "phone-form", "the signed document is not the application for this telephone and these keys").At("document")
}

// PhoneIssued are the certificates of a telephone, each for the key of its kind, with those of the authorities.
type PhoneIssued struct {
	Application  jitsuin.ID                  `json:"application"`
	Certificates []Issued                    `json:"certificates"`
	Authorities  map[jitsuin.CertKind][]byte `json:"authorities" doc:"DER, by kind"`
}

// EnrolPhone applies for certificates on a telephone and waits for them. The same request may be repeated and gives the same answer.
func (c Client) EnrolPhone(ctx context.Context, r PhoneRequest) (PhoneIssued, error) {
	return httpapi.Do[PhoneIssued](ctx, c.Remote, http.MethodPost, "/phones", "", r)
}

// LostCard reports a card lost or stolen (紛失・盗難による一時停止). It needs no card and no login.
type LostCard struct {
	Items jitsuin.FourItems `json:"items" doc:"as in the resident register"`
	Cause string            `json:"cause" enum:"lost,stolen"`
}

// LostReport is the answer. It is the same whether or not the items are somebody's: it says nothing about anybody.
type LostReport struct {
	Reference string    `json:"reference" doc:"to be told at the counter"`
	At        time.Time `json:"at" doc:"civil time; the certificates of who has these items are suspended from then on"`
}

// ReportLost reports a card lost. key is the Idempotency-Key.
func (c Client) ReportLost(ctx context.Context, key string, l LostCard) (LostReport, error) {
	return httpapi.Do[LostReport](ctx, c.Remote, http.MethodPost, "/lost-cards", key, l)
}

// Resumption lifts the suspension of a resident's certificates: the card was found, and the person was checked at the counter.
type Resumption struct {
	Subject jitsuin.ID `json:"subject"`
}

// Resumed says what was lifted.
type Resumed struct {
	Certificates int `json:"certificates" doc:"how many are good again; 0 where nothing was suspended"`
}

// Resume lifts a suspension. key is the Idempotency-Key.
func (c Client) Resume(ctx context.Context, key string, r Resumption) (Resumed, error) {
	return httpapi.Do[Resumed](ctx, c.Remote, http.MethodPost, "/resumptions", key, r)
}

// Normal gives a loss with the items as the register writes them: without space around them.
func (l LostCard) Normal() LostCard {
	l.Items.Name, l.Items.Address = strings.TrimSpace(l.Items.Name), strings.TrimSpace(l.Items.Address)
	return l
}
