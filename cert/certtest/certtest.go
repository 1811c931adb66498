// Package certtest makes throwaway authorities, residents and responders for tests of what uses
// certificates. Everything is in the sandbox realm; no key or name is anybody's.
package certtest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// Now is the instant at which the authorities of this package are in the middle of their lives.
var Now = time.Date(2026, 6, 1, 9, 0, 0, 0, jitsuin.JST)

// Town is an invented place.
var Town = cert.Place{Prefecture: "Kasumi-ken", Municipality: "Asagiri-shi"}

// keys holds RSA keys by number, because making one is slow.
var keys sync.Map

// Key gives the n-th shared key of a suite; the same n is the same key within one test binary.
func Key(t testing.TB, suite cert.Suite, n int) crypto.Signer {
	t.Helper()
	name := fmt.Sprint(suite, n)
	if k, ok := keys.Load(name); ok {
		return k.(crypto.Signer)
	}
	var k crypto.Signer
	var err error
	if suite == cert.P384SHA384 {
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	} else {
		k, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	k2, _ := keys.LoadOrStore(name, k)
	return k2.(crypto.Signer)
}

// Authority is a CA with its key.
type Authority struct {
	Cert  *x509.Certificate
	Key   crypto.Signer
	Kind  jitsuin.CertKind
	Suite cert.Suite
}

// NewAuthority makes the CA of a kind with the n-th key: authorities that differ in n are generations that share a name.
func NewAuthority(t testing.TB, kind jitsuin.CertKind, suite cert.Suite, n int) *Authority {
	t.Helper()
	a := &Authority{Key: Key(t, suite, 1000+n), Kind: kind, Suite: suite}
	a.Cert = a.Issue(t, &cert.Template{Profile: cert.ProfileCA, Kind: kind, Serial: big.NewInt(int64(n + 1)), Key: a.Key.Public(),
		NotBefore: Now.AddDate(-5, 0, 0), LastDay: jitsuin.DateOf(Now.AddDate(6, 0, 0))})
	return a
}

// SignTBS signs whole to-be-signed octets with key, by its suite.
func SignTBS(key crypto.Signer, tbs []byte) ([]byte, error) {
	suite, err := cert.SuiteOf(key.Public())
	if err != nil {
		return nil, err
	}
	h := suite.Hash().New()
	h.Write(tbs)
	return key.Sign(rand.Reader, h.Sum(nil), suite.Hash())
}

// Sign is a cert.SignFunc with the authority's key.
func (a *Authority) Sign(_ context.Context, tbs []byte) ([]byte, error) { return SignTBS(a.Key, tbs) }

// Issue builds, signs and parses a certificate. The sandbox realm is filled in.
func (a *Authority) Issue(t testing.TB, tmpl *cert.Template) *x509.Certificate {
	t.Helper()
	if tmpl.Realm.Organization == "" {
		tmpl.Realm = cert.Sandbox()
	}
	tbs, err := tmpl.TBS()
	if err != nil {
		t.Fatal(err)
	}
	return a.Assemble(t, tbs)
}

// Assemble signs any to-be-signed certificate, also one that no template would make, and parses it.
func (a *Authority) Assemble(t testing.TB, tbs []byte) *x509.Certificate {
	t.Helper()
	sig, err := SignTBS(a.Key, tbs)
	if err != nil {
		t.Fatal(err)
	}
	der, err := cert.Assemble(tbs, sig)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Resident is the template of a certificate of the authority's kind for an invented person, valid around Now.
func (a *Authority) Resident(t testing.TB, serial *big.Int) *cert.Template {
	t.Helper()
	tmpl := &cert.Template{Profile: cert.ProfileAuth, Issuer: a.Cert, Serial: serial, Key: Key(t, a.Suite, 1).Public(),
		NotBefore: Now.AddDate(0, -1, 0), LastDay: jitsuin.DateOf(Now.AddDate(4, 0, 0)), CommonName: "0A1B2C3D4E91201003A", Place: Town}
	if a.Kind == jitsuin.SignCert {
		tmpl.Profile = cert.ProfileSign
		tmpl.Items = cert.PlainItems(jitsuin.FourItems{Name: "霧島　花子", Address: "霞県朝霧市大字見本１丁目２番３号",
			BirthDate: jitsuin.Date{Year: 1980, Month: time.February, Day: 17}, Sex: jitsuin.Female})
	}
	return tmpl
}

// Responder is the template of a delegated OCSP responder of the authority with the n-th key.
func (a *Authority) Responder(t testing.TB, n int) (*cert.Template, crypto.Signer) {
	t.Helper()
	key := Key(t, a.Suite, 2000+n)
	return &cert.Template{Profile: cert.ProfileResponder, Issuer: a.Cert, Serial: big.NewInt(int64(900 + n)), Key: key.Public(),
		NotBefore: Now.AddDate(0, -1, 0), LastDay: jitsuin.DateOf(Now.AddDate(1, 0, 0)), CommonName: fmt.Sprintf("OCSP Responder %d", n)}, key
}
