package status

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// Files answers from revocation lists and OCSP responses at hand, such as files named on a command
// line or evidence kept with a document. It is a cert.Revocation.
type Files struct {
	Clock        func() time.Time    // when they are read; nil: the instant asked about
	Anchors      []*x509.Certificate // CAs whose other key generations may sign a list for the same name
	Certificates []*x509.Certificate // where signers of lists are looked for that are not in the path; none is trusted by being here
	MaxAge       time.Duration       // if positive, nothing older is believed
	Algorithms   cert.Algorithms
	Strict       bool // as in cert.PathOptions

	crls  []*cert.CRL
	ocsps []*cert.OCSPResponse
}

// AddCRL takes a revocation list, DER or PEM. The error is of kind Invalid.
func (f *Files) AddCRL(b []byte) error {
	c, err := cert.ParseCRL(unwrapPEM(b, "X509 CRL"))
	if err != nil {
		return err
	}
	f.crls = append(f.crls, c)
	return nil
}

// AddOCSP takes an OCSP response in DER. The error is of kind Invalid, or Unavailable for a response that is itself an error.
func (f *Files) AddOCSP(der []byte) error {
	r, err := cert.ParseOCSPResponse(der)
	if err != nil {
		return err
	}
	f.ocsps = append(f.ocsps, r)
	return nil
}

func unwrapPEM(b []byte, label string) []byte {
	if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("-----BEGIN")) {
		return b
	}
	if block, _ := pem.Decode(b); block != nil && block.Type == label {
		return block.Bytes
	}
	return b
}

// Status implements cert.Revocation, for a path of which no more is known.
func (f *Files) Status(ctx context.Context, leaf, issuer *x509.Certificate, at time.Time) (cert.Status, error) {
	return f.StatusInPath(ctx, []*x509.Certificate{leaf, issuer}, 0, at)
}

// StatusInPath implements cert.PathRevocation. Of several usable answers a revocation for good wins, then the newest. With
// none, the answer is Unknown and says why the best one could not be used. A responder that the lists call
// revoked answers for nobody.
func (f *Files) StatusInPath(ctx context.Context, chain []*x509.Certificate, i int, at time.Time) (cert.Status, error) {
	times := cert.Times{At: at, Now: at, Skew: clockSkew, MaxAge: f.MaxAge}
	if f.Clock != nil {
		times.Now = f.Clock()
	}
	lists := &cert.Lists{CRLs: f.crls, Certificates: f.Certificates, Generations: f.Anchors, Algorithms: f.Algorithms, Strict: f.Strict}
	check := cert.OCSPCheck{Times: times, Algorithms: f.Algorithms}
	if len(f.crls) > 0 {
		check.Responder = func(c *x509.Certificate) cert.Status {
			return lists.StatusInPath(ctx, append([]*x509.Certificate{c}, chain[i+1:]...), 0, times)
		}
	}
	best := unknown(cert.SourceNone, "there is neither a revocation list nor an OCSP response for the certificate")
	for _, r := range f.ocsps {
		best = better(best, r.Status(chain[i], chain[i+1], check))
	}
	if len(f.crls) > 0 {
		best = better(best, lists.StatusInPath(ctx, chain, i, times))
	}
	return best, nil
}

// better chooses between two answers about one certificate.
func better(a, b cert.Status) cert.Status {
	switch {
	case forGood(a) != forGood(b):
		if forGood(a) {
			return a
		}
		return b
	case (a.State == cert.Unknown) != (b.State == cert.Unknown):
		if a.State == cert.Unknown {
			return b
		}
		return a
	case a.State == cert.Revoked && b.State == cert.Good && a.ThisUpdate.Equal(b.ThisUpdate):
		return a // equally new, and one of them suspends
	case a.Source == cert.SourceNone || b.Stale && !a.Stale, !b.ThisUpdate.Before(a.ThisUpdate) && b.Stale == a.Stale:
		return b
	}
	return a
}

func forGood(st cert.Status) bool {
	return st.State == cert.Revoked && st.Reason != jitsuin.ReasonCertificateHold
}
