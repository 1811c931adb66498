package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/console"
	"github.com/jitsuin/jitsuin/country/tour"
)

// calls are what the commands ask of packages country and country/tour.
type calls struct {
	up    func(ctx context.Context, o country.Options) error
	serve func(ctx context.Context, role, config string, log *slog.Logger) error
	tour  func(ctx context.Context, o tour.Options) (ok bool, err error)
	now   func(ctx context.Context, data string) (time.Time, error)
	move  func(ctx context.Context, data string, to time.Time) (time.Time, error)
}

func newCalls() *calls {
	return &calls{
		up: country.Up,
		serve: func(ctx context.Context, role, config string, log *slog.Logger) error {
			return country.Serve(ctx, role, config, log, console.Pages)
		},
		tour: tour.Run,
		now: func(ctx context.Context, data string) (time.Time, error) {
			return country.Folder(data).Civil(ctx)
		},
		move: func(ctx context.Context, data string, to time.Time) (time.Time, error) {
			state, err := country.MoveClock(ctx, country.Folder(data), to)
			return state.Now, err
		},
	}
}

// civil is the time of the law: that of the country in the folder where one runs, and otherwise wall time.
func (c *calls) civil(ctx context.Context, face *ui.Face, data string) time.Time {
	if _, err := os.Stat(filepath.Join(data, "country.json")); err != nil {
		return time.Now().Truncate(time.Second)
	}
	now, err := c.now(ctx, data)
	if err != nil {
		face.Warn("the country in %s does not tell its civil time; wall time is taken", data)
		face.Log.Info("no civil time", "error", err)
		return time.Now().Truncate(time.Second)
	}
	return now.Truncate(time.Second)
}

// anchors is the folder with the certificates of the country's authorities, "" where there is none.
func anchors(data string) string {
	folder := filepath.Join(data, "anchors")
	if _, err := os.Stat(folder); err != nil {
		return ""
	}
	return folder
}
