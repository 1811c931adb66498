package platform

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
)

// linkOf names a certificate as J-LIS does: kind and serial (発行番号), 32 hex digits.
func linkOf(kind jitsuin.CertKind, c *x509.Certificate) jlis.Link {
	if s, ok := cert.SerialOf(c.SerialNumber); ok {
		return jlis.Link{Kind: kind, Serial: s.String()}
	}
	return jlis.Link{Kind: kind, Serial: fmt.Sprintf("%x", c.SerialNumber)}
}

// linksTime bounds a question for links, with its repetitions.
const linksTime = 3 * time.Second

// linksOf gives what is needed to tell whose certificate own is: itself, where this tenant's user is
// known by it, else all certificates of its holder, from J-LIS. Where J-LIS does not answer, nobody
// is made up: the error is Unavailable.
func (p *Platform) linksOf(ctx context.Context, tenant string, own jlis.Link) ([]jlis.Link, error) {
	var known string
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) { known, err = userOf(tx, tenant, own); return err })
	if err != nil || known != "" {
		return []jlis.Link{own}, err
	}
	return p.askLinks(ctx, own)
}

// askLinks gives all certificates of a certificate's holder, from J-LIS; where it does not answer, the error is Unavailable.
// A kind that is not known here, such as one of a phone's certificates, is carried like the others: a user is then known by it.
func (p *Platform) askLinks(ctx context.Context, own jlis.Link) ([]jlis.Link, error) {
	asking, cancel := context.WithTimeout(ctx, linksTime)
	defer cancel()
	links, err := p.jlis.Links(asking, own)
	if err == nil && slices.ContainsFunc(links, func(l jlis.Link) bool { return l.Kind == "" || l.Serial == "" }) {
		err = jitsuin.Errorf(jitsuin.Invalid, "links-form", "a link names no certificate")
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		// The cause may name the serial number: neither the log nor the tenant is told it.
		p.Log.WarnContext(ctx, "the links of a certificate could not be had", "kind", jitsuin.KindOf(err).String(), "code", jitsuin.CodeOf(err))
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "links-unavailable", "it cannot be told now whose certificate this is").
			WithHint("try again later; no user was made")
	}
	if !slices.Contains(links, own) {
		links = append(links, own)
	}
	return links, nil
}

// userOf gives the tenant's user who is known by a certificate, "" for nobody.
func userOf(tx *store.Tx, tenant string, l jlis.Link) (id string, err error) {
	err = tx.QueryRow(`SELECT COALESCE(MAX(user_id), '') FROM user_certificates WHERE tenant = $1 AND kind = $2 AND serial = $3`,
		tenant, l.Kind, l.Serial).Scan(&id)
	return id, err
}

// errStranger says that no user is known by the links that were asked about.
var errStranger = errors.New("nobody is known by this certificate")

// assignUser gives the tenant's user who holds the certificates; fresh is the id of one who is seen
// for the first time. All of the holder's certificates are remembered, so the next one that is
// linked to any of them leads to the same user. Two checks of one person at a time conflict in the
// database, and the second sees the user of the first. Nobody is made up from links that are not whole: errStranger.
func assignUser(tx *store.Tx, tenant string, links []jlis.Link, whole bool, fresh jitsuin.ID, now time.Time) (api.User, error) {
	var known []string
	var unknown []jlis.Link
	for _, l := range links {
		id, err := userOf(tx, tenant, l)
		switch {
		case err != nil:
			return api.User{}, err
		case id == "":
			unknown = append(unknown, l)
		case !slices.Contains(known, id):
			known = append(known, id)
		}
	}
	if len(known) == 0 && !whole {
		return api.User{}, errStranger
	}
	user := api.User{New: len(known) == 0, ID: string(fresh)}
	switch {
	case len(known) > 1:
		return api.User{}, jitsuin.Errorf(jitsuin.Unavailable, "user-ambiguous", "the certificate is linked to more than one user").
			WithHint("the operator of the platform must look at this")
	case len(known) == 1:
		user.ID = known[0]
	default:
		persona, err := personaUser(tx, tenant, links)
		if err != nil {
			return api.User{}, err
		}
		if persona != "" {
			user.ID = string(persona)
		}
		if _, err := tx.Exec(`INSERT INTO users (tenant, id, first_seen) VALUES ($1, $2, $3)`, tenant, user.ID, store.Micros(now)); err != nil {
			return api.User{}, err
		}
	}
	for _, l := range unknown {
		if _, err := tx.Exec(`INSERT INTO user_certificates (tenant, kind, serial, user_id) VALUES ($1, $2, $3, $4)`,
			tenant, l.Kind, l.Serial, user.ID); err != nil {
			return api.User{}, err
		}
	}
	return user, nil
}
