package status

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"golang.org/x/sync/singleflight"
)

// CRLCache answers from revocation lists that it fetches and keeps while they hold. It is a
// cert.Revocation. Fill the fields before its first use.
type CRLCache struct {
	URL        func(leaf *x509.Certificate) string // where the list of a certificate is; "" for nowhere
	HTTPClient *http.Client                        // nil: http.DefaultClient
	Timeout    time.Duration                       // 0: 10 seconds for a whole fetch
	MaxSize    int64                               // 0: 256 MiB
	Refresh    time.Duration                       // fetch again after this, though the list still holds; 0: only when it has ended
	Clock      func() time.Time                    // required: civil time
	Anchors    []*x509.Certificate                 // CAs whose other key generations may sign a list for the same name
	Algorithms cert.Algorithms

	group singleflight.Group
	mu    sync.RWMutex
	kept  map[string]keptList
}

// retryAfter is how long a failed fetch is not repeated, so that a dead service costs its users no time.
const retryAfter = 5 * time.Second

// keptList is a verified list.
type keptList struct {
	crl     *cert.CRL
	signer  *x509.Certificate
	fetched time.Time
	failed  time.Time // of the last fetch, if it failed, and why
	why     string
}

// Status implements cert.Revocation. A list that cannot be had, is not signed by the issuer's key (or by another
// generation among Anchors), is out of date or out of scope is Unknown. A list older than the one at hand is not believed.
func (c *CRLCache) Status(ctx context.Context, leaf, issuer *x509.Certificate, at time.Time) (cert.Status, error) {
	url := c.URL(leaf)
	if url == "" {
		return unknown(cert.SourceCRL, "no place is known where the certificate's revocation list is"), nil
	}
	now := c.Clock()
	k, why := c.list(ctx, url, issuer, at, now)
	if ctx.Err() != nil {
		return cert.Status{}, ctx.Err()
	}
	if k.crl == nil {
		return unknown(cert.SourceCRL, why), nil
	}
	if !mayAnswer(k.signer, issuer, c.Anchors, now) {
		return unknown(cert.SourceCRL, "the revocation list is signed by another authority"), nil
	}
	st := k.crl.Status(leaf, cert.Times{At: at, Now: now, Skew: clockSkew}, url)
	if st.State == cert.Unknown && why != "" {
		st.Why = why + "; " + st.Why
	}
	return st, nil
}

// mayAnswer tells whether a list that signer made may be believed for certificates of issuer.
func mayAnswer(signer, issuer *x509.Certificate, anchors []*x509.Certificate, now time.Time) bool {
	if signer.Equal(issuer) {
		return true
	}
	return slices.ContainsFunc(anchors, signer.Equal) && !now.After(signer.NotAfter)
}

// list gives the list kept for a place, fetched first if it is due. why tells what went wrong with fetching, also
// where an older list is still given.
func (c *CRLCache) list(ctx context.Context, url string, issuer *x509.Certificate, at, now time.Time) (k keptList, why string) {
	c.mu.RLock()
	k = c.kept[url]
	c.mu.RUnlock()
	ended := k.crl == nil || at.After(k.crl.NextUpdate) || now.After(k.crl.NextUpdate)
	if !ended && (c.Refresh <= 0 || now.Sub(k.fetched) < c.Refresh) {
		return k, ""
	}
	if since := now.Sub(k.failed); k.why != "" && since >= 0 && since < retryAfter {
		return k, k.why
	}
	// One fetch serves all who wait; it must not end with the first one's context.
	result := c.group.DoChan(url, func() (any, error) { return c.fetch(context.WithoutCancel(ctx), url, issuer, now) })
	select {
	case <-ctx.Done():
		return k, noAnswer
	case r := <-result:
		if r.Err != nil {
			return k, r.Err.Error()
		}
		return r.Val.(keptList), ""
	}
}

var errNoAnswer = errors.New(noAnswer)

// fetch keeps what load brings, or why it brought nothing.
func (c *CRLCache) fetch(ctx context.Context, url string, issuer *x509.Certificate, now time.Time) (keptList, error) {
	next, err := c.load(ctx, url, issuer, now)
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.kept[url]
	if err == nil && old.crl != nil && next.crl.ThisUpdate.Before(old.crl.ThisUpdate) {
		err = errors.New("the status service answers with an older revocation list than before")
	}
	if c.kept == nil {
		c.kept = map[string]keptList{}
	}
	if err != nil {
		old.failed, old.why = now, err.Error()
		c.kept[url] = old
		return keptList{}, err
	}
	c.kept[url] = next
	return next, nil
}

// load gets and verifies a list.
func (c *CRLCache) load(ctx context.Context, url string, issuer *x509.Certificate, now time.Time) (keptList, error) {
	limit := c.MaxSize
	if limit <= 0 {
		limit = 256 << 20
	}
	der, err := exchange(ctx, c.HTTPClient, c.Timeout, limit, func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	})
	if err != nil {
		return keptList{}, errNoAnswer
	}
	crl, err := cert.ParseCRL(der)
	if err != nil {
		return keptList{}, err
	}
	signer, err := verifyList(crl, issuer, c.Anchors, now, c.Algorithms)
	if err != nil {
		return keptList{}, err
	}
	crl.BuildIndex()
	return keptList{crl: crl, signer: signer, fetched: now}, nil
}

// verifyList finds the CA key that signed a list, the issuer's first. Another generation's must have been valid when
// the list was made and still be so: an old key does not answer for today.
func verifyList(crl *cert.CRL, issuer *x509.Certificate, anchors []*x509.Certificate, now time.Time, a cert.Algorithms) (*x509.Certificate, error) {
	first := crl.Verify(issuer, a)
	if first == nil {
		return issuer, nil
	}
	for _, ca := range anchors {
		outside := crl.ThisUpdate.Before(ca.NotBefore) || crl.ThisUpdate.After(ca.NotAfter) || now.After(ca.NotAfter)
		if !outside && cert.SameName(ca.RawSubject, issuer.RawSubject) && crl.Verify(ca, a) == nil {
			return ca, nil
		}
	}
	return nil, first
}
