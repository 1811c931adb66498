package jlis

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

// From the application to a chip, to the counter, to a verifier, to the end: on both databases,
// over real feeds, with a real card host, judged by OpenSSL.
func TestFromTheApplicationToTheEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		c := newCountry(t, url)
		subject := jitsuin.NewID()
		app := api.Application{ID: jitsuin.NewID(), Type: api.NewCard, Subject: subject, Municipality: asagiri, Items: hanako,
			Position: c.notice(entered(subject, hanako)), Kinds: []jitsuin.CertKind{jitsuin.SignCert, jitsuin.AuthCert}, RequestID: "request-0001"}
		c.applyFor(app)
		delivered := c.delivered(app.ID)
		handle := c.takeOver(delivered)
		c.checkChip(handle, delivered)

		c.accredit("verifier:country", minister.InForce)
		certificates := map[jitsuin.CertKind]*x509.Certificate{}
		for _, i := range delivered.Certificates {
			parsed, err := cert.Parse(i.Certificate)
			must(t, err)
			certificates[i.Kind] = parsed
			eventually(t, "OCSP knows of it", func() bool { return c.ocsp(i.Kind, parsed).State == cert.Good })
			c.judge(i.Kind, parsed, "good")
		}
		links, err := c.linksOf("platform:1", jitsuin.AuthCert, certificates[jitsuin.AuthCert])
		if jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("links without an accreditation: %v %v", links, err)
		}

		moving := entered(subject, moved)
		moving.Cause = jitsuin.CauseMoveWithin
		act := time.Now()
		c.textIsRefused(subject, delivered.Card)
		c.notice(moving)
		c.textFollows(subject, delivered.Card)
		if r := c.revoked(subject, jitsuin.SignCert); r.Reason != jitsuin.ReasonAffiliationChanged {
			t.Errorf("revoked: %+v", r)
		}
		eventually(t, "OCSP says revoked", func() bool { return c.ocsp(jitsuin.SignCert, certificates[jitsuin.SignCert]).State == cert.Revoked })
		t.Logf("from the notice to the refusing responder: %v", time.Since(act).Round(time.Millisecond))
		c.judge(jitsuin.SignCert, certificates[jitsuin.SignCert], "revoked")
		c.judge(jitsuin.AuthCert, certificates[jitsuin.AuthCert], "good")

		c.restart()
		c.judge(jitsuin.SignCert, certificates[jitsuin.SignCert], "revoked")
		if again := c.takeOver(delivered); again != handle {
			t.Error("receiving again gave another handle")
		}
	})
}

// takeOver receives the card as the municipality; others may not.
func (c *country) takeOver(d api.Delivered) host.Handle {
	c.Helper()
	if _, err := (api.Client{Remote: c.as("municipality:91202", "jlis:1")}).Receive(c.Context(), d.Card); jitsuin.KindOf(err) != jitsuin.NotFound {
		c.Errorf("another town received the card: %v", err)
	}
	got, err := api.Client{Remote: c.as("municipality:91201", "jlis:1")}.Receive(c.Context(), d.Card)
	must(c, err)
	again, err := api.Client{Remote: c.as("municipality:91201", "jlis:1")}.Receive(c.Context(), d.Card)
	if err != nil || again != got {
		c.Errorf("received again: %v", err)
	}
	info, err := c.cards.Info(c.Context(), host.Handle(got.Handle))
	if err != nil || info.Custodian != "municipality:91201" || info.ID != d.Card {
		c.Errorf("custody: %+v %v", info, err)
	}
	return host.Handle(got.Handle)
}

// checkChip looks into the chip as the counter's terminal, whose key the Agency certifies.
func (c *country) checkChip(handle host.Handle, d api.Delivered) {
	c.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(c, err)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(c, err)
	certificate, err := api.Client{Remote: c.as("municipality:91201", "jlis:1")}.RegisterTerminal(c.Context(), api.TerminalRequest{Terminal: "window-1", PublicKey: public})
	must(c, err)
	ch, err := c.cards.Open(c.Context(), handle)
	must(c, err)
	defer ch.Close()
	j, err := reader.SelectJPKI(c.Context(), ch)
	must(c, err)
	info, err := j.TokenInfo(c.Context())
	if err != nil || info.Kind != reader.TokenCard || len(info.Serial) != 16 {
		c.Errorf("token information: %+v %v", info, err)
	}
	present, err := j.Present(c.Context())
	if err != nil || !present[jitsuin.SignCert] || !present[jitsuin.AuthCert] {
		c.Errorf("present: %v %v", present, err)
	}
	must(c, j.Authenticate(c.Context(), reader.Terminal{Certificate: certificate, Key: key}))
	must(c, j.ResetPIN(c.Context(), jitsuin.AuthCert, "1234"))
	must(c, j.ResetPIN(c.Context(), jitsuin.SignCert, "ABC123"))
	for _, i := range d.Certificates {
		ca, err := j.CACertificate(c.Context(), i.Kind)
		if err != nil || !bytes.Equal(ca, c.agency.authority[i.Kind].cert.Raw) {
			c.Errorf("CA certificate in the chip: %v", err)
		}
		pin := jitsuin.PIN("1234")
		if i.Kind == jitsuin.SignCert {
			pin = "ABC123"
		}
		s, err := j.Signer(c.Context(), i.Kind, pin)
		must(c, err)
		if !bytes.Equal(s.Certificate(), i.Certificate) {
			c.Errorf("the chip has another %s certificate", i.Kind)
		}
		if _, err := s.Sign(nil, make([]byte, 32), crypto.SHA256); err != nil { // checks against the certificate
			c.Errorf("%s: %v", i.Kind, err)
		}
	}
}

