package site

import (
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
)

// A lost card is reported here, by what its holder knows by heart: there is nothing left to log in with. J-LIS takes it as its call
// centre does, at any hour.

type lostPage struct {
	Form      *web.Form
	Key       string // of the act, so that a form that is sent twice is one report
	Reference string // of a report that was taken; "" before
	Many      bool
}

var (
	sexOptions  = []web.Option{{Value: string(jitsuin.Male), Label: "holder.lost.male"}, {Value: string(jitsuin.Female), Label: "holder.lost.female"}}
	lossOptions = []web.Option{{Value: "lost", Label: "holder.lost.lost"}, {Value: "stolen", Label: "holder.lost.stolen"}}
)

func lostForm(r *http.Request) *web.Form {
	return web.NewForm(r.PostForm,
		web.Field{Name: "cause", Label: "holder.lost.cause", Kind: web.RadioField, Need: true, Options: lossOptions},
		web.Field{Name: "name", Label: "holder.lost.name", Help: "holder.lost.name-help", Kind: web.TextField, Need: true, Max: 100},
		web.Field{Name: "birth_date", Label: "holder.lost.birth_date", Kind: web.DateField, Need: true},
		web.Field{Name: "address", Label: "holder.lost.address", Help: "holder.lost.address-help", Kind: web.TextField, Need: true, Max: 200},
		web.Field{Name: "sex", Label: "holder.lost.sex", Kind: web.RadioField, Need: true, Options: sexOptions})
}

func (s *Site) showLost(w http.ResponseWriter, r *http.Request) error {
	s.pages.Page(w, r, http.StatusOK, "lost", lostPage{Form: lostForm(r), Key: string(jitsuin.NewID())})
	return nil
}

func (s *Site) takeLost(w http.ResponseWriter, r *http.Request) error {
	p := lostPage{Form: lostForm(r), Key: r.PostForm.Get("key")}
	if _, err := jitsuin.ParseID(p.Key); err != nil {
		p.Key = string(jitsuin.NewID())
	}
	loss := jlis.LostCard{Cause: p.Form.Get("cause"), Items: jitsuin.FourItems{Name: p.Form.Get("name"), Address: p.Form.Get("address"), Sex: jitsuin.Sex(p.Form.Get("sex"))}}
	loss.Items.BirthDate = p.Form.Date("birth_date")
	status := http.StatusUnprocessableEntity
	if p.Form.Check() {
		report, err := s.agency().ReportLost(r.Context(), p.Key, loss)
		switch p.Many = jitsuin.CodeOf(err) == "reports-many"; {
		case err == nil:
			status, p.Reference = http.StatusOK, report.Reference
		case !p.Many:
			return err
		}
	}
	s.pages.Page(w, r, status, "lost", p)
	return nil
}
