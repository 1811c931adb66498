package status_test

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/status"
	"golang.org/x/crypto/ocsp"
)

const benchSerials = 2000

// plainResponder is the floor: net/http, x/crypto/ocsp and a map, as anybody would write it in an hour.
type plainResponder struct {
	signed map[string][]byte // nil: sign each time
	ca     *certtest.Authority
}

func (p *plainResponder) respond(der []byte) []byte {
	q, err := ocsp.ParseRequest(der)
	if err != nil {
		return ocsp.MalformedRequestErrorResponse
	}
	if p.signed != nil {
		return p.signed[q.SerialNumber.String()]
	}
	b, _ := ocsp.CreateResponse(p.ca.Cert, p.ca.Cert, ocsp.Response{Status: ocsp.Good, SerialNumber: q.SerialNumber,
		ThisUpdate: certtest.Now, NextUpdate: certtest.Now.Add(time.Hour)}, p.ca.Key)
	return b
}

func (p *plainResponder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	w.Write(p.respond(b))
}

// questions makes requests for all serials, with nonces if asked.
func questions(b *testing.B, ca *certtest.Authority, nonce []byte) [][]byte {
	var all [][]byte
	for o := range uint64(benchSerials) {
		id, err := cert.NewCertID(crypto.SHA1, ca.Cert, serial(b, o).Big())
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, cert.OCSPRequest{IDs: []cert.CertID{id}, Nonce: nonce}.Marshal())
	}
	return all
}

// BenchmarkRespond measures a request without HTTP: parse, look up, answer.
func BenchmarkRespond(b *testing.B) {
	for _, suite := range []cert.Suite{cert.RSA2048SHA256, cert.P384SHA384} {
		c := newCountry(b, suite, status.Immediate, certtest.Now)
		plain := &plainResponder{ca: c.ca}
		for o := range uint64(benchSerials) {
			issue(b, c.set, o, "91201")
		}
		all, fresh := questions(b, c.ca, nil), questions(b, c.ca, make([]byte, 32))
		run := func(name string, all [][]byte, respond func([]byte) []byte) {
			b.Run(name+"/"+string(suite), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if i++; len(respond(all[i%benchSerials])) < 100 {
						b.Fatal("no answer")
					}
				}
			})
		}
		ours := func(q []byte) []byte { der, _ := c.responder.Respond(context.Background(), q); return der }
		for _, q := range all {
			ours(q)
		}
		run("presigned-ours", all, ours)
		run("on-demand-ours", fresh, ours)
		run("on-demand-floor", all, plain.respond)
		plain.signed = map[string][]byte{}
		for o := range uint64(benchSerials) {
			plain.signed[serial(b, o).Big().String()] = make([]byte, 1000)
		}
		run("presigned-floor", all, plain.respond)
	}
}

// BenchmarkHTTP measures the same through net/http with clients on the same cores.
func BenchmarkHTTP(b *testing.B) {
	c := newCountry(b, cert.P384SHA384, status.Immediate, certtest.Now)
	plain := &plainResponder{signed: map[string][]byte{}}
	all := questions(b, c.ca, nil)
	for o, q := range all {
		issue(b, c.set, uint64(o), "91201")
		plain.signed[serial(b, uint64(o)).Big().String()], _ = c.responder.Respond(b.Context(), q)
	}
	for name, h := range map[string]http.Handler{"presigned-ours": c.responder, "presigned-floor": plain} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(h)
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					a, err := client.Post(server.URL, "application/ocsp-request", bytes.NewReader(all[rand.IntN(benchSerials)]))
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, a.Body)
					a.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "responses/s")
		})
	}
}

// bigSet has n certificates issued, one in ten of them revoked.
func bigSet(b *testing.B, n uint64) *status.Set {
	b.Helper()
	s := status.NewSet(jitsuin.SignCert, codec())
	for o := range n {
		issue(b, s, o, jitsuin.MunicipalityCode(fmt.Sprint(91200+o%50)))
		if o%10 == 0 {
			apply(b, s, event(b, o, 2, status.Revoked, certtest.Now))
		}
	}
	return s
}

func BenchmarkSet(b *testing.B) {
	const n = 2_000_000
	s := bigSet(b, n)
	queries := make([]cert.Serial, 1<<16)
	plain := map[string]uint32{}
	for i := range queries {
		o := rand.Uint64N(n)
		queries[i] = serial(b, o)
	}
	for o := uint64(0); o < n; o += 10 {
		sn := serial(b, o)
		plain[string(sn[:])] = 1
	}
	b.Run("lookup", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			s.Lookup(queries[i&0xffff])
		}
	})
	b.Run("lookup-parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				s.Lookup(queries[i&0xffff])
			}
		})
	})
	b.Run("floor-go-map", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			sn := queries[i&0xffff]
			_ = plain[string(sn[:])]
		}
	})
	b.Run("snapshot-200000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if s.Snapshot("", certtest.Now, time.Time{}).Len() != n/10 {
				b.Fatal("entries are missing")
			}
		}
	})
	b.Run("apply", func(b *testing.B) {
		o := uint64(n)
		for b.Loop() {
			issue(b, s, o, "91201")
			o++
		}
	})
}

func BenchmarkPublish(b *testing.B) {
	s := bigSet(b, 1_000_000)
	ca := certtest.NewAuthority(b, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	now := certtest.Now
	p, err := status.NewPublisher(status.PublisherOptions{CA: ca.Cert, Set: s, Sign: ca.Sign, Clock: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		now = now.Add(48 * time.Hour)
		if n, err := p.Tick(b.Context()); err != nil || n != 1 {
			b.Fatal(n, err)
		}
	}
}
