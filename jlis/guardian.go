package jlis

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
)

type guardianOut struct{ Body api.Guardian }

func (a *Agency) guardianRoute() {
	httpapi.Register(a.API, httpapi.Operation{ID: "guardian-check", Method: http.MethodPost, Path: "/guardian-checks",
		Summary:     "Does a legal representative (法定代理人) act today for the holder of a certificate?",
		Description: "By the register's date of birth and the civil day: yes for somebody under 15. The date is not told. It changes nothing; a serial number has no place in a URL. Error: certificate-unknown.",
		Policy:      a.verifiers()}, a.guardianCheck)
}

// guardianCheck tells one bit, and never the date of birth: an authentication certificate carries none.
func (a *Agency) guardianCheck(ctx context.Context, in *linksIn) (*guardianOut, error) {
	serial, err := parseSerial(in.Body.Serial)
	if err != nil {
		return nil, err
	}
	out := &guardianOut{}
	today := jitsuin.DateOf(a.Clock.Now())
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		r, err := bySerial(tx, in.Body.Kind, serial)
		if err != nil {
			return err
		}
		p, known, err := findPerson(tx, r.Subject)
		if err == nil && !known {
			err = jitsuin.Errorf(jitsuin.NotFound, "certificate-unknown", "no certificate with this serial number was issued")
		}
		out.Body.Acts = err == nil && rules.GuardianActs(p.Items.BirthDate, today)
		return err
	})
	return out, err
}
