package console

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/internal/web"
)

// What is drawn is what the certificate says, every extension is decoded, and nothing in a page's address gives the
// serial number away.
func TestACertificateIsDrawnWithAllItSays(t *testing.T) {
	number, _ := new(big.Int).SetString("372e0fd0c67f79031dd05ba038ae1562", 16)
	for _, suite := range []cert.Suite{cert.RSA2048SHA256, cert.P384SHA384} {
		for _, kind := range jitsuin.CertKinds {
			ca := certtest.NewAuthority(t, kind, suite, 0)
			responder, _ := ca.Responder(t, 1)
			resident := ca.Resident(t, number)
			resident.OCSP, resident.ClientAuth = "http://status.example/ocsp", kind == jitsuin.AuthCert
			for want, c := range map[string]*x509.Certificate{string(kind): ca.Issue(t, resident), "ca": ca.Cert, "ocsp": ca.Issue(t, responder)} {
				checkDrawn(t, want, c)
			}
		}
	}
	if _, err := Draw([]byte("no certificate")); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("drawn all the same: %v", err)
	}
}

func checkDrawn(t *testing.T, want string, c *x509.Certificate) {
	t.Helper()
	d, err := Draw(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	serial := hex.EncodeToString(c.SerialNumber.Bytes())
	if d.Kind != want || d.Until != jitsuin.DateOf(c.NotAfter) || d.From != jitsuin.DateOf(c.NotBefore) || d.Issuer == "" || d.Key == "" || len(d.ID) != 32 || len(serial) > 8 && strings.Contains(d.ID, serial) {
		t.Errorf("%s: %+v", want, d)
	}
	if items, err := cert.ItemsOf(c); (want == "sign") != (d.Items != nil) || want == "sign" && (err != nil || *d.Items != items || d.Number != "S 372E…1562") {
		t.Errorf("%s %s: the items are %+v", want, d.Number, d.Items)
	}
	if len(d.Extensions) != len(c.Extensions) {
		t.Errorf("%s: %d of %d extensions", want, len(d.Extensions), len(c.Extensions))
	}
	for _, e := range d.Extensions {
		if e.Name == "" || len(e.Lines) == 0 || slices.Contains(e.Lines, "") || !web.Has(e.Meaning) || e.Hex == "" {
			t.Errorf("%s: %s is not decoded: %+v", want, e.OID, e)
		}
	}
	for _, f := range d.Fields {
		if len(f.Lines) == 0 || slices.Contains(f.Lines, "") || !web.Has(f.Label) {
			t.Errorf("%s: %s is not decoded", want, f.Name)
		}
	}
	if block, _ := pem.Decode(d.PEM()); block == nil || !bytes.Equal(block.Bytes, c.Raw) {
		t.Errorf("%s: the text is another certificate", want)
	}
}

func TestAllWordsOfActsAreThere(t *testing.T) {
	for _, k := range append([]actKind{actBegin}, actKinds...) {
		keys := []string{"console.act." + string(k) + ".name", "console.act." + string(k) + ".button", "console.act." + string(k) + ".about", "console.result." + string(k) + ".what", "console.result." + string(k) + ".means"}
		for _, s := range steps[k] {
			keys = append(keys, "console.step."+s)
		}
		for _, key := range keys {
			if !web.Has(key) {
				t.Errorf("the catalogue has no text %s", key)
			}
		}
	}
	for _, s := range storySteps {
		p := storyPage{Step: s}
		if n := len(p.Sentences()); n != 3 {
			t.Errorf("the step %s is explained in %d sentences", s, n)
		}
	}
}

// An end that the law puts at the beginning of a day may have been recorded before; any other was recorded as it happened.
func TestWhenAnEndWasRecorded(t *testing.T) {
	day := jitsuin.Date{Year: 2026, Month: time.April, Day: 1}
	if !startsDay(day.Start()) || startsDay(day.Start().Add(time.Second)) || !startsDay(day.Start().UTC()) {
		t.Error("the beginning of a day in Japan is not told")
	}
}
