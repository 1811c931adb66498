package signtest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// JPKI is a small sandbox: both authorities and one invented resident, with real profiles.
type JPKI struct {
	SignCA, AuthCA   Identity
	Sign, Auth, P384 Identity // Sign and P384 are signature certificates
}

// Hanako is the invented resident.
var Hanako = jitsuin.FourItems{Name: "実印　花子", Address: "見本県見本市一丁目１番１号",
	BirthDate: jitsuin.Date{Year: 1990, Month: time.February, Day: 17}, Sex: jitsuin.Female}

// NewJPKI gives the sandbox of this test binary, made once.
func NewJPKI(t testing.TB) *JPKI {
	t.Helper()
	j, err := sharedJPKI()
	if err != nil {
		t.Fatal(err)
	}
	return j
}

var sharedJPKI = sync.OnceValues(func() (*JPKI, error) {
	p, err := shared()
	if err != nil {
		return nil, err
	}
	j := &JPKI{}
	for _, one := range []struct {
		to      *Identity
		profile cert.Profile
		kind    jitsuin.CertKind
		issuer  *Identity
		key     crypto.Signer
	}{
		{&j.SignCA, cert.ProfileCA, jitsuin.SignCert, nil, p.Root.Key},
		{&j.AuthCA, cert.ProfileCA, jitsuin.AuthCert, nil, p.Other.Key},
		{&j.Sign, cert.ProfileSign, jitsuin.SignCert, &j.SignCA, p.RSA.Key},
		{&j.Auth, cert.ProfileAuth, jitsuin.AuthCert, &j.AuthCA, p.RSA.Key},
		{&j.P384, cert.ProfileSign, jitsuin.SignCert, &j.SignCA, p.P384.Key},
	} {
		c, err := profiled(one.profile, one.kind, one.issuer, one.key, 0)
		if err != nil {
			return nil, err
		}
		*one.to = Identity{c, one.key}
	}
	return j, nil
})

// Issue makes another certificate of a resident below ca, with a validity moved by years.
func (j *JPKI) Issue(t testing.TB, kind jitsuin.CertKind, ca Identity, key crypto.Signer, years int) *x509.Certificate {
	t.Helper()
	profile := cert.ProfileSign
	if kind == jitsuin.AuthCert {
		profile = cert.ProfileAuth
	}
	c, err := profiled(profile, kind, &ca, key, years)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func profiled(profile cert.Profile, kind jitsuin.CertKind, issuer *Identity, key crypto.Signer, years int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	t := cert.Template{Profile: profile, Realm: cert.Sandbox(), Kind: kind, Serial: serial, Key: key.Public(),
		NotBefore: Now.AddDate(years-1, 0, 0).Truncate(time.Second), LastDay: jitsuin.DateOf(Now.AddDate(years+3, 0, 0)),
		CommonName: "91201EXAMPLE0001", Place: cert.Place{Prefecture: "Mihon-ken", Municipality: "Mihon-shi"}}
	signer := key
	switch profile {
	case cert.ProfileCA:
		t.NotBefore, t.LastDay = Now.AddDate(-9, 0, 0), jitsuin.DateOf(Now.AddDate(9, 0, 0))
	case cert.ProfileSign:
		t.Items = cert.PlainItems(Hanako)
	}
	if issuer != nil {
		t.Issuer, signer = issuer.Certificate, issuer.Key
	}
	tbs, err := t.TBS()
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs) // every authority here has an RSA key
	value, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	der, err := cert.Assemble(tbs, value)
	if err != nil {
		return nil, err
	}
	return cert.Parse(der)
}

// Status is a Revocation that answers Status to every question, or what Of says of a certificate.
type Status struct {
	Answer cert.Status
	Of     map[string]cert.Status // by serial number, hexadecimal
	Err    error
}

// Status implements cert.Revocation.
func (s Status) Status(_ context.Context, c, _ *x509.Certificate, _ time.Time) (cert.Status, error) {
	if st, ok := s.Of[c.SerialNumber.Text(16)]; ok {
		return st, s.Err
	}
	return s.Answer, s.Err
}

// Good is an answer that is fresh at Now.
func Good() Status {
	return Status{Answer: cert.Status{State: cert.Good, Source: cert.SourceOCSP,
		ThisUpdate: Now.Add(-5 * time.Minute), NextUpdate: Now.Add(10 * time.Minute)}}
}
