package tsp_test

import (
	gocontext "context"
	"crypto"
	"crypto/sha256"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

func request(t testing.TB, covered []byte) *tsp.Request {
	t.Helper()
	sum := sha256.Sum256(covered)
	q, err := tsp.NewRequest(crypto.SHA256, sum[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func answer(t testing.TB, q *tsp.Request) *tsp.Response {
	t.Helper()
	der, err := signtest.NewTSA(t).Issuer().Token(gocontext.Background(), q, big.NewInt(11), signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	return tsp.Grant(der)
}

// reread writes and reads.
func reread(r *tsp.Response) (*tsp.Response, error) {
	der, err := r.Marshal()
	if err != nil {
		return nil, err
	}
	return tsp.ParseResponse(der)
}

func TestAnAnswerBelongsToItsRequest(t *testing.T) {
	q := request(t, document)
	whole := answer(t, q)
	r, err := reread(whole)
	if err != nil {
		t.Fatal(err)
	}
	if token, err := r.Answer(q); err != nil || !token.VerifyBytes(document, nil).Intact() {
		t.Fatal(err)
	}
	bare := request(t, document)
	bare.CertReq = false
	if _, err := answer(t, bare).Answer(bare); err != nil {
		t.Fatalf("without certificates: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(q *tsp.Request) *tsp.Response // asks for something else, or answers otherwise
		kind   jitsuin.Kind
	}{
		{"the answer to another request for the same document", func(*tsp.Request) *tsp.Response { return answer(t, request(t, document)) }, jitsuin.Invalid},
		{"the answer to a request for another document", func(*tsp.Request) *tsp.Response { return answer(t, request(t, document[1:])) }, jitsuin.Invalid},
		{"another nonce", func(q *tsp.Request) *tsp.Response {
			return answer(t, with(q, func(q *tsp.Request) { q.Nonce = big.NewInt(5) }))
		}, jitsuin.Invalid},
		{"no nonce", func(q *tsp.Request) *tsp.Response { return answer(t, with(q, func(q *tsp.Request) { q.Nonce = nil })) }, jitsuin.Invalid},
		{"a nonce that nobody sent", func(q *tsp.Request) *tsp.Response { r := answer(t, q); q.Nonce = nil; return r }, jitsuin.Invalid},
		{"the nonce with the other sign", func(q *tsp.Request) *tsp.Response {
			return answer(t, with(q, func(q *tsp.Request) { q.Nonce = new(big.Int).Neg(q.Nonce) }))
		}, jitsuin.Invalid},
		{"another digest of the same document", func(q *tsp.Request) *tsp.Response {
			return answer(t, with(q, func(q *tsp.Request) { q.Imprint = imprint(t, crypto.SHA384, document) }))
		}, jitsuin.Invalid},
		{"another policy", func(q *tsp.Request) *tsp.Response { r := answer(t, q); q.Policy = oidData; return r }, jitsuin.Invalid},
		{"certificates that were not asked for", func(q *tsp.Request) *tsp.Response { r := answer(t, q); q.CertReq = false; return r }, jitsuin.Invalid},
		{"certificates that are missing", func(q *tsp.Request) *tsp.Response {
			return answer(t, with(q, func(q *tsp.Request) { q.CertReq = false }))
		}, jitsuin.Invalid},
		{"a refusal", func(*tsp.Request) *tsp.Response { return tsp.Refuse(&tsp.Refusal{Failure: tsp.BadAlg, Text: "no"}) }, jitsuin.Denied},
		{"a refusal for now", func(*tsp.Request) *tsp.Response {
			return tsp.Refuse(&tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: "no"})
		}, jitsuin.Unavailable},
		{"a refusal without a reason", func(*tsp.Request) *tsp.Response { return &tsp.Response{Status: tsp.Rejection} }, jitsuin.Denied},
		{"to be asked for later", func(*tsp.Request) *tsp.Response { return &tsp.Response{Status: tsp.Waiting} }, jitsuin.Denied},
		{"a refusal with a token", func(*tsp.Request) *tsp.Response { r := *whole; r.Status = tsp.Rejection; return &r }, jitsuin.Invalid},
		{"a grant without a token", func(*tsp.Request) *tsp.Response { return tsp.Grant(nil) }, jitsuin.Invalid},
		{"a grant that failed", func(*tsp.Request) *tsp.Response { r := *whole; r.Failures = []tsp.Failure{tsp.BadAlg}; return &r }, jitsuin.Invalid},
		{"an unknown status", func(*tsp.Request) *tsp.Response { r := *whole; r.Status = 6; return &r }, jitsuin.Invalid},
		{"a negative status", func(*tsp.Request) *tsp.Response { r := *whole; r.Status = -1; return &r }, jitsuin.Invalid},
		{"two tokens", func(*tsp.Request) *tsp.Response { return tsp.Grant(append(slices.Clone(whole.Token), whole.Token...)) }, jitsuin.Invalid},
		{"something else for a token", func(*tsp.Request) *tsp.Response { return tsp.Grant([]byte{0x30, 0}) }, jitsuin.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask := *q
			r, err := reread(c.change(&ask))
			if err == nil {
				_, err = r.Answer(&ask)
			}
			if err == nil || jitsuin.KindOf(err) != c.kind {
				t.Fatalf("%v of kind %s, not %s", err, jitsuin.KindOf(err), c.kind)
			}
		})
	}
}

func with(q *tsp.Request, change func(*tsp.Request)) *tsp.Request {
	other := *q
	change(&other)
	return &other
}

func TestResponsesAreReadStrictly(t *testing.T) {
	der, err := answer(t, request(t, document)).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "octets behind it": append(slices.Clone(der), 0), "cut short": der[:len(der)-1],
		"a text that is no UTF-8":    {0x30, 0x0a, 0x30, 0x08, 2, 1, 2, 0x30, 3, 0x0c, 1, 0xff},
		"a member behind the status": {0x30, 0x0a, 0x30, 0x08, 2, 1, 2, 3, 1, 0, 5, 0},
		"a failure of many bits":     append([]byte{0x30, 0x0f, 0x30, 0x0d, 2, 1, 2, 3, 10, 0}, 1, 0, 0, 0, 0, 0, 0, 0, 0),
	} {
		if _, err := tsp.ParseResponse(b); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := strings.Repeat("時", 400)
	r, err := reread(&tsp.Response{Status: tsp.Rejection, Texts: []string{"いいえ", long}, Failures: []tsp.Failure{tsp.BadRequest, tsp.SystemFailure}})
	if err != nil || r.Texts[0] != "いいえ" || len(r.Texts[1]) > 512 || !slices.Equal(r.Failures, []tsp.Failure{tsp.BadRequest, tsp.SystemFailure}) {
		t.Fatalf("%+v %v", r, err)
	}
}

func TestRequestsAreReadStrictly(t *testing.T) {
	q := request(t, document)
	q.Policy = signtest.TimePolicy
	q.Extensions = []tsp.Extension{{ID: oidData, Value: []byte{5, 0}}}
	der, err := q.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	read, err := tsp.ParseRequest(der)
	if err != nil || !read.Imprint.Equal(q.Imprint) || read.Nonce.Cmp(q.Nonce) != 0 || !read.CertReq || !read.Policy.Equal(q.Policy) || len(read.Extensions) != 1 {
		t.Fatalf("%+v %v", read, err)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "octets behind it": append(slices.Clone(der), 0), "cut short": der[:len(der)-1],
		"version 2": replaceOnce(t, der, []byte{2, 1, 1, 0x30}, []byte{2, 1, 2, 0x30}), "endless": make([]byte, tsp.MaxRequest+1),
		"an empty list of extensions": grow(mustMarshal(t, request(t, document)), []byte{0xa0, 0}),
	} {
		if _, err := tsp.ParseRequest(b); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func mustMarshal(t testing.TB, q *tsp.Request) []byte {
	t.Helper()
	der, err := q.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestAnIssuerRefusesWhatItDoesNotStamp(t *testing.T) {
	i := signtest.NewTSA(t).Issuer()
	weak, _ := cms.HashAlgorithm(crypto.SHA1)
	for name, c := range map[string]struct {
		change func(*tsp.Request)
		want   tsp.Failure
	}{
		"SHA-1": {func(q *tsp.Request) {
			q.Imprint = tsp.Imprint{Hash: crypto.SHA1, Algorithm: weak, Sum: make([]byte, 20)}
		}, tsp.BadAlg},
		"MD5": {func(q *tsp.Request) {
			q.Imprint = tsp.Imprint{Algorithm: cms.Algorithm{OID: oidMD5}, Sum: make([]byte, 16)}
		}, tsp.BadAlg},
		"another policy": {func(q *tsp.Request) { q.Policy = oidData }, tsp.UnacceptedPolicy},
		"an extension":   {func(q *tsp.Request) { q.Extensions = []tsp.Extension{{ID: oidData}} }, tsp.UnacceptedExtension},
	} {
		q := request(t, document)
		c.change(q)
		_, err := i.Token(gocontext.Background(), q, big.NewInt(1), signtest.Now)
		if refusal, ok := err.(*tsp.Refusal); !ok || refusal.Failure != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, serial := range []*big.Int{nil, big.NewInt(0), big.NewInt(-1), new(big.Int).Lsh(big.NewInt(1), 160)} {
		if _, err := i.Token(gocontext.Background(), request(t, document), serial, signtest.Now); err == nil {
			t.Errorf("the number %v was used", serial)
		}
	}
}

// authority answers requests over HTTP; change may alter answers.
func authority(t *testing.T, change func(q *tsp.Request, r *tsp.Response, w http.ResponseWriter) *tsp.Response) *tsp.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, tsp.MaxRequest)
		n, _ := r.Body.Read(body)
		q, err := tsp.ParseRequest(body[:n])
		if err != nil || r.Header.Get("Content-Type") != tsp.QueryType {
			t.Errorf("the client sends %x: %v", body[:n], err)
			return
		}
		w.Header().Set("Content-Type", tsp.ReplyType)
		resp := change(q, answer(t, q), w)
		if resp == nil {
			return
		}
		if der, err := resp.Marshal(); err == nil {
			w.Write(der)
		}
	}))
	t.Cleanup(server.Close)
	return &tsp.Client{URL: server.URL, HTTP: server.Client()}
}

func TestTheClientTakesNothingElse(t *testing.T) {
	sum := sha256.Sum256(document)
	good := authority(t, func(_ *tsp.Request, r *tsp.Response, _ http.ResponseWriter) *tsp.Response { return r })
	token, err := good.Stamp(t.Context(), crypto.SHA256, sum[:])
	if err != nil || !token.Info.Time.Equal(signtest.Now) {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(q *tsp.Request, r *tsp.Response, w http.ResponseWriter) *tsp.Response
		kind   jitsuin.Kind
	}{
		"an error page": {func(_ *tsp.Request, _ *tsp.Response, w http.ResponseWriter) *tsp.Response {
			w.WriteHeader(503)
			return nil
		}, jitsuin.Unavailable},
		"a page of HTML": {func(_ *tsp.Request, r *tsp.Response, w http.ResponseWriter) *tsp.Response {
			w.Header().Set("Content-Type", "text/html")
			return r
		}, jitsuin.Invalid},
		"nothing": {func(*tsp.Request, *tsp.Response, http.ResponseWriter) *tsp.Response { return nil }, jitsuin.Invalid},
		"an endless answer": {func(_ *tsp.Request, _ *tsp.Response, w http.ResponseWriter) *tsp.Response {
			w.Write(make([]byte, tsp.MaxResponse+10))
			return nil
		}, jitsuin.Invalid},
		"another's answer": {func(*tsp.Request, *tsp.Response, http.ResponseWriter) *tsp.Response {
			return answer(t, request(t, document))
		}, jitsuin.Invalid},
		"a refusal": {func(*tsp.Request, *tsp.Response, http.ResponseWriter) *tsp.Response {
			return tsp.Refuse(&tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: "the clock is off"})
		}, jitsuin.Unavailable},
		"a token that is not sound": {func(q *tsp.Request, _ *tsp.Response, _ http.ResponseWriter) *tsp.Response {
			f := sound(t, document)
			f.info.Nonce, f.ess = q.Nonce, nil
			return tsp.Grant(f.token(t))
		}, jitsuin.Invalid},
	} {
		_, err := authority(t, c.change).Stamp(t.Context(), crypto.SHA256, sum[:])
		if err == nil || jitsuin.KindOf(err) != c.kind {
			t.Errorf("%s: %v of kind %s", name, err, jitsuin.KindOf(err))
		}
	}
	ended, cancel := gocontext.WithCancel(t.Context())
	cancel()
	if _, err := good.Stamp(ended, crypto.SHA256, sum[:]); err == nil {
		t.Error("stamped in a context that had ended")
	}
	if _, err := (&tsp.Client{URL: "http://127.0.0.1:1/"}).Stamp(t.Context(), crypto.SHA1, make([]byte, 20)); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("a SHA-1 digest is sent: %v", err)
	}
}
