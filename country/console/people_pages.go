package console

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// everybody may see and press everything here: the people are invented, and the console listens on loopback.
var everybody = httpapi.Public("the residents of the sandbox are invented, and the console is reached on this machine")

// at wraps a page that needs the data folder; without it the page says so.
func (c *Console) at(h func(d *desk, w http.ResponseWriter, r *http.Request) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if c.desk == nil {
			return jitsuin.Errorf(jitsuin.Unsupported, "console-apart", "the country's data folder is not on this machine").
				WithHint("open the console where jitsuin up runs")
		}
		return h(c.desk, w, r)
	}
}

// peoplePages registers the residents and their acts.
func (c *Console) peoplePages() {
	c.site.Handle(c.API, "GET /people", everybody, c.at((*desk).listPeople))
	c.site.Handle(c.API, "GET /people/{subject}", everybody, c.at((*desk).showPerson))
	c.site.Handle(c.API, "POST /people/{subject}/acts", everybody, c.at((*desk).postAct))
	c.site.Handle(c.API, "POST /people/{subject}/counter", everybody, c.at((*desk).openCounter))
	c.site.Handle(c.API, "POST /people/{subject}/office", everybody, c.at((*desk).openOffice))
	c.faultPages()
	c.site.Handle(c.API, "GET /acts/{id}", everybody, c.at((*desk).showAct))
	c.site.Handle(c.API, "GET /acts/{id}/rev", everybody, c.at((*desk).followAct))
	c.facePages()
	if c.desk != nil {
		c.Go("acts", c.desk.acting.run)
	}
}

// row is one resident of the list.
type peopleRow struct {
	town.Resident
	Kana, Romaji string
	Town         people.Municipality
	HasCard      bool
	Alive        map[string]string // by kind: good, revoked, expired or "" for none
}

// peopleList is the page of the list.
type peopleList struct {
	Rows                []peopleRow
	Query               string
	Town                string
	Cards               bool
	Towns               []people.Municipality
	Found, Page, Pages  int
	Previous, Following string
}

const peopleOnPage = 25

func (d *desk) listPeople(w http.ResponseWriter, r *http.Request) error {
	all, err := d.register(r.Context())
	if err != nil {
		return err
	}
	q := r.URL.Query()
	l := peopleList{Query: strings.TrimSpace(q.Get("q")), Town: q.Get("town"), Cards: q.Get("card") != "", Towns: d.sample.Municipalities, Page: 1}
	holders, err := d.cardHolders(r)
	if err != nil {
		return err
	}
	var rows []peopleRow
	for _, p := range all {
		s := d.sampleOf(p.Subject)
		m, _ := d.townOf(p.Municipality)
		row := peopleRow{Resident: p, Kana: s.Kana, Romaji: s.Romaji, Town: m, HasCard: p.Card != "" || holders[p.Subject]}
		if (l.Town == "" || string(p.Municipality) == l.Town) && (!l.Cards || row.HasCard) && row.matches(l.Query) {
			rows = append(rows, row)
		}
	}
	l.Found, l.Pages = len(rows), max(1, (len(rows)+peopleOnPage-1)/peopleOnPage)
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		l.Page = min(max(n, 1), l.Pages)
	}
	l.Rows = rows[(l.Page-1)*peopleOnPage : min(l.Page*peopleOnPage, len(rows))]
	if err := d.standings(r, l.Rows); err != nil {
		return err
	}
	link := func(page int) string {
		q.Set("page", strconv.Itoa(page))
		return "/people?" + q.Encode()
	}
	if l.Page > 1 {
		l.Previous = link(l.Page - 1)
	}
	if l.Page < l.Pages {
		l.Following = link(l.Page + 1)
	}
	d.site.Page(w, r, http.StatusOK, "people", l)
	return nil
}

// cardHolders tells who was ever handed a card by any municipality.
func (d *desk) cardHolders(r *http.Request) (map[jitsuin.ID]bool, error) {
	issued, err := d.allCases(r.Context())
	holders := map[jitsuin.ID]bool{}
	for _, c := range issued {
		if c.State == town.Done {
			holders[c.Subject] = true
		}
	}
	return holders, err
}

