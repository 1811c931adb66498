package rules

import "github.com/jitsuin/jitsuin"

// Applicant is how somebody comes to the counter to apply for a certificate.
type Applicant string

const (
	SelfWithPhoto       Applicant = "self-with-photo"      // 本人、顔写真付き身分証明書あり
	SelfWithLetter      Applicant = "self-with-letter"     // 本人、照会・回答書による
	LegalRepresentative Applicant = "legal-representative" // 法定代理人
	OtherAgent          Applicant = "other-agent"          // 任意代理人
)

// Paper is a document brought to the counter.
type Paper string

const (
	PaperForm      Paper = "application-form"  // 発行申請書
	PaperCard      Paper = "my-number-card"    // 個人番号カード
	PaperPhoto     Paper = "photo-document"    // 顔写真付き身分証明書
	PaperReply     Paper = "reply-to-inquiry"  // 照会書に対する回答書
	PaperMandate   Paper = "power-of-attorney" // 委任状
	PaperAuthority Paper = "proof-of-authority"
	PaperAgentID   Paper = "agent-photo-document"
)

// PaperRule says what an applicant brings and whether the certificate is made the same day. An
// inquiry (照会) goes by post to the address in the register and takes a second visit.
type PaperRule struct {
	Applicant Applicant
	Needs     []Paper
	SameDay   bool
	Rule
}

// Papers lists the ways to apply.
func Papers() []PaperRule {
	card := since(2016, 1, 1)
	return []PaperRule{
		{SelfWithPhoto, []Paper{PaperForm, PaperCard, PaperPhoto}, true, Rule{ID: "papers-self-with-photo", InForce: card,
			Text:   Text{"本人が申請書とカードを持参し、顔写真付き身分証明書（カード自体でもよい）で確認する。即日。", "The person brings form and card and is checked against a photo document, which can be the card itself; the same day."},
			Source: cite(founding, "4頁", "p. 4", Primary, "That the card itself can be the photo document is told by municipalities.")}},
		{SelfWithLetter, []Paper{PaperForm, PaperCard, PaperReply}, false, Rule{ID: "papers-self-with-letter", InForce: card,
			Text:   Text{"顔写真付き身分証明書がないときは、住所あての照会書に対する回答書で確認する。後日。", "Without a photo document, the reply to an inquiry posted to the registered address is brought; another day."},
			Source: cite(founding, "4頁", "p. 4", Primary)}},
		{LegalRepresentative, []Paper{PaperForm, PaperCard, PaperAuthority, PaperAgentID}, true, Rule{ID: "papers-legal-representative", InForce: card,
			Text:   Text{"法定代理人は、資格を証する書類と自身の顔写真付き身分証明書を持参する。", "A legal representative brings proof of authority and a photo document of their own."},
			Source: cite(cardGuide, "", "", Secondary, "Whether it is done the same day differs between municipalities.")}},
		{OtherAgent, []Paper{PaperForm, PaperCard, PaperMandate, PaperReply, PaperAgentID}, false, Rule{ID: "papers-other-agent", InForce: card,
			Text:   Text{"任意代理人は、委任状、本人あて照会書への回答書、自身の顔写真付き身分証明書を持参する。後日。", "Another agent brings a power of attorney, the person's reply to an inquiry and a photo document of their own; another day."},
			Source: cite(cardGuide, "", "", Secondary)}},
	}
}

// PapersOf gives what an applicant brings; it fails with kind Invalid for an unknown one.
func PapersOf(a Applicant) (PaperRule, error) {
	for _, r := range Papers() {
		if r.Applicant == a {
			return r, nil
		}
	}
	return PaperRule{}, jitsuin.Errorf(jitsuin.Invalid, "applicant", "unknown kind of applicant %q", a)
}