// ocsp asks for the status of a certificate over HTTP, POST and GET, and verifies the answer.
func (c *country) ocsp(kind jitsuin.CertKind, of *x509.Certificate) cert.Status {
	c.Helper()
	ca := c.agency.authority[kind].cert
	id, err := cert.NewCertID(crypto.SHA256, ca, of.SerialNumber)
	must(c, err)
	request := cert.OCSPRequest{IDs: []cert.CertID{id}, Nonce: nonce}.Marshal()
	status, der := c.ask("verifier:country", "POST", "/ocsp", request)
	if status != 200 {
		c.Fatalf("OCSP: HTTP %d %s", status, der)
	}
	status, byGet := c.ask("verifier:country", "GET", "/ocsp/"+base64.StdEncoding.EncodeToString(request), nil)
	if len(byGet) != len(der) { // a revocation may have come in between
		_, der = c.ask("verifier:country", "POST", "/ocsp", request)
	}
	if status != 200 || len(byGet) != len(der) {
		c.Errorf("OCSP by GET: HTTP %d", status)
	}
	answer, err := cert.ParseOCSPResponse(der)
	must(c, err)
	return answer.Status(of, ca, cert.OCSPCheck{Times: cert.Times{At: c.agency.Clock.Now()}, Nonce: nonce})
}

var nonce = []byte("0123456789abcdef")

func (c *country) linksOf(as string, kind jitsuin.CertKind, of *x509.Certificate) ([]api.Link, error) {
	s, _ := cert.SerialOf(of.SerialNumber)
	return api.Client{Remote: c.as(as, "jlis:1")}.Links(c.Context(), api.Link{Kind: kind, Serial: s.String()})
}

// judge asks OpenSSL for its opinion of certificate, revocation lists and OCSP: good or revoked.
func (c *country) judge(kind jitsuin.CertKind, of *x509.Certificate, want string) {
	c.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			c.Fatal("openssl must judge here")
		}
		c.Skip("NO OPENSSL: certificates, lists and OCSP were not judged, nor what comes after")
	}
	eventually(c, "the status origin is ready", func() bool { return c.agency.node.ready() == nil })
	put := func(name, label string, der []byte) string {
		file := c.in(name)
		must(c, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}), 0o600))
		return file
	}
	openssl := func(args ...string) string {
		out, _ := exec.Command(path, args...).CombinedOutput() // what it says counts
		return string(out)
	}
	ca, leaf := put("ca.pem", "CERTIFICATE", c.agency.authority[kind].cert.Raw), put("leaf.pem", "CERTIFICATE", of.Raw)
	if out := openssl("verify", "-CAfile", ca, leaf); !strings.Contains(out, "OK") {
		c.Errorf("openssl verify: %s", out)
	}
	for _, list := range []string{"/crl/" + string(kind), "/crl/" + string(kind) + "/91201"} {
		status, der := c.ask("verifier:country", "GET", list, nil)
		if status != 200 {
			c.Fatalf("%s: HTTP %d %s", list, status, der)
		}
		file := put("list.pem", "X509 CRL", der)
		if out := openssl("crl", "-in", file, "-noout", "-CAfile", ca); !strings.Contains(out, "verify OK") {
			c.Errorf("openssl crl %s: %s", list, out)
		}
		out := openssl("verify", "-crl_check", "-extended_crl", "-CAfile", ca, "-CRLfile", file, leaf)
		if strings.Contains(out, "OK") != (want == "good") || strings.Contains(out, "certificate revoked") != (want == "revoked") {
			c.Errorf("openssl verify -crl_check %s, want %s: %s", list, want, out)
		}
	}
	request := c.in("request.der")
	openssl("ocsp", "-issuer", ca, "-cert", leaf, "-reqout", request)
	ask, err := os.ReadFile(request)
	must(c, err)
	_, der := c.ask("verifier:country", "POST", "/ocsp", ask)
	answer := c.in("answer.der")
	must(c, os.WriteFile(answer, der, 0o600))
	out := openssl("ocsp", "-respin", answer, "-issuer", ca, "-cert", leaf, "-CAfile", ca, "-no_nonce")
	if !strings.Contains(out, "Response verify OK") || !strings.Contains(out, "leaf.pem: "+want) {
		c.Errorf("openssl ocsp, want %s: %s", want, out)
	}
}
