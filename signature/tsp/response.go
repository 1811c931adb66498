package tsp

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Status is PKIStatus (RFC 3161 §2.4.2).
type Status int

const (
	Granted                Status = 0
	GrantedWithMods        Status = 1
	Rejection              Status = 2
	Waiting                Status = 3
	RevocationWarning      Status = 4
	RevocationNotification Status = 5
)

var statusNames = []string{"granted", "granted with modifications", "rejection", "waiting", "revocation warning", "revocation notification"}

// String gives the status in words.
func (s Status) String() string {
	if s >= 0 && int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status %d", int(s))
}

// Failure is a bit of PKIFailureInfo (RFC 3161 §2.4.2).
type Failure int

const (
	BadAlg              Failure = 0  // unrecognised or unsupported algorithm
	BadRequest          Failure = 2  // transaction not permitted or supported
	BadDataFormat       Failure = 5  // the data has the wrong format
	TimeNotAvailable    Failure = 14 // the authority's time source is not available
	UnacceptedPolicy    Failure = 15 // the requested policy is not supported
	UnacceptedExtension Failure = 16 // a requested extension is not supported
	AddInfoNotAvailable Failure = 17 // additional information cannot be understood or is not available
	SystemFailure       Failure = 25 // the request cannot be handled due to a system failure
)

var failureNames = map[Failure]string{BadAlg: "badAlg", BadRequest: "badRequest", BadDataFormat: "badDataFormat",
	TimeNotAvailable: "timeNotAvailable", UnacceptedPolicy: "unacceptedPolicy", UnacceptedExtension: "unacceptedExtension",
	AddInfoNotAvailable: "addInfoNotAvailable", SystemFailure: "systemFailure"}

// String gives the name of RFC 3161.
func (f Failure) String() string {
	if name, ok := failureNames[f]; ok {
		return name
	}
	return fmt.Sprintf("failure %d", int(f))
}

// Refusal is why an authority does not stamp.
type Refusal struct {
	Failure Failure
	Text    string // for people; in the answer as it is
}

// Error gives name and text.
func (r *Refusal) Error() string { return r.Failure.String() + ": " + r.Text }

// Response is TimeStampResp (RFC 3161 §2.4.2). Token is there where the request was granted, and
// only then.
type Response struct {
	Status   Status
	Texts    []string
	Failures []Failure
	Token    []byte // as it came; Parse reads it
}

// Refuse makes the answer that refuses a request.
func Refuse(r *Refusal) *Response {
	return &Response{Status: Rejection, Texts: []string{r.Text}, Failures: []Failure{r.Failure}}
}

// Grant makes the answer with a token.
func Grant(token []byte) *Response { return &Response{Status: Granted, Token: token} }

// granted tells whether the status promises a token.
func (r *Response) granted() bool { return r.Status == Granted || r.Status == GrantedWithMods }

// ParseResponse reads one response in DER that fills der; the token inside may be BER. A status that
// promises a token and brings none is refused, and so is the reverse. The error is of kind Invalid.
func ParseResponse(der []byte) (*Response, error) {
	if len(der) > MaxResponse {
		return nil, malformed("a response of %d octets, at most %d are read", len(der), MaxResponse)
	}
	in := cryptobyte.String(der)
	var body, info cryptobyte.String
	var status int
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Integer(&status) {
		return nil, malformed("not a TimeStampResp")
	}
	r := &Response{Status: Status(status)}
	if err := r.readStatus(info); err != nil {
		return nil, err
	}
	r.Token = body // checked when it is read as a token, which fills it
	switch {
	case status < int(Granted) || status > int(RevocationNotification):
		return nil, malformed("the status %d is not known", status)
	case r.granted() && len(body) == 0:
		return nil, malformed("the answer is %s, and no token is there", r.Status)
	case !r.granted() && len(body) > 0:
		return nil, malformed("the answer is %s, and a token is there", r.Status)
	case r.granted() && len(r.Failures) > 0:
		return nil, malformed("the answer is %s, and says what failed", r.Status)
	}
	return r, nil
}

