package platform

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin/internal/files"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// reportKeyFile is the key of a verifier that was given none, in the state folder.
const reportKeyFile = "report.pem"

// stampTimeout bounds one question to the time-stamping authority.
const stampTimeout = 5 * time.Second

// openSealer reads the key that signs PDF reports, or draws one. A report that was signed stays checkable as
// long as the root of its certificate is known, so the key is drawn once and kept.
func (p *Platform) openSealer() error {
	path := p.cfg.ReportKey
	if path == "" {
		path = filepath.Join(p.cfg.State, reportKeyFile)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			_, text, err := report.NewSealer(p.cfg.Instance, p.Clock.Now())
			if err != nil {
				return err
			}
			if err := files.Keep(path, text, 0o600); err != nil {
				return err
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if p.sealer, err = report.ReadSealer(text); err != nil {
		return err
	}
	if p.cfg.TSA != "" {
		client := p.Remote(p.cfg.TSA).HTTPClient()
		client.Timeout = stampTimeout
		p.sealer.Stamper = (&tsp.Client{URL: "http://callee/", HTTP: client}).Token
	}
	return nil
}

// serveSealer gives the certificate that whoever relies on PDF reports trusts: the root, or the signer's
// own where there is nothing above it.
func (p *Platform) serveSealer(w http.ResponseWriter, _ *http.Request) {
	c := p.sealer.Certificate
	if n := len(p.sealer.Others); n > 0 {
		c = p.sealer.Others[n-1]
	}
	w.Header().Set("Content-Type", "application/pkix-cert")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Write(c.Raw)
}

// serveSealerList gives the revocation list of that root.
func (p *Platform) serveSealerList(w http.ResponseWriter, r *http.Request) {
	if p.sealer.List == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Write(p.sealer.List)
}
