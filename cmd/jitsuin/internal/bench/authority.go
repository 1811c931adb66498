package bench

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/status"
)

// invented is the person whose documents are verified.
var invented = jitsuin.FourItems{Name: "例川　花子", Address: "雲居県朝霧野市見本１丁目２番３号",
	BirthDate: jitsuin.Date{Year: 1990, Month: time.February, Day: 17}, Sex: jitsuin.Female}

// people is one authority with one resident and a revocation list that does not name her, all of them made
// for one run and thrown away.
type people struct {
	now       time.Time
	authority *x509.Certificate
	signer    signature.DocumentSigner
	list      []byte
}

// invent makes them.
func invent(ctx context.Context, now time.Time) (*people, error) {
	p := &people{now: now}
	ca, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	t := cert.Template{Profile: cert.ProfileCA, Realm: cert.Sandbox(), Kind: jitsuin.SignCert, NotBefore: now.Add(-time.Hour).Truncate(time.Second)}
	t.Key, t.LastDay = ca.Public(), jitsuin.DateOf(now.AddDate(10, 0, 0))
	if p.authority, err = issue(t, ca); err != nil {
		return nil, err
	}
	t.Profile, t.Issuer, t.Key, t.LastDay = cert.ProfileSign, p.authority, key.Public(), jitsuin.DateOf(now.AddDate(5, 0, 0))
	t.CommonName, t.Place, t.Items = "BENCH0001", cert.Place{Prefecture: "Kumoi-ken", Municipality: "Asagirino-shi"}, cert.PlainItems(invented)
	p.signer.Key = key
	if p.signer.Certificate, err = issue(t, ca); err != nil {
		return nil, err
	}
	list := cert.CRLTemplate{Issuer: p.authority, Number: 1, ThisUpdate: now.Add(-time.Minute).Truncate(time.Second), NextUpdate: now.Add(24 * time.Hour).Truncate(time.Second)}
	p.list, err = list.Build(ctx, slices.Values([]cert.CRLEntry{}), func(_ context.Context, tbs []byte) ([]byte, error) { return sign(ca, tbs) })
	return p, err
}

func sign(key *rsa.PrivateKey, tbs []byte) ([]byte, error) {
	h := crypto.SHA256.New()
	h.Write(tbs)
	return key.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
}

func issue(t cert.Template, ca *rsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	t.Serial = serial.Add(serial, big.NewInt(1))
	tbs, err := t.TBS()
	if err != nil {
		return nil, err
	}
	value, err := sign(ca, tbs)
	if err != nil {
		return nil, err
	}
	der, err := cert.Assemble(tbs, value)
	if err != nil {
		return nil, err
	}
	return cert.Parse(der)
}

// policy trusts the authority and asks its list, which is read once and kept, as a verifier does all day.
func (p *people) policy() signature.Policy {
	lists := &status.CRLCache{URL: func(*x509.Certificate) string { return "http://status.invalid/crl" },
		HTTPClient: &http.Client{Transport: fixed(p.list)}, Clock: func() time.Time { return p.now }}
	return signature.Policy{Anchors: []*x509.Certificate{p.authority}, At: p.now, Revocation: lists}
}

// fixed answers every request with the same bytes; nothing is sent anywhere.
type fixed []byte

// RoundTrip implements http.RoundTripper.
func (f fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(f)), ContentLength: int64(len(f))}, nil
}
