package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/bench"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
)

type benchCmd struct {
	Verify   benchVerifyCmd   `cmd:"" help:"Measure how many signatures are verified in a second."`
	Platform benchPlatformCmd `cmd:"" help:"Measure a platform with many tenants, and what one that sends too much does to the others."`
}

type benchVerifyCmd struct {
	Span time.Duration `help:"How long to measure, in all." default:"20s"`
}

func (benchVerifyCmd) Help() string {
	return `Everything runs on one core and in turns. The limit is what no verifier can leave out: the digest of the document and two RSA verifications, the signer's and the authority's. The other programs are those that are installed; they start a process for each document.

Example:  jitsuin bench verify --span 1m`
}

func (c *benchVerifyCmd) Run(ctx context.Context, face *ui.Face) error {
	if c.Span < time.Second {
		return ui.Usage("--span is too short to measure anything: 1s at least")
	}
	lines, err := bench.Verify(ctx, c.Span)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(face.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "a second\tµs each\t± µs\tof the limit\t  \n")
	for _, l := range lines {
		of := "-"
		if l.Of > 0 && !l.External {
			of = fmt.Sprintf("%.0f %%", 100*l.Of)
		}
		fmt.Fprintf(w, "%.0f\t%.1f\t%.1f\t%s\t  %s\n", 1/l.Each.Seconds(), micros(l.Each), micros(l.Spread)/2, of, l.Name)
	}
	return w.Flush()
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
