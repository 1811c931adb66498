package securities

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// outcome is what became of an application, or of a login. A page has words for each: firm.outcome.….
type outcome string

const (
	pending outcome = "" // not answered yet, or the platform could not tell yet

	opened outcome = "opened"
	known  outcome = "known" // the person has an account already

	cancelled     outcome = "cancelled"      // by the person, at the holder
	holderFailed  outcome = "holder-failed"  // the holder answered with another error
	late          outcome = "late"           // answered after the request had ended
	otherForm     outcome = "other-form"     // not the form that was drawn for this application
	altered       outcome = "altered"        // the document is not what was signed
	revoked       outcome = "revoked"        // the certificate
	expired       outcome = "expired"        //
	notYetValid   outcome = "not-yet-valid"  //
	wrongKind     outcome = "wrong-kind"     // 利用者証明用 in the place of 署名用
	issuerUnknown outcome = "issuer-unknown" //
	notAccepted   outcome = "not-accepted"   // the signature, for another reason
	itemsDiffer   outcome = "items-differ"   // the document names another person than the certificate
	underAge      outcome = "under-age"
	foreignPEP    outcome = "foreign-pep"

	welcome     outcome = "welcome"     // of a login
	noCustomer  outcome = "no-customer" //
	unavailable outcome = "unavailable" //
)

// applicationLife is how long what an undecided or refused application left behind stays after its end, wall time:
// long enough to answer a question, and no longer, for there is no contract.
const applicationLife = 30 * 24 * time.Hour

// application is one application with what was received for it.
type application struct {
	Number    string
	form      form.Form
	DrawnAt   time.Time // civil
	ExpiresAt time.Time // wall
	Outcome   outcome
	DecidedAt time.Time // civil; zero before
	Customer  jitsuin.ID
	// Verification and Report are the platform's, where it was asked.
	Verification jitsuin.ID
	Report       *signature.Report
	signed       *signedDocument // nil before the answer
}

// signedDocument is an application as it came back from the holder. A PDF that is signed inside itself (PAdES) has no
// signature beside it; one that a holder of before signed has, a CMS over the whole of it.
type signedDocument struct {
	receivedAt         time.Time // civil
	content, signature []byte
	checkID            string
}

// inside tells whether the signature is in the document.
func (d *signedDocument) inside() bool { return len(d.signature) == 0 }

// beside gives the signature as the platform takes it, nil where it is in the document.
func (d *signedDocument) beside() []byte {
	if d.inside() {
		return nil
	}
	return d.signature
}

// form gives the document that the form made, to the octet: the signed revision may hold a signature and nothing else.
func (d *signedDocument) form() ([]byte, error) {
	if !d.inside() {
		return d.content, nil
	}
	return pades.Original(d.content)
}

// numberAlphabet has no letters that are taken for digits (Crockford).
const numberAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newNumber draws the number of an application: 80 random bits in groups that can be read aloud. Who
// knows it may fetch the form, which says nothing of anybody.
func newNumber() string {
	raw := make([]byte, 16)
	rand.Read(raw) // never fails
	out := make([]byte, 0, 19)
	for i, b := range raw {
		if i > 0 && i%4 == 0 {
			out = append(out, '-')
		}
		out = append(out, numberAlphabet[b%32])
	}
	return string(out)
}

// newAccountNumber draws the firm's own account number: the branch, then seven digits.
func newAccountNumber() string {
	raw := make([]byte, 7)
	rand.Read(raw)
	for i, b := range raw {
		raw[i] = '0' + b%10
	}
	return "101-" + string(raw)
}

// started is what a start of an application or a login gives to the browser.
type started struct {
	application
	made    client.MadeRequest
	browser string // the value of its cookie
}

// encodeForm gives the bytes that are served and whose digest is in the request.
func encodeForm(f form.Form) ([]byte, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	return json.Marshal(f)
}