// readStatus reads what follows the status in PKIStatusInfo.
func (r *Response) readStatus(info cryptobyte.String) error {
	if info.PeekASN1Tag(cbasn1.SEQUENCE) {
		var texts cryptobyte.String
		if !info.ReadASN1(&texts, cbasn1.SEQUENCE) {
			return malformed("the status texts are not readable")
		}
		for !texts.Empty() {
			var text []byte
			if len(r.Texts) == maxTexts || !texts.ReadASN1Bytes(&text, cbasn1.UTF8String) || !utf8.Valid(text) {
				return malformed("the status texts are not at most %d texts in UTF-8", maxTexts)
			}
			r.Texts = append(r.Texts, strings.ToValidUTF8(string(text[:min(len(text), maxText)]), ""))
		}
	}
	if info.PeekASN1Tag(cbasn1.BIT_STRING) {
		var bits asn1.BitString
		if !info.ReadASN1BitString(&bits) || bits.BitLength > 64 {
			return malformed("the failure is not readable")
		}
		for n := range bits.BitLength {
			if bits.At(n) == 1 {
				r.Failures = append(r.Failures, Failure(n))
			}
		}
	}
	if !info.Empty() {
		return malformed("something follows the status")
	}
	return nil
}

// Marshal writes the response in DER.
func (r *Response) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(r.Status))
			if len(r.Texts) > 0 {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, text := range r.Texts {
						b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
					}
				})
			}
			if len(r.Failures) > 0 {
				addFailures(b, r.Failures)
			}
		})
		b.AddBytes(r.Token)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write the response: %w", err)
	}
	return der, nil
}

// addFailures writes PKIFailureInfo, a named bit list without trailing zeros (X.690 §11.2.2).
func addFailures(b *cryptobyte.Builder, failures []Failure) {
	last := int(slices.Max(failures))
	octets := make([]byte, last/8+1)
	for _, f := range failures {
		octets[f/8] |= 0x80 >> (f % 8)
	}
	b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
		b.AddUint8(uint8(7 - last%8))
		b.AddBytes(octets)
	})
}

// Err gives why nothing was granted, nil where it was. The *Refusal inside the error, if the
// authority named one failure, tells more; the kind is Unavailable where asking again later may help.
func (r *Response) Err() error {
	if r.granted() {
		return nil
	}
	text := strings.Join(r.Texts, "; ")
	if len(r.Failures) == 0 {
		return jitsuin.Errorf(jitsuin.Denied, "tsp-refused", "the time-stamping authority answers %s: %s", r.Status, text)
	}
	kind := jitsuin.Denied
	if f := r.Failures[0]; f == TimeNotAvailable || f == SystemFailure || f == AddInfoNotAvailable {
		kind = jitsuin.Unavailable
	}
	return jitsuin.Errorf(kind, "tsp-refused", "the time-stamping authority refuses: %w", &Refusal{r.Failures[0], text})
}

// Answer reads the token and holds it to the request that it must answer (RFC 3161 §2.4.2): the same
// imprint, the same nonce or none, the policy that was asked for, and certificates exactly where they
// were wanted. The token itself is still to be verified. Errors are of kind Invalid (code tsp-answer for
// the answer to something else), and as Err gives them.
func (r *Response) Answer(q *Request) (*Token, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	t, err := Parse(r.Token)
	if err != nil {
		return nil, err
	}
	return t, t.Answers(q)
}

// Answers tells whether a token belongs to a request; see Response.Answer.
func (t *Token) Answers(q *Request) error {
	certificates := len(t.CMS.Certificates) + t.CMS.Unread
	switch {
	case !t.Info.Imprint.Equal(q.Imprint):
		return otherRequest("the token stamps another digest than was sent")
	case !sameNumber(t.Info.Nonce, q.Nonce):
		return otherRequest("the token has not the nonce of the request: it answers another")
	case q.Policy != nil && !t.Info.Policy.Equal(q.Policy):
		return otherRequest("the token is under the policy %s, asked for was %s", t.Info.Policy, q.Policy)
	case q.CertReq && certificates == 0:
		return otherRequest("the authority's certificate was asked for and is not in the token")
	case !q.CertReq && certificates > 0:
		return otherRequest("the token has certificates that were not asked for")
	}
	return nil
}

func otherRequest(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "tsp-answer", format, args...)
}
