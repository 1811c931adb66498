package platform

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/status"
)

// held is a certificate as it is remembered for later looks at its status: what a question about it needs, and no item of its holder.
type held struct {
	kind      jitsuin.CertKind
	serial    string // 32 hex digits
	issuer    string // key identifier of the CA, hex: generations share a name
	notBefore time.Time
	notAfter  time.Time
}

func heldOf(kind jitsuin.CertKind, leaf *x509.Certificate) held {
	return held{kind: kind, serial: linkOf(kind, leaf).Serial, issuer: hex.EncodeToString(leaf.AuthorityKeyId), notBefore: leaf.NotBefore, notAfter: leaf.NotAfter}
}

// putHeld remembers the certificate on which an accepted check rests; user is "" where none was named.
func putHeld(tx *store.Tx, tenant string, verification jitsuin.ID, user string, h held, now time.Time) error {
	_, err := tx.Exec(`INSERT INTO check_certificates (verification, tenant, user_id, kind, serial, issuer, not_before, not_after, checked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		verification, tenant, user, h.kind, h.serial, h.issuer, store.Micros(h.notBefore), store.Micros(h.notAfter), store.Micros(now))
	return err
}

// restsOn is a check with its certificate.
type restsOn struct {
	verification jitsuin.ID
	user         string
	held
}

const heldColumns = `verification, user_id, kind, serial, issuer, not_before, not_after`

func scanRestsOn(s store.Scanner) (r restsOn, err error) {
	var from, until int64
	err = s.Scan(&r.verification, &r.user, &r.kind, &r.serial, &r.issuer, &from, &until)
	r.notBefore, r.notAfter = store.Time(from), store.Time(until)
	return r, err
}

// newest gives the newest certificate of each kind by which a tenant has seen a user, the signature certificate first.
func newest(tx *store.Tx, tenant, user string) (all []restsOn, err error) {
	have, err := store.Collect(scanRestsOn)(tx.Query(`SELECT `+heldColumns+` FROM check_certificates WHERE tenant = $1 AND user_id = $2
		ORDER BY kind DESC, not_before DESC, checked_at DESC`, tenant, user))
	for _, r := range have {
		if len(all) == 0 || all[len(all)-1].kind != r.kind {
			all = append(all, r)
		}
	}
	return all, err
}

// standing is what is known of a certificate's status.
type standing struct {
	state   string // one of api.Status…
	since   time.Time
	reason  jitsuin.RevocationReason
	method  string
	updated time.Time
	why     string
}

// ask looks at the status of a certificate now, by OCSP or by the lists at hand. One that has expired is not asked about: it is not in
// force whatever was recorded of it, and the lists drop it.
func (p *Platform) ask(ctx context.Context, h held, method string) (standing, error) {
	now := p.Clock.Now()
	if now.After(h.notAfter) {
		return standing{state: "expired", since: h.notAfter, method: "none"}, nil
	}
	issuer, err := p.issuerOf(h)
	if err != nil {
		return standing{}, err
	}
	serial, _ := new(big.Int).SetString(h.serial, 16)
	leaf := &x509.Certificate{SerialNumber: serial, RawIssuer: issuer.RawSubject, AuthorityKeyId: issuer.SubjectKeyId, NotBefore: h.notBefore, NotAfter: h.notAfter}
	var source cert.Revocation = p.people.lists[h.kind]
	if method == ValidityOCSP {
		source = &status.OCSPClient{URL: "http://callee" + p.cfg.OCSPPath, HTTPClient: &http.Client{Transport: p.Remote(p.cfg.Status)},
			Timeout: statusTimeout, Clock: p.Clock.Now, Random: rand.Reader}
	}
	st, err := source.Status(ctx, leaf, issuer, now)
	if ctx.Err() != nil {
		return standing{}, ctx.Err()
	}
	p.count.asked(method, st, err)
	if err != nil {
		return standing{}, err
	}
	return standing{state: string(st.State), since: st.RevokedAt, reason: st.Reason, method: method, updated: st.ThisUpdate, why: st.Why}, nil
}

func (p *Platform) issuerOf(h held) (*x509.Certificate, error) {
	anchors, err := p.trusted()
	if err != nil {
		return nil, err
	}
	for _, a := range anchors {
		if hex.EncodeToString(a.SubjectKeyId) == h.issuer {
			return a, nil
		}
	}
	return nil, jitsuin.Errorf(jitsuin.Unavailable, "issuer-unknown", "the authority of the certificate is not among those that are trusted now")
}

// newHeldLists makes the caches of lists by which remembered certificates are looked at, one a kind. A list is fetched again after an hour: one
// fetch answers for everybody.
func (p *Platform) newHeldLists() map[jitsuin.CertKind]*status.CRLCache {
	all := map[jitsuin.CertKind]*status.CRLCache{}
	for _, kind := range jitsuin.CertKinds {
		all[kind] = &status.CRLCache{HTTPClient: p.Remote(p.cfg.Status).HTTPClient(), Timeout: statusTimeout, Clock: p.Clock.Now, Refresh: time.Hour,
			URL: func(leaf *x509.Certificate) string {
				return "http://callee" + strings.NewReplacer("{kind}", string(kind), "{issuer}", hex.EncodeToString(leaf.AuthorityKeyId)).Replace(p.cfg.CRLPath)
			}}
	}
	return all
}
