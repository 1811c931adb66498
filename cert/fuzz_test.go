package cert_test

import (
	"bytes"
	"crypto"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
)

func FuzzCertificate(f *testing.F) {
	for _, kind := range jitsuin.CertKinds {
		a := certtest.NewAuthority(f, kind, cert.P384SHA384, 1)
		leaf := a.Issue(f, a.Resident(f, big.NewInt(42)))
		f.Add(leaf.Raw)
		f.Add(a.Cert.Raw)
		f.Add(bytes.Replace(leaf.Raw, []byte("319800217"), []byte("319801317"), 1))
		f.Add(leaf.Raw[:len(leaf.Raw)-1])
	}
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := cert.Parse(der)
		if err != nil {
			if jitsuin.CodeOf(err) != "certificate-form" {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(c.Raw, der) {
			t.Fatal("something beside the certificate was accepted")
		}
		if items, err := cert.ItemsOf(c); err == nil && items.Check() != nil {
			t.Fatal("bad items were read")
		}
		cert.KindOf(c)
		for _, p := range []cert.Profile{cert.ProfileCA, cert.ProfileSign, cert.ProfileAuth, cert.ProfileResponder} {
			if _, err := cert.Lint(der, p); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzCRL(f *testing.F) {
	a := certtest.NewAuthority(f, jitsuin.SignCert, cert.P384SHA384, 1)
	leaf := a.Issue(f, a.Resident(f, big.NewInt(42)))
	for _, n := range []int{0, 1, 5} {
		m := listTemplate(a)
		if n == 5 {
			m.DistributionPoint = cert.Sandbox().DistributionPoint(a.Kind, certtest.Town)
		}
		der, err := m.Build(f.Context(), revoked(n), a.Sign)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := cert.ParseCRL(der)
		if err != nil {
			return
		}
		c.BuildIndex()
		n := 0
		for e := range c.Entries() {
			n++
			if s := new(big.Int).SetBytes(e.Serial); s.Sign() > 0 && len(e.Serial) > 0 && e.Serial[0]&0x80 == 0 {
				if _, ok := c.Lookup(s); !ok {
					t.Fatalf("entry %v is not found", s)
				}
			}
		}
		if n != c.Count {
			t.Fatalf("%d entries, %d counted", n, c.Count)
		}
		c.Status(leaf, cert.Times{At: certtest.Now})
		if c.Verify(a.Cert, cert.Algorithms{}) == nil && !bytes.Equal(c.Raw, der) {
			t.Fatal("something beside the list was accepted")
		}
	})
}

func FuzzOCSPRequest(f *testing.F) {
	a := certtest.NewAuthority(f, jitsuin.SignCert, cert.P384SHA384, 1)
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		id, err := cert.NewCertID(h, a.Cert, big.NewInt(42))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(cert.OCSPRequest{IDs: []cert.CertID{id}}.Marshal())
		f.Add(cert.OCSPRequest{IDs: []cert.CertID{id, id}, Nonce: make([]byte, 32)}.Marshal())
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		q, err := cert.ParseOCSPRequest(der)
		if err != nil {
			return
		}
		for _, id := range q.IDs {
			id.ByIssuer(a.Cert)
			if id.Hash == 0 {
				return // an unknown hash is not written back
			}
		}
		again, err := cert.ParseOCSPRequest(q.Marshal())
		if err != nil || len(again.IDs) != len(q.IDs) || !again.IDs[0].Equal(q.IDs[0]) || !bytes.Equal(again.Nonce, q.Nonce) {
			t.Fatalf("%+v becomes %+v, %v", q, again, err)
		}
	})
}

func FuzzOCSPResponse(f *testing.F) {
	a := certtest.NewAuthority(f, jitsuin.SignCert, cert.P384SHA384, 1)
	tmpl, key := a.Responder(f, 1)
	responder := a.Issue(f, tmpl)
	leaf := a.Issue(f, a.Resident(f, big.NewInt(42)))
	id, _ := cert.NewCertID(crypto.SHA1, a.Cert, leaf.SerialNumber)
	for _, s := range []cert.State{cert.Good, cert.Revoked, cert.Unknown} {
		m := cert.OCSPTemplate{Responder: responder, ProducedAt: certtest.Now, Nonce: []byte{1}, Singles: []cert.OCSPSingle{{ID: id, State: s,
			RevokedAt: certtest.Now, Reason: jitsuin.ReasonSuperseded, ThisUpdate: certtest.Now, NextUpdate: certtest.Now.Add(time.Hour)}}}
		tbs, err := m.TBS()
		if err != nil {
			f.Fatal(err)
		}
		sig, _ := certtest.SignTBS(key, tbs)
		der, err := m.Assemble(tbs, sig)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Add(cert.OCSPTryLater.Response())
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := cert.ParseOCSPResponse(der)
		if err != nil {
			return
		}
		st := r.Status(leaf, a.Cert, cert.OCSPCheck{Times: cert.Times{At: certtest.Now}})
		if st.State == cert.Unknown && st.Why == "" {
			t.Fatal("unknown without a reason")
		}
	})
}
