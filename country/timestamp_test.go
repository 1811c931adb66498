//go:build unix

package country_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// TestTheCountrysTimeStamps: the authority stamps civil time, its root lies where a verifier looks for
// anchors for time and is trusted for nothing else, and no number is given twice over a restart.
func TestTheCountrysTimeStamps(t *testing.T) {
	o := country.Options{Data: filepath.Join(t.TempDir(), "data"), Listen: listen(t), Seed: 3, Quick: true}
	l := live(t, o)
	contract := []byte("a contract\n")
	sum := sha256.Sum256(contract)
	stamp := func() *tsp.Token {
		t.Helper()
		url, err := l.TimeAuthority()
		if err != nil {
			t.Fatal(err)
		}
		token, err := (&tsp.Client{URL: url}).Stamp(t.Context(), crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	first := stamp()
	civil, err := country.CivilNow(t.Context(), l.Folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := country.MoveClock(t.Context(), l.Folder, civil.Now.Add(30*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	second := stamp()
	if later := second.Info.Time.Sub(first.Info.Time); later < 30*24*time.Hour || later > 30*24*time.Hour+time.Minute {
		t.Errorf("after the clock was moved by thirty days a time-stamp is %v later", later)
	}
	root := anchor(t, l.Path("anchors", "time", "tsa.cer"))
	ca := anchor(t, l.Path("anchors", "sign.cer"))
	for name, c := range map[string]struct {
		policy signature.Policy
		want   signature.Verdict
	}{
		"its root for time":     {signature.Policy{Anchors: []*x509.Certificate{ca}, TimeAnchors: []*x509.Certificate{root}}, signature.Passed},
		"its root for the rest": {signature.Policy{Anchors: []*x509.Certificate{root}, TimeAnchors: []*x509.Certificate{ca}}, signature.Indeterminate},
	} {
		c.policy.At = second.Info.Time.Add(time.Second)
		r, err := signature.Verify(t.Context(), signature.Input{Signature: first.DER, Content: bytes.NewReader(contract)}, c.policy)
		if err != nil || r.Verdict != c.want {
			t.Errorf("%s: %v %v", name, r.Verdict, err)
		}
	}
	l.stop()
	o.Listen = ""
	l = live(t, o)
	third := stamp()
	numbers := map[string]bool{first.Info.Serial.String(): true, second.Info.Serial.String(): true, third.Info.Serial.String(): true}
	if len(numbers) != 3 || third.Info.Time.Before(second.Info.Time) {
		t.Errorf("%d numbers; %s after %s", len(numbers), third.Info.Time, second.Info.Time)
	}
	l.stop()
	if n := accounted(t, l.Folder); n != 3 {
		t.Errorf("%d numbers are accounted for", n)
	}
}

func anchor(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	der, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// accounted counts the serial numbers in the authority's account.
func accounted(t *testing.T, f country.Folder) (n int) {
	t.Helper()
	if err := actorDB(t, f, country.TSA).QueryRowContext(context.Background(), `SELECT COUNT(*) FROM stamp`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
