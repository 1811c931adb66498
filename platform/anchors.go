package platform

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
)

const maxAnchor = 64 << 10

// trusted gives the CA certificates, Unavailable while there are none yet.
func (p *Platform) trusted() ([]*x509.Certificate, error) {
	if list := p.anchors.Load(); list != nil {
		return *list, nil
	}
	return nil, jitsuin.Errorf(jitsuin.Unavailable, "anchors-missing", "the CA certificates of J-LIS are not here yet")
}

// loadAnchors takes the configured CA certificates, or those pinned before.
func (p *Platform) loadAnchors(ctx context.Context) error {
	var ders [][]byte
	for _, path := range p.cfg.Anchors {
		der, err := os.ReadFile(path)
		if err != nil {
			return jitsuin.Errorf(jitsuin.Invalid, "anchor-read", "CA certificate: %w", err).At("anchors")
		}
		ders = append(ders, der)
	}
	if len(ders) == 0 {
		err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
			ders, err = store.Collect(func(s store.Scanner) (der []byte, err error) { return der, s.Scan(&der) })(
				tx.Query(`SELECT der FROM anchors ORDER BY sha256`))
			return err
		})
		if err != nil {
			return err
		}
	}
	return p.trust(ders)
}

// trust parses and takes CA certificates; none changes nothing.
func (p *Platform) trust(ders [][]byte) error {
	var list []*x509.Certificate
	for _, der := range ders {
		c, err := parseAnchor(der)
		if err != nil {
			return err
		}
		list = append(list, c)
	}
	if len(list) > 0 {
		p.anchors.Store(&list)
	}
	return nil
}

func parseAnchor(der []byte) (*x509.Certificate, error) {
	c, err := cert.Parse(der)
	if err != nil {
		return nil, err
	}
	if !c.IsCA || c.CheckSignatureFrom(c) != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "anchor-form", "not a self-signed certificate of a certification authority")
	}
	return c, nil
}

// fetchAnchors gets the CA certificates from J-LIS where none are configured or pinned, and pins
// them: what J-LIS offers later under these names changes nothing.
func (p *Platform) fetchAnchors(ctx context.Context) error {
	for p.anchors.Load() == nil {
		err := p.pinAnchors(ctx)
		if err == nil {
			break
		}
		p.Log.WarnContext(ctx, "the CA certificates of J-LIS cannot be fetched yet", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(notifyRetry):
		}
	}
	<-ctx.Done()
	return nil
}

func (p *Platform) pinAnchors(ctx context.Context) error {
	var ders [][]byte
	for _, path := range p.cfg.Authorities {
		der, err := p.fetchAnchor(ctx, p.cfg.JLIS, path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if _, err := parseAnchor(der); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		ders = append(ders, der)
	}
	now := time.Now()
	err := p.DB.Update(ctx, func(tx *store.Tx) error {
		for _, der := range ders {
			sum := sha256.Sum256(der)
			if _, err := tx.Exec(`INSERT INTO anchors (sha256, der, pinned_at) VALUES ($1, $2, $3) ON CONFLICT (sha256) DO NOTHING`,
				hex.EncodeToString(sum[:]), der, store.Micros(now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.trust(ders)
}

// timePath is where a time-stamping authority shows its root.
const timePath = "/certificates/root.cer"

// fetchTimeAnchor gets the root of the time-stamping authority that the configuration names. Until it is
// there, and where none is named, documents with time-stamps are judged without them.
func (p *Platform) fetchTimeAnchor(ctx context.Context) error {
	for p.cfg.TSA != "" {
		der, err := p.fetchAnchor(ctx, p.cfg.TSA, timePath)
		if err == nil {
			var root *x509.Certificate
			if root, err = parseAnchor(der); err == nil {
				p.times.Store(&[]*x509.Certificate{root})
				break
			}
		}
		p.Log.DebugContext(ctx, "the root of the time-stamping authority cannot be fetched yet", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(notifyRetry):
		}
	}
	<-ctx.Done()
	return nil
}

// timeAnchors are who is trusted for the time in time-stamps. They are none in the beginning, and never nil: the
// authorities of certificates are not trusted for time.
func (p *Platform) timeAnchors() []*x509.Certificate {
	if known := p.times.Load(); known != nil {
		return *known
	}
	return []*x509.Certificate{}
}

// fetchAnchor gets a certificate from another actor.
func (p *Platform) fetchAnchor(ctx context.Context, from, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://callee"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := p.Remote(from).HTTPClient().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "anchors-missing", "%s answered %s", from, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxAnchor))
}
