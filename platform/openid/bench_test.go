package openid_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/internal/cputime"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

// benched is a platform on disk, with its commits counted and timed.
type benched struct {
	*bank
	mu   sync.Mutex // owns took
	took []time.Duration
}

// synchronous is how many commits a browser waits for in a login: the request with its errand; the login with its line in the operation log
// and the errand's outcome; the return with the code; the tokens. The operation log is numbered beside it.
const synchronous = 4

func onDisk(b *testing.B) *benched {
	m := &benched{}
	m.bank = open(b, b.TempDir()+"/platform.db", func(c *platform.Config) {
		c.Log = slog.New(slog.DiscardHandler)
		c.Store = append(c.Store, store.Observe(store.Observer{Committed: m.committed}))
	})
	return m
}

func (m *benched) committed(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.took = append(m.took, took)
}

// waited is how long a login waited for its commits: as many as are synchronous, of all that were made since it was asked last.
func (m *benched) waited() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := time.Duration(0)
	for _, d := range m.took {
		sum += d
	}
	n := time.Duration(max(len(m.took), synchronous))
	m.took = nil
	return sum * synchronous / n
}

// median sorts and gives the p50.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// signer answers a challenge; took is how long the card needed.
type signer func(c api.ChallengeText) (a signature.Answer, took time.Duration, err error)

// whole is a login from the redirect to the ID token, which is checked afterwards: what the holder does in between is to fetch the request, have
// the card sign and post the answer.
func (p *rp) whole(b testing.TB, br *platformtest.Browser, change url.Values, sign signer) (took, card time.Duration) {
	start, a := time.Now(), newAsking()
	away, _ := p.begun(br, p.query(a, change))
	asked := p.b.OpenRequest(away)
	answer, card, err := sign(*asked.Challenge)
	if err != nil {
		b.Fatal(err)
	}
	_, back := p.b.PostAnswer(asked, api.HolderAnswer{Txn: asked.Txn, State: asked.State, Certificate: answer.Certificate.Raw, Signature: answer.Signature, DigestAlg: answer.DigestAlg})
	got := p.redeem(a, p.back(br, back).Get("code"), nil)
	took = time.Since(start)
	if got.Status != http.StatusOK || p.claims(got.text("id_token"))["nonce"] != a.Nonce {
		b.Fatalf("HTTP %d %s", got.Status, got.Raw)
	}
	return took, card
}

// pin gives the PIN of a card.
type pin struct{}

func (pin) PIN(context.Context, holder.Question) ([]byte, error) {
	return []byte(holdertest.AuthPIN), nil
}
func (pin) Confirms() bool { return false }

// softwareCard makes a chip whose certificates the agency of the world knows of, and gives how it signs: VERIFY with the PIN and
// COMPUTE DIGITAL SIGNATURE over its APDU channel.
func (m *benched) softwareCard(b *testing.B) signer {
	who, w, data := m.Agency.Resident("霧島　花子"), holdertest.New(b), b.TempDir()
	w.CAs = m.Agency.Authorities
	w.Issue = func(kind jitsuin.CertKind, key crypto.PublicKey) *x509.Certificate {
		m.Agency.Reissue(who, kind, func(c *cert.Template) { c.Key = key })
		if kind == jitsuin.SignCert {
			return who.Sign.Cert
		}
		return who.Auth.Cert
	}
	w.Card(b, data, holdertest.Order{})
	card, err := holder.CardsIn(data).Open(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { card.Close() })
	return func(c api.ChallengeText) (signature.Answer, time.Duration, error) {
		start := time.Now()
		a, err := card.Login(b.Context(), c.ToSign(), holder.Act{PINs: pin{}, At: start})
		return a, time.Since(start), err
	}
}

// Show 5 of the login: a login takes what the card's signature takes, and the durable commits, and less than five milliseconds more. All three are
// measured in this run: the card by its APDUs, the commits by the database. Status is asked by OCSP, where what J-LIS's responder signs is told
// apart, or looked up in the lists at hand.
func BenchmarkLogin(b *testing.B) {
	b.Run("ocsp", func(b *testing.B) { benchmarkLogin(b, nil) })
	b.Run("lists", func(b *testing.B) { benchmarkLogin(b, url.Values{"acr_values": {"aal3 crl"}}) })
}

func benchmarkLogin(b *testing.B, change url.Values) {
	m := onDisk(b)
	p, sign, br := m.relyingParty(m.tenant, nil), m.softwareCard(b), m.Browser()
	p.whole(b, br, change, sign) // the user is known from now on
	p.keys = p.published()       // a relying party keeps them
	var total, card, commits, responder []time.Duration
	m.waited()
	used := cputime.Used()
	for b.Loop() {
		before := m.Status.Signed.Load()
		took, signed := p.whole(b, br, change, sign)
		total, card, commits = append(total, took), append(card, signed), append(commits, m.waited())
		responder = append(responder, time.Duration(m.Status.Signed.Load()-before))
	}
	b.ReportMetric(float64((cputime.Used()-used).Microseconds())/1000/float64(len(total)), "cpu-ms")
	all, signed, written := median(total), median(card), median(commits)
	rest := all - signed - written
	for name, d := range map[string]time.Duration{"p50-ms": all, "card-ms": signed, "commits-ms": written, "rest-ms": rest, "ocsp-sign-ms": median(responder)} {
		b.ReportMetric(float64(d.Microseconds())/1000, name)
	}
	if len(total) >= 50 && rest > 5*time.Millisecond {
		b.Logf("beside card and commits a login takes %s, which is more than the 5 ms that are its bound on a machine that does nothing else", rest)
	}
}

// Logins in a second on the cores that there are, with everything in one process: platform, status responder, browsers, holders and
// cards, whose RSA signatures are made by Go here.
func BenchmarkLogins(b *testing.B) {
	m := onDisk(b)
	p := m.relyingParty(m.tenant, func(c map[string]any) { c["token_endpoint_auth_method"], c["jwks"] = "client_secret_post", nil })
	var mu sync.Mutex
	p.keys = p.published()
	start := time.Now()
	n := 0
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		mu.Lock()
		who, br := m.Agency.Resident("霧島　花子"), m.Browser()
		mu.Unlock()
		for pb.Next() {
			p.whole(b, br, nil, func(c api.ChallengeText) (signature.Answer, time.Duration, error) {
				a, err := c.ToSign().Sign(who.Auth.Cert, who.Auth.Key)
				return a, 0, err
			})
			mu.Lock()
			n++
			mu.Unlock()
		}
	})
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "logins/s")
}
