package jlis

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

// authority is one key of a CA with its certificate. Generations of a kind share their name, so
// whoever looks for an issuer looks by key.
type authority struct {
	kind       jitsuin.CertKind
	generation int
	name       string // of the key, such as sign-1
	cert       *x509.Certificate
}

func authorityName(kind jitsuin.CertKind, generation int) string {
	return string(kind) + "-" + strconv.Itoa(generation)
}

// keyID names the CA key in status events: its subject key identifier in hex.
func (u *authority) keyID() string { return hex.EncodeToString(u.cert.SubjectKeyId) }

func (u *authority) lastDay() jitsuin.Date { return jitsuin.DateOf(u.cert.NotAfter) }

// issuer gives the authority that issues certificates of a kind.
func (a *Agency) issuer(kind jitsuin.CertKind) (*authority, error) {
	if u := a.authority[kind]; u != nil {
		return u, nil
	}
	return nil, jitsuin.Errorf(jitsuin.Unavailable, "no-authority", "there is no CA certificate of the kind %s yet", kind)
}

// openAuthorities makes the CA certificates of the configured generation, once, and reads all.
func (a *Agency) openAuthorities(ctx context.Context) error {
	a.authority, a.all = map[jitsuin.CertKind]*authority{}, nil
	for _, kind := range jitsuin.CertKinds {
		name := authorityName(kind, a.cfg.Generation)
		_, err := a.ownCertificate(ctx, own{kind: kind, authority: name, madeFor: "ca:" + name, profile: cert.ProfileCA}, a.caTemplate(kind, name))
		if _, stopped := a.journal.get(); err != nil && stopped != nil {
			return nil // nothing is signed: what there is can be used all the same
		}
		if err != nil {
			return fmt.Errorf("CA certificate %s: %w", name, err)
		}
	}
	if err := a.readAuthorities(ctx); err != nil {
		return err
	}
	for _, u := range a.all {
		if err := a.publishCertificate(u); err != nil {
			return fmt.Errorf("CA certificate %s: %w", u.name, err)
		}
	}
	return nil
}

func (a *Agency) caTemplate(kind jitsuin.CertKind, name string) func(time.Time) (*cert.Template, error) {
	return func(now time.Time) (*cert.Template, error) {
		public, err := a.signer.Public(name)
		if err != nil {
			return nil, err
		}
		first := jitsuin.DateOf(now)
		last := jitsuin.Date{Year: first.Year + a.cfg.CAYears, Month: first.Month, Day: min(first.Day, 28)}.AddDays(-1)
		// Valid from the day's beginning: a certificate of the same second is inside.
		return &cert.Template{Profile: cert.ProfileCA, Realm: a.realm, Kind: kind, Key: public, NotBefore: first.Start(), LastDay: last}, nil
	}
}

func (a *Agency) readAuthorities(ctx context.Context) error {
	records, err := a.certificates(ctx, `WHERE profile = 'ca' AND state = 'issued' ORDER BY kind DESC, intended_at, authority`)
	if err != nil {
		return fmt.Errorf("read CA certificates: %w", err)
	}
	for _, r := range records {
		c, err := cert.Parse(r.DER)
		if err != nil {
			return fmt.Errorf("CA certificate %s: %w", r.Authority, err)
		}
		_, number, _ := strings.Cut(r.Authority, "-")
		generation, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("CA certificate %s: %w", r.Authority, err)
		}
		u := &authority{r.Kind, generation, r.Authority, c}
		a.all = append(a.all, u)
		if generation == a.cfg.Generation {
			a.authority[r.Kind] = u
		}
	}
	return nil
}

// publishCertificate puts a CA certificate beside the database, STATE/ca/sign-1.cer.
func (a *Agency) publishCertificate(u *authority) error {
	dir := filepath.Join(a.Config.State, "ca")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, u.name+".cer")
	if have, err := os.ReadFile(path); err == nil && string(have) == string(u.cert.Raw) {
		return nil
	}
	return writeDurably(path, u.cert.Raw, 0o644)
}

// own says what a certificate of the Agency itself is for.
type own struct {
	kind      jitsuin.CertKind
	authority string // the key that signs
	madeFor   string
	profile   cert.Profile
}

// ownCertificate gives a certificate of the Agency itself, and makes it where there is none: by the
// steps of issue.go, without an application.
func (a *Agency) ownCertificate(ctx context.Context, o own, template func(now time.Time) (*cert.Template, error)) (*x509.Certificate, error) {
	now := a.Clock.Now()
	t, err := template(now)
	if err != nil {
		return nil, err
	}
	var r record
	err = a.DB.Update(ctx, func(tx *store.Tx) (err error) {
		have, err := certificatesIn(tx, `WHERE made_for = $1 AND kind = $2 AND state <> 'abandoned'`, o.madeFor, string(o.kind))
		if err != nil {
			return err
		}
		if len(have) > 0 {
			r = have[0]
			return nil
		}
		r, err = a.intend(tx, o.kind, *t, record{Authority: o.authority, MadeFor: o.madeFor}, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	if r.State == stateIssued {
		return cert.Parse(r.DER)
	}
	return a.finishOwn(ctx, r)
}

func (a *Agency) finishOwn(ctx context.Context, r record) (*x509.Certificate, error) {
	sig, receipt, err := a.sign(ctx, r.Authority, signer.Certificate, r.TBS)
	if err != nil {
		return nil, err
	}
	if r.DER, err = cert.Assemble(r.TBS, sig); err != nil {
		return nil, err
	}
	// A CA certificate verifies only with its real signature, so this lint comes after signing;
	// nothing has left the house yet.
	if err := lint(r.DER, r.Profile); err != nil {
		return nil, err
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		if err := storeIssued(tx, r, receipt, a.Clock.Now()); err != nil {
			return err
		}
		return noteSignature(tx, receipt, string(r.Profile))
	})
	if err != nil {
		return nil, err
	}
	return cert.Parse(r.DER)
}

// signatureAlgorithm is how a key signs here.
func signatureAlgorithm(public crypto.PublicKey) x509.SignatureAlgorithm {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return x509.SHA256WithRSA
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize == 384 {
			return x509.ECDSAWithSHA384
		}
		return x509.ECDSAWithSHA256
	}
	return x509.UnknownSignatureAlgorithm
}
