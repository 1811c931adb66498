package site

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/api"
)

type endPage struct {
	about
	Back     string // where the person returns
	Refusal  string
	Secret   string // what the person types on the other device, in two groups
	Second   string
	Denied   bool
	Waits    int // seconds, of an answer that a tester holds back
	Document bool
	// What happened, for developers: the claims of the request, where the answer went, and the answer.
	Request, To, Answer string
}

func (s *Site) endOf(f *flow) endPage {
	return endPage{about: s.about(f, "done"), Back: f.back, Secret: grouped(f.secret), Refusal: f.refusal, Second: f.second, Denied: f.answer.Error == denied,
		Waits: int(f.untilLate(time.Now()).Seconds()), Document: f.signed != nil && f.answer.Error == "",
		Request: indented(f.claims), To: f.claims.ResponseURI, Answer: indented(shortened(*f.answer))}
}

// grouped writes digits in two groups, as people read them.
func grouped(digits string) string {
	if digits == "" {
		return ""
	}
	return digits[:len(digits)/2] + " " + digits[len(digits)/2:]
}

func indented(v any) string {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// shownContent is how much of a document the fold for developers shows, in bytes.
const shownContent = 48

// shortened gives an answer with the beginnings of its documents only: they can be downloaded whole.
func shortened(a api.HolderAnswer) api.HolderAnswer {
	a.Documents = slices.Clone(a.Documents)
	for i, d := range a.Documents {
		a.Documents[i].Content = d.Content[:min(len(d.Content), shownContent)]
	}
	return a
}

// showSend is the page of an answer that has not got through.
func (s *Site) showSend(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.stage() != "/send" {
		return s.goOn(w, r, f)
	}
	s.pages.Page(w, r, http.StatusOK, "send", s.endOf(f))
	return nil
}

// takeSend sends the same answer again: nothing is signed a second time.
func (s *Site) takeSend(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.stage() == "/send" {
		err := s.send(r.Context(), f)
		if code := jitsuin.CodeOf(err); err != nil && code != "answer-undelivered" && code != "answer-waits" {
			return err
		}
	}
	return s.goOn(w, r, f)
}

// showDone says that it is done and leads back. It is a page and no redirect: browsers apply a form's
// policy (form-action) to redirects too, and the origins of relying parties are not known here.
func (s *Site) showDone(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.stage() != "/done" {
		return s.goOn(w, r, f)
	}
	s.pages.Page(w, r, http.StatusOK, "done", s.endOf(f))
	return nil
}
