package console

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// A request for a time-stamp, its answer, the token inside and the certificate inside that: all are told.
func TestTimeStampsAreDecoded(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "unit"}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("a document"))
	q, err := tsp.NewRequest(crypto.SHA256, sum[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	query, err := q.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	issuer := tsp.Issuer{Certificate: c, Key: key, Policy: []int{2, 999, 1}}
	token, err := issuer.Token(context.Background(), q, big.NewInt(5), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	kinds := func(answer *tsp.Response) (all []string) {
		der, err := answer.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings(web.EN, trace.Entry{Request: &trace.Body{Bytes: query}, Answer: &trace.Body{Bytes: der}}, nil) {
			all = append(all, f.Kind)
			for _, fact := range f.Facts {
				if !web.Has("consolemap.fact." + fact.Key) {
					t.Errorf("the fact %s has no words", fact.Key)
				}
			}
			if !web.Has("consolemap.found." + f.Kind) {
				t.Errorf("%s has no words", f.Kind)
			}
		}
		return all
	}
	if got := kinds(tsp.Grant(token)); !slices.Equal(got, []string{"stamp-request", "stamp-answer", "stamp", "certificate"}) {
		t.Errorf("granted: %q", got)
	}
	if got := kinds(tsp.Refuse(&tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: "no"})); !slices.Equal(got, []string{"stamp-request", "stamp-answer"}) {
		t.Errorf("refused: %q", got)
	}
}
