package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/tsp"
)

// timeAuthority makes a time-stamping authority that is thrown away: its own root.
func timeAuthority(t testing.TB, now time.Time) *tsp.Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	purpose, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Throwaway time-stamping"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: purpose}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tsp.Issuer{Certificate: c, Key: key, Policy: asn1.ObjectIdentifier{2, 999, 1}, Accuracy: tsp.Accuracy(time.Second)}
}

// putTimeStamps puts a time-stamp over "a contract\n" into the folder, and who made it.
func putTimeStamps(t *testing.T, put func(name string, b []byte), now time.Time) {
	t.Helper()
	i := timeAuthority(t, now)
	sum := sha256.Sum256([]byte("a contract\n"))
	q, err := tsp.NewRequest(crypto.SHA256, sum[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := i.Token(context.Background(), q, big.NewInt(1), now)
	if err != nil {
		t.Fatal(err)
	}
	response, err := tsp.Grant(token).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	refused, err := tsp.Refuse(&tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: "the clocks differ"}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	put("time-stamp.tst", token)
	put("time-stamp.tsr", response)
	put("refused.tsr", refused)
	put("tsa.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate.Raw}))
}
