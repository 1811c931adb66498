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
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/tsp"
)

// throwawayTSA makes a time-stamping authority that is thrown away: its own root.
func throwawayTSA(t testing.TB, now time.Time) *tsp.Issuer {
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

// tsaOf has the authority answer over HTTP at the address that it gives: /good, and others that answer
// wrongly in the way that their name says.
func tsaOf(t *testing.T, i *tsp.Issuer) string {
	t.Helper()
	answer := func(q *tsp.Request) *tsp.Response {
		token, err := i.Token(context.Background(), q, big.NewInt(2), time.Now())
		if err != nil {
			t.Error(err)
		}
		return tsp.Grant(token)
	}
	mux := http.NewServeMux()
	for name, respond := range map[string]func(*tsp.Request) *tsp.Response{
		"good": answer,
		"stops": func(*tsp.Request) *tsp.Response {
			return tsp.Refuse(&tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: "the clocks differ"})
		},
		"replays": func(q *tsp.Request) *tsp.Response { q.Nonce = big.NewInt(1); return answer(q) },
	} {
		mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(io.LimitReader(r.Body, tsp.MaxRequest))
			q, err2 := tsp.ParseRequest(body)
			if err != nil || err2 != nil {
				t.Error(err, err2)
				return
			}
			der, err := respond(q).Marshal()
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", tsp.ReplyType)
			_, _ = w.Write(der)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// putTimeStamps puts a time-stamp over "a contract\n" into the folder, and who made it; it gives the
// address at which the same authority answers.
func putTimeStamps(t *testing.T, put func(name string, b []byte), now time.Time) string {
	t.Helper()
	i := throwawayTSA(t, now)
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
	return tsaOf(t, i)
}
