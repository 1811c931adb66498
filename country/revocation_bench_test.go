package country

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/freeport"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// limitRevocation is within what time a verifier is told after a clerk's act that a certificate is revoked.
const limitRevocation = time.Second

// BenchmarkRevocation has every cardholder of a country move, one after the other, and measures from the clerk's act to the first
// answer of the status origin that says revoked.
func BenchmarkRevocation(b *testing.B) {
	var took []time.Duration
	for b.Loop() {
		took = append(took, moveAll(b)...)
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
	b.ReportMetric(ms(took[len(took)-1]), "max-ms")
	b.ReportMetric(ms(limitRevocation), "limit-ms")
	if most := took[len(took)-1]; most > limitRevocation {
		b.Errorf("a verifier was told after %v, the limit is %v", most, limitRevocation)
	}
}

// moveAll makes a country and has its cardholders move within their towns.
func moveAll(b *testing.B) (took []time.Duration) {
	b.Helper()
	address, err := freeport.Address()
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ready, ended := make(chan Folder, 1), make(chan error, 1)
	go func() {
		ended <- Up(ctx, Options{Data: filepath.Join(b.TempDir(), "data"), Listen: address, Seed: 1, Log: slog.New(slog.DiscardHandler), Ready: func(f Folder) { ready <- f }})
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}()
	var f Folder
	select {
	case f = <-ready:
	case err := <-ended:
		ended <- nil
		b.Fatal(err)
	}
	origin, err := f.Remote(Verifier, Status)
	if err != nil {
		b.Fatal(err)
	}
	defer origin.Close()
	der, err := os.ReadFile(f.Path("anchors", string(jitsuin.SignCert)+".cer"))
	if err != nil {
		b.Fatal(err)
	}
	issuer, err := cert.Parse(der)
	if err != nil {
		b.Fatal(err)
	}
	of := signCertificates(b, f)
	for _, h := range Holders(b, f) {
		leaf := of[h.Subject]
		if leaf == nil { // such as a card for logins alone
			continue
		}
		at := CounterOf(b, f, h.Town)
		now, err := CivilNow(ctx, f)
		if err != nil {
			b.Fatal(err)
		}
		act := time.Now()
		if _, err := at.Record(ctx, town.ChangeRequest{Subject: h.Subject, Cause: jitsuin.CauseMoveWithin, Address: h.Items.Address + "　新しい家",
			OccurredOn: jitsuin.DateOf(now.Now), Clerk: sampleClerk}, string(jitsuin.NewID())); err != nil {
			b.Fatal(err)
		}
		for says := ""; !strings.HasPrefix(says, "revoked"); {
			if time.Since(act) > time.Minute {
				b.Fatalf("after a minute the status origin says %q", says)
			}
			if says, err = askOCSP(ctx, origin, issuer, leaf, now.Now); err != nil {
				b.Fatal(err)
			}
		}
		took = append(took, time.Since(act))
	}
	if len(took) == 0 {
		b.Fatal("nobody has moved")
	}
	return took
}

// signCertificates gives the signature certificates in force by their residents.
func signCertificates(b *testing.B, f Folder) map[jitsuin.ID][]byte {
	b.Helper()
	a := openAudit(b, f)
	defer a.close()
	of := map[jitsuin.ID][]byte{}
	for _, c := range a.readCertificates() {
		if c.profile == "sign" && c.isIssued() && !c.isRevoked() {
			of[jitsuin.ID(c.subject)] = c.der
		}
	}
	return of
}
