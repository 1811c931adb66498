package feed

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

// BenchmarkRawCommits is the measure to compare with: durable transactions of one row.
func BenchmarkRawCommits(b *testing.B) {
	for _, backend := range storetest.Backends(b) {
		b.Run(backend.Name, func(b *testing.B) {
			db := openDB(b, backend.Fresh(b))
			n := 0
			for b.Loop() {
				n++
				err := db.Update(b.Context(), func(tx *store.Tx) error {
					_, err := tx.Exec(`INSERT INTO effects (epoch, n, times) VALUES ($1, $2, 1)`, 1, n)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// pipeline is a sender and a reader with a database each, joined by HTTP over loopback.
type pipeline struct {
	s       *sender
	applied chan string // values, as they take effect
	end     func()
}

func newPipeline(b *testing.B, backend storetest.Backend) *pipeline {
	ctx, stop := context.WithCancel(b.Context())
	p := &pipeline{s: newSender(b, openDB(b, backend.Fresh(b)), fileMarks(b)), applied: make(chan string, 1<<16)}
	web := httptest.NewServer(p.s.srv.Handler())
	r := newReader(b, openDB(b, backend.Fresh(b)), nil)
	cfg := r.config(nil)
	cfg.HTTP, cfg.BaseURL, cfg.Batch, cfg.OnBatch = web.Client(), web.URL, 500, nil
	cfg.Apply = func(_ context.Context, tx *store.Tx, e Event) error {
		var body struct{ Value string }
		if err := e.Decode(&body); err != nil {
			return err
		}
		tx.AfterCommit(func() { p.applied <- body.Value })
		_, err := tx.Exec(`INSERT INTO state (subject, value) VALUES ($1, $2)
			ON CONFLICT (subject) DO UPDATE SET value = excluded.value`, e.Subject, body.Value)
		return err
	}
	f, err := NewFollower(cfg)
	if err != nil {
		b.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { p.s.seq.Run(ctx) })
	running.Go(func() { f.Run(ctx) })
	p.end = func() { stop(); running.Wait(); web.Close() }
	return p
}

// BenchmarkLatency is one event after another: from the call of the business transaction until
// the effect is committed at the reader.
func BenchmarkLatency(b *testing.B) {
	for _, backend := range storetest.Backends(b) {
		b.Run(backend.Name, func(b *testing.B) {
			p := newPipeline(b, backend)
			defer p.end()
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				if err := p.s.append(fmt.Sprint(len(took)%100), fmt.Sprint(len(took))); err != nil {
					b.Fatal(err)
				}
				<-p.applied
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// BenchmarkThroughput appends with several events a transaction, and waits until all have taken
// effect at the reader.
func BenchmarkThroughput(b *testing.B) {
	for _, backend := range storetest.Backends(b) {
		for _, perTx := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/%d-per-tx", backend.Name, perTx), func(b *testing.B) {
				p := newPipeline(b, backend)
				defer p.end()
				b.ResetTimer()
				go func() {
					for sent := 0; sent < b.N; {
						n := min(perTx, b.N-sent)
						err := p.s.db.Update(b.Context(), func(tx *store.Tx) error {
							for i := range n {
								_, err := Append(tx, Draft{Topic: topic, Subject: fmt.Sprint((sent + i) % 1000), Type: "set",
									Body: map[string]string{"value": fmt.Sprint(sent + i)}, RecordedAt: start})
								if err != nil {
									return err
								}
							}
							return nil
						})
						if err != nil {
							b.Error(err)
							return
						}
						sent += n
					}
				}()
				for range b.N {
					<-p.applied
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
