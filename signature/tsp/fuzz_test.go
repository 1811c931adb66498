package tsp_test

import (
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// FuzzToken: whatever comes, there is an answer, and none is intact over a document that the seeds
// do not stamp.
func FuzzToken(f *testing.F) {
	a := signtest.NewTSA(f)
	f.Add(a.Stamp(f, document, signtest.Now))
	s := sound(f, document)
	s.ess = [][]byte{ess1(s.who.Certificate)}
	s.info.TSA = build(directory(s.who.Certificate.RawSubject))
	f.Add(s.token(f))
	f.Fuzz(func(t *testing.T, der []byte) {
		token, err := tsp.Parse(der)
		if err != nil {
			return
		}
		if token.VerifyBytes([]byte("another document"), nil).Intact() {
			t.Fatal("intact over another document")
		}
	})
}

// FuzzRequest: what is read is written again as something that is read as the same.
func FuzzRequest(f *testing.F) {
	q := request(f, document)
	f.Add(mustMarshal(f, q))
	q.Policy, q.Extensions = signtest.TimePolicy, []tsp.Extension{{ID: oidData, Critical: true, Value: []byte{5, 0}}}
	f.Add(mustMarshal(f, q))
	f.Fuzz(func(t *testing.T, der []byte) {
		q, err := tsp.ParseRequest(der)
		if err != nil {
			return
		}
		again, err := tsp.ParseRequest(mustMarshal(t, q))
		if err != nil || !again.Imprint.Equal(q.Imprint) || again.CertReq != q.CertReq || len(again.Extensions) != len(q.Extensions) {
			t.Fatalf("%+v, again %+v: %v", q, again, err)
		}
	})
}

// FuzzResponse: an answer is read or refused, and what is read can be written again.
func FuzzResponse(f *testing.F) {
	for _, r := range []*tsp.Response{answer(f, request(f, document)), tsp.Refuse(&tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: "時計"})} {
		der, err := r.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := tsp.ParseResponse(der)
		if err != nil {
			return
		}
		if _, err := reread(r); err != nil {
			t.Fatalf("%+v cannot be read again: %v", r, err)
		}
	})
}
