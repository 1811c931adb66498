package platform

import (
	"context"
	"crypto/x509"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/platform/tlslogin"
	"github.com/jitsuin/jitsuin/signature"
)

// The platform's own pages: residents look at how it was used of them (/me), and whoever else logs in here with a card. Their
// logins are not logins of a tenant: the sector is the platform's own, so an id of it means nothing to any tenant.

// errandCookie ties what was begun at our origin to the browser that began it.
const errandCookie = "platform_errand"

// Outcomes of a login at our own origin.
const (
	ownWelcome     = "welcome" // Result is the person
	ownNotAccepted = "not-accepted"
)

// askHolder makes a request of our own, or on behalf of a tenant, whose answer comes to our origin.
func (p *Platform) askHolder(ctx context.Context, r errand.Request, state string) (errand.Made, error) {
	client := r.Client
	if client == nil {
		own, err := p.ownClient(ctx)
		if err != nil {
			return errand.Made{}, err
		}
		client = &own
	}
	claims, err := p.claimsOf(*client, api.HolderRequest{Act: r.Act, Purpose: r.Purpose, PurposeEN: r.PurposeEN, Origin: client.Origin,
		ResponseURI: p.errands.ResponseURI(), State: state, Documents: r.Documents, Items: r.Items})
	if err != nil {
		return errand.Made{}, err
	}
	claims.AnotherDevice = r.Elsewhere
	made, err := p.madeRequest(claims)
	if err != nil {
		return errand.Made{}, err
	}
	jws, err := api.SignRequest(claims, p.Self.Key)
	if err != nil {
		return errand.Made{}, err
	}
	return errand.Made{MadeRequest: made, JWS: jws, Challenge: claims.Challenge}, nil
}

// ownClient is the platform as the one who asks, by the name under which it is accredited.
func (p *Platform) ownClient(ctx context.Context) (api.RequestClient, error) {
	c := api.RequestClient{ID: p.Config.Instance, Origin: p.errands.Origin}
	a, _, err := p.accreditation(ctx)
	c.NameJA, c.NameEN = a.Name, a.Name
	return c, err
}

// decideOwnLogin judges the answer to a login at our own origin: welcome with the person's id in our own sector, or why not (outcomeWords). It is an
// errand.Handler's Decide for every page here that people log in at with their card; who the person is there, is the page's business.
func (p *Platform) decideOwnLogin(ctx context.Context, v errand.Visit, a api.HolderAnswer) (outcome, result string, err error) {
	if err := p.mayVerify(ctx); err != nil {
		return "", "", err
	}
	anchors, err := p.trusted()
	if err != nil {
		return "", "", err
	}
	leaf, err := cert.Parse(a.Certificate)
	if err != nil || v.Challenge == nil {
		return ownNotAccepted, "", nil
	}
	now := p.Clock.Now()
	answer := signature.Answer{Certificate: leaf, Signature: a.Signature, DigestAlg: a.DigestAlg}
	if answer.DigestAlg == "" {
		answer.DigestAlg = suiteDigest(leaf)
	}
	path, verr := v.Challenge.ToSign().Verify(ctx, answer, time.Now(), signature.Policy{Anchors: anchors, At: now, Revocation: p.newWitness(true), Kind: jitsuin.AuthCert})
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	if r := loginReport(path, leaf, now, verr); r.Verdict != signature.Passed {
		return ownRefusal(leaf, r), "", nil
	}
	return p.welcomeOwn(ctx, leaf, now)
}

// ownRefusal says why a certificate was not accepted by a holder's answer, in the words that logins by TLS have for it.
func ownRefusal(leaf *x509.Certificate, r *signature.Report) string {
	switch o := tlslogin.RefusalOf(leaf, r); o {
	case tlslogin.Revoked, tlslogin.Expired, tlslogin.Unsure:
		return o
	}
	return ownNotAccepted
}

// welcomeOwn gives the person of our own sector whose certificate was found in force at a time.
func (p *Platform) welcomeOwn(ctx context.Context, leaf *x509.Certificate, now time.Time) (outcome, result string, err error) {
	links, err := p.askLinks(ctx, linkOf(jitsuin.AuthCert, leaf))
	if err != nil {
		return "", "", err
	}
	fresh := jitsuin.NewID()
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		person, err := assignPerson(tx, links, fresh, now)
		result = string(person)
		return err
	})
	return ownWelcome, result, err
}

// ownPersons gives the persons of our own sector who are known by one of the certificates, and the certificates that are nobody's yet.
func ownPersons(tx *store.Tx, links []jlis.Link) (known []jitsuin.ID, unknown []jlis.Link, err error) {
	for _, l := range links {
		var id jitsuin.ID
		err := tx.QueryRow(`SELECT COALESCE(MAX(person), '') FROM person_certificates WHERE kind = $1 AND serial = $2`, l.Kind, l.Serial).Scan(&id)
		switch {
		case err != nil:
			return nil, nil, err
		case id == "":
			unknown = append(unknown, l)
		case !slices.Contains(known, id):
			known = append(known, id)
		}
	}
	if len(known) > 1 {
		return nil, nil, jitsuin.Errorf(jitsuin.Unavailable, "user-ambiguous", "the certificate is linked to more than one person").
			WithHint("the operator of the platform must look at this")
	}
	return known, unknown, nil
}

// assignPerson gives the person of our own sector who holds the certificates; fresh is the id of one who is seen for the first time.
// The certificates are remembered: what was done with older ones is the person's too.
func assignPerson(tx *store.Tx, links []jlis.Link, fresh jitsuin.ID, now time.Time) (person jitsuin.ID, err error) {
	known, unknown, err := ownPersons(tx, links)
	if err != nil {
		return "", err
	}
	if len(known) == 1 {
		person = known[0]
	} else {
		person = fresh
		if _, err := tx.Exec(`INSERT INTO persons (id, first_seen) VALUES ($1, $2)`, person, store.Micros(now)); err != nil {
			return "", err
		}
	}
	for _, l := range unknown {
		if _, err := tx.Exec(`INSERT INTO person_certificates (kind, serial, person) VALUES ($1, $2, $3)`, l.Kind, l.Serial, person); err != nil {
			return "", err
		}
	}
	return person, nil
}
