package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/bench"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
)

type benchPlatformCmd struct {
	Tenants int           `help:"How many tenants." default:"50"`
	Size    int           `help:"Size of the documents in bytes, about." default:"100000"`
	Span    time.Duration `help:"How long to measure, in all." default:"60s"`
	Load    float64       `help:"Share of what the platform takes that the tenants send together, but for the noisy one." default:"0.4"`
}

func (benchPlatformCmd) Help() string {
	return `A country is made in a temporary folder, and the tenants of its platform have PDF and CMS signatures verified over HTTP, with OCSP, records and database. The one who sends runs on the same processors. First as much as the platform takes; then each tenant sends at random, half its quota on average, alone and beside one tenant that sends a hundred times its quota. Times count from the instant at which a request was due.

Example:  jitsuin bench platform --span 2m`
}

func (c *benchPlatformCmd) Run(ctx context.Context, face *ui.Face) error {
	switch {
	case c.Tenants < 2:
		return ui.Usage("--tenants is 2 at least: one is noisy")
	case c.Span < 4*time.Second:
		return ui.Usage("--span is too short to measure anything: 4s at least")
	case c.Load <= 0 || c.Load > 1:
		return ui.Usage("--load is a share: more than 0, at most 1")
	case c.Size < 1000 || c.Size > 10_000_000:
		return ui.Usage("--size is 1000 to 10000000")
	}
	f, err := bench.Platform(ctx, bench.PlatformOptions{Tenants: c.Tenants, Size: c.Size, Span: c.Span, Load: c.Load,
		Say: func(what string) { fmt.Fprintf(face.Err, "%s …\n", what) }})
	if err != nil {
		return err
	}
	fmt.Fprintf(face.Out, "%d tenants, a quota of %d requests a second each\n", c.Tenants, f.Quota)
	w := tabwriter.NewWriter(face.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "offered a second\tverified\tp50 ms\tp99 ms\trefused\tfailed\t  \n")
	for _, p := range []bench.Phase{f.Throughput, f.Alone, f.Noisy, f.Unbounded} {
		result(w, p.Offered, p.Quiet, p.Name)
		if p.Sent > 0 {
			result(w, p.Sent, p.Noisy, "  the noisy one")
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if f.Alone.Quiet.P99 > 0 {
		_, err = fmt.Fprintf(face.Out, "p99 of the others beside the noisy one: %.2f times that of the others alone (with its quota lifted %.2f)\n",
			float64(f.Noisy.Quiet.P99)/float64(f.Alone.Quiet.P99), float64(f.Unbounded.Quiet.P99)/float64(f.Alone.Quiet.P99))
	}
	return err
}

func result(w *tabwriter.Writer, offered float64, r bench.Result, name string) {
	sent := "-"
	if offered > 0 {
		sent = fmt.Sprintf("%.0f", offered)
	}
	fmt.Fprintf(w, "%s\t%.0f\t%.1f\t%.1f\t%d\t%d\t  %s\n", sent, r.PerSecond, micros(r.P50)/1000, micros(r.P99)/1000, r.Limited, r.Failed+r.Unsent, name)
}