// standings asks for the certificates of those on one page of the list.
func (d *desk) standings(r *http.Request, rows []peopleRow) error {
	var asked sync.WaitGroup
	errs := make([]error, len(rows))
	for i := range rows {
		if !rows[i].HasCard {
			continue
		}
		asked.Go(func() {
			p, err := d.person(r.Context(), rows[i].Subject)
			if errs[i] = err; err != nil {
				return
			}
			rows[i].Alive = map[string]string{}
			for _, kind := range jitsuin.CertKinds {
				if c := p.newest(kind); c != nil {
					rows[i].Alive[string(kind)] = c.Status.State
				}
			}
		})
	}
	asked.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// matches tells whether a row is what was searched for, in any of the ways to write a name.
func (p peopleRow) matches(q string) bool {
	if q == "" {
		return true
	}
	plain := strings.NewReplacer("　", "", " ", "")
	for _, text := range []string{p.Items.Name, p.Kana, p.Romaji, p.Items.Address} {
		if strings.Contains(strings.ToLower(plain.Replace(text)), strings.ToLower(plain.Replace(q))) {
			return true
		}
	}
	return false
}

// offer is an act on a person's page: it can be pressed, or says why not.
type offer struct {
	Kind actKind
	Why  string // a word below console.why., "" where it can be pressed
	Note string // a word below console.note., "" for none
}

// personPage is the page of one resident.
type personPage struct {
	*person
	Town      people.Municipality
	Elsewhere []people.Municipality // where the person can move to
	Household []householder
	Offers    []offer
	Acts      []*actFile
	Running   *actFile
	Refused   string             // why an act that was asked for is not possible: a word below console.why.
	Firm      string             // origin of the securities firm
	Holder    string             // origin of the resident's holder
	Office    []officeRole       // for which the platform may take them; none for who has no card
	Shown     []town.NumberShown // who had My Number shown
	Purposes  []face.Purpose
	Fault     *cardFault // nil where none can be set
}

// Self is the person alone, for templates that show one.
func (p personPage) Self() *person { return p.person }

// SignPassword and AuthPIN are what all sample residents type; they are no secret.
func (personPage) SignPassword() string { return country.SignPassword.Reveal() }
func (personPage) AuthPIN() string      { return country.AuthPIN.Reveal() }

type householder struct {
	ID   jitsuin.ID
	Name string
	Self bool
}

func (d *desk) showPerson(w http.ResponseWriter, r *http.Request) error {
	subject, err := jitsuin.ParseID(r.PathValue("subject"))
	if err != nil {
		return err
	}
	page, err := d.personPage(r, subject)
	if err != nil {
		return err
	}
	d.site.Page(w, r, http.StatusOK, "person", page)
	return nil
}

func (d *desk) personPage(r *http.Request, subject jitsuin.ID) (*personPage, error) {
	p, err := d.person(r.Context(), subject)
	if err != nil {
		return nil, err
	}
	page := &personPage{person: p}
	page.Town, _ = d.townOf(p.Municipality)
	for _, m := range d.sample.Municipalities {
		if m.Code != p.Municipality {
			page.Elsewhere = append(page.Elsewhere, m)
		}
	}
	if page.Acts, err = d.actsOf(r.Context(), subject); err != nil {
		return nil, err
	}
	for _, a := range page.Acts {
		if a.Running() {
			page.Running = a
		}
	}
	for _, k := range actKinds {
		o := offer{Kind: k, Why: d.hinders(k, p, page.Acts)}
		if c := p.newest(jitsuin.SignCert); k == actSign && o.Why == "" && c != nil && c.Status.Dead() {
			o.Note = "sign-dead"
		}
		page.Offers = append(page.Offers, o)
	}
	if page.Shown, err = d.numbersShown(r.Context(), p); err != nil {
		return nil, err
	}
	page.Purposes = face.Purposes
	page.Household, err = d.household(r, p)
	if p.Card != nil {
		page.Fault = d.faultOf(r.Context(), p.Card.ID)
	}
	page.Firm, page.Holder = d.originOf(country.Securities), d.originOf("holder:1")
	if p.Card != nil && d.originOf(country.Platform) != "" {
		page.Office = d.officeChoice()
	}
	return page, err
}

// originOf gives where an actor is reached, "" where this country has none of it.
func (d *desk) originOf(id string) string {
	i, err := d.Directory.Lookup(id)
	if err != nil {
		return ""
	}
	return i.Origin
}

// household lists those who live with a person on the same register.
func (d *desk) household(r *http.Request, p *person) (all []householder, err error) {
	if p.Resident.Household == "" || p.State != jitsuin.Present {
		return nil, nil
	}
	found, err := d.counters[p.Municipality].Search(r.Context(), town.Query{Limit: mostResidents})
	for _, o := range found {
		if o.Household == p.Resident.Household {
			all = append(all, householder{o.Subject, o.Items.Name, o.Subject == p.Subject})
		}
	}
	return all, err
}

// openCounter leads the browser to the resident's page at their municipality's counter, signed in as a clerk by a
// ticket that is good once.
func (d *desk) openCounter(w http.ResponseWriter, r *http.Request) error {
	subject, err := jitsuin.ParseID(r.PathValue("subject"))
	if err != nil {
		return err
	}
	p, err := d.person(r.Context(), subject)
	if err != nil {
		return err
	}
	t, err := d.counters[p.Municipality].Ticket(r.Context(), clerk)
	if err != nil {
		return err
	}
	http.Redirect(w, r, d.originOf(country.Town(p.Municipality))+t.Link("/counter/residents/"+string(subject)), http.StatusSeeOther)
	return nil
}

// formOrigins are where the console's forms may lead: to the counters, and to the platform's office.
func (c *Console) formOrigins() (all []string) {
	for _, i := range append(c.Directory.Role("municipality"), c.Directory.Role("platform")...) {
		all = append(all, i.Origin)
	}
	return all
}
