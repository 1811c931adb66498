package console

import (
	"context"
	"net/http"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/country/people"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// certificatePages registers the certificates that were issued.
func (c *Console) certificatePages() {
	c.site.Handle(c.API, "GET /certificates", everybody, c.at((*desk).listCertificates))
	c.site.Handle(c.API, "GET /certificates/{id}", everybody, c.at((*desk).showCertificate))
	c.site.Handle(c.API, "GET /certificates/{id}/{file}", everybody, c.at((*desk).downloadCertificate))
}

// issued is a certificate that some municipality has delivered, and whose it is.
type issued struct {
	*Drawn
	Subject jitsuin.ID
	Town    people.Municipality
	told    town.Certificate
}

// allCases lists the cases of every municipality.
func (d *desk) allCases(ctx context.Context) (all []caseAt, err error) {
	found, err := everyTown(ctx, d, func(ctx context.Context, _ jitsuin.MunicipalityCode, c town.Client) ([]town.Application, error) {
		return c.Applications(ctx)
	})
	for code, cases := range found {
		for _, c := range cases {
			all = append(all, caseAt{code, c})
		}
	}
	return all, err
}

// allIssued draws every certificate, the newest first, without asking for their standing.
func (d *desk) allIssued(ctx context.Context) ([]issued, error) {
	cases, err := d.allCases(ctx)
	if err != nil {
		return nil, err
	}
	var all []issued
	for _, c := range cases {
		m, _ := d.townOf(c.Town)
		for _, told := range c.Certificates {
			drawn, err := Draw(told.Certificate)
			if err != nil {
				return nil, err
			}
			drawn.Link = "/certificates/" + drawn.ID
			all = append(all, issued{drawn, c.Subject, m, told})
		}
	}
	slices.SortFunc(all, func(a, b issued) int {
		if c := b.NotBefore.Compare(a.NotBefore); c != 0 {
			return c
		}
		return slices.Compare([]byte(a.ID), []byte(b.ID))
	})
	return all, nil
}

func (d *desk) stand(ctx context.Context, i issued) (err error) {
	i.Status, err = d.authority.standing(ctx, i.told.Kind, i.told.Certificate, &i.told)
	return err
}

// certificateList is the page of the list.
type certificateList struct {
	Rows        []issued
	Kind, State string
	All         int
}

// mostCertificates is how many the list shows; the rest is found through the residents.
const mostCertificates = 200

func (d *desk) listCertificates(w http.ResponseWriter, r *http.Request) error {
	all, err := d.allIssued(r.Context())
	if err != nil {
		return err
	}
	l := certificateList{Kind: r.URL.Query().Get("kind"), State: r.URL.Query().Get("state"), All: len(all)}
	for _, i := range all {
		if l.Kind != "" && i.Kind != l.Kind || len(l.Rows) == mostCertificates {
			continue
		}
		if err := d.stand(r.Context(), i); err != nil {
			return err
		}
		if l.State == "" || (l.State == "alive") == i.Status.Alive() {
			l.Rows = append(l.Rows, i)
		}
	}
	d.site.Page(w, r, http.StatusOK, "certificates", l)
	return nil
}

// find gives the certificate with an id; NotFound where none was issued under it.
func (d *desk) find(r *http.Request) (issued, error) {
	all, err := d.allIssued(r.Context())
	if err != nil {
		return issued{}, err
	}
	for _, i := range all {
		if i.ID == r.PathValue("id") {
			return i, nil
		}
	}
	return issued{}, jitsuin.Errorf(jitsuin.NotFound, "certificate-unknown", "no certificate was issued under this id")
}

// certificatePage is the page of one certificate.
type certificatePage struct {
	issued
	Name string
	List *listed
}

func (d *desk) showCertificate(w http.ResponseWriter, r *http.Request) error {
	i, err := d.find(r)
	if err != nil {
		return err
	}
	if err := d.stand(r.Context(), i); err != nil {
		return err
	}
	leaf, err := cert.Parse(i.der)
	if err != nil {
		return err
	}
	page := certificatePage{issued: i}
	page.Drawn.Link = ""
	if page.List, err = d.authority.list(r.Context(), i.told.Kind, leaf); err != nil {
		return err
	}
	p, err := d.person(r.Context(), i.Subject)
	if err != nil {
		return err
	}
	page.Name = p.Items.Name
	d.site.Page(w, r, http.StatusOK, "certificate", page)
	return nil
}

// downloadCertificate gives the bytes: certificate.cer is DER, certificate.pem text.
func (d *desk) downloadCertificate(w http.ResponseWriter, r *http.Request) error {
	i, err := d.find(r)
	if err != nil {
		return err
	}
	content, kind := i.der, "application/pkix-cert"
	switch r.PathValue("file") {
	case "certificate.cer":
	case "certificate.pem":
		content, kind = i.PEM(), "application/x-pem-file"
	default:
		return jitsuin.Errorf(jitsuin.NotFound, "certificate-file", "a certificate is certificate.cer or certificate.pem")
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+i.Kind+"-"+r.PathValue("file")+`"`)
	w.Write(content)
	return nil
}
