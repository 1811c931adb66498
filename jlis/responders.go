package jlis

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/status"
)

// responder is the delegated OCSP responder of one CA key. Its own key lies with the status
// origin, not with the CA's signer: it signs at every verifier's asking.
type responder struct {
	authority *authority
	cert      *x509.Certificate
	key       crypto.Signer
}

const (
	responderDays  = 365 // validity of a responder's certificate, which itself is never checked
	responderRenew = 30  // days before its end at which the next one is made
)

// renewal is when the next certificate of a responder is made; ok is false where the CA ends first.
func (r responder) renewal() (due time.Time, ok bool) {
	last := jitsuin.DateOf(r.cert.NotAfter)
	return last.AddDays(-responderRenew).Start(), last.Before(r.authority.lastDay())
}

// openResponders gives every CA key that is still valid a responder with a certificate.
func (a *Agency) openResponders(ctx context.Context) error {
	if a.cfg.Status.Listen == "" {
		return nil
	}
	var all []responder
	now := a.Clock.Now()
	for _, u := range a.all {
		if now.After(u.cert.NotAfter) {
			continue
		}
		key, err := keyFile(filepath.Join(a.Config.State, "responder-"+u.name+".pem"), func() (crypto.Signer, error) {
			if suite, _ := cert.SuiteOf(u.cert.PublicKey); suite == cert.P384SHA384 {
				return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			}
			return rsa.GenerateKey(rand.Reader, 2048)
		})
		if err != nil {
			return fmt.Errorf("responder of %s: %w", u.name, err)
		}
		c, err := a.responderCertificate(ctx, u, key, now)
		if _, stopped := a.journal.get(); err != nil && stopped != nil {
			continue
		}
		if err != nil {
			return fmt.Errorf("responder of %s: %w", u.name, err)
		}
		all = append(all, responder{u, c, key})
	}
	a.responders.Store(&all)
	return nil
}

func (a *Agency) responderCertificate(ctx context.Context, u *authority, key crypto.Signer, now time.Time) (*x509.Certificate, error) {
	today := jitsuin.DateOf(now)
	o := own{kind: u.kind, authority: u.name, profile: cert.ProfileResponder, madeFor: "ocsp:" + u.name + ":" + today.String()}
	last, err := a.certificates(ctx, `WHERE authority = $1 AND profile = 'ocsp' AND state <> 'abandoned' ORDER BY not_after DESC LIMIT 1`, u.name)
	if err != nil {
		return nil, err
	}
	if len(last) > 0 && (last[0].lastDay().AddDays(-responderRenew).After(today) || !last[0].lastDay().Before(u.lastDay())) {
		o.madeFor = last[0].MadeFor
	}
	return a.ownCertificate(ctx, o, func(now time.Time) (*cert.Template, error) {
		until := minDate(today.AddDays(responderDays), u.lastDay())
		return &cert.Template{Profile: cert.ProfileResponder, Realm: a.realm, Issuer: u.cert, Key: key.Public(),
			NotBefore: now.Truncate(time.Second), LastDay: until, CommonName: "OCSP Responder " + u.name}, nil
	})
}

// renewResponders is the job that makes the next responder certificates in time.
func (a *Agency) renewResponders() clock.Job {
	return clock.Job{Name: "responder certificates", List: a.respondersDue,
		Next: func(context.Context) (first time.Time, ok bool, err error) {
			for _, r := range *a.responders.Load() {
				if due, more := r.renewal(); more && (!ok || due.Before(first)) {
					first, ok = due, true
				}
			}
			return first, ok, nil
		},
		Fire: func(ctx context.Context, _ time.Time) error {
			if err := a.openResponders(ctx); err != nil {
				return err
			}
			return a.node.serveFrom(*a.node.sets.Load())
		}}
}

// sign is the cert.SignFunc of the responder.
func (r responder) sign(_ context.Context, tbs []byte) ([]byte, error) {
	suite, err := cert.SuiteOf(r.key.Public())
	if err != nil {
		return nil, err
	}
	h := suite.Hash().New()
	h.Write(tbs)
	return r.key.Sign(rand.Reader, h.Sum(nil), suite.Hash())
}

func (r responder) statusAuthority(set *status.Set) status.Authority {
	return status.Authority{CA: r.authority.cert, Set: set, Responder: r.cert, Sign: r.sign}
}
