package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
)

// calls are what the commands ask of packages country and country/tour.
type calls struct {
	up    func(ctx context.Context, o upOptions) error
	serve func(ctx context.Context, role, config string, log *slog.Logger) error
	tour  func(ctx context.Context, o tourOptions) (ok bool, err error)
	now   func(ctx context.Context, data string) (time.Time, error)
	move  func(ctx context.Context, data string, to time.Time) (time.Time, error)
}

type upOptions struct {
	Data, Listen string
	Reset        bool
	Clock        time.Time
	Seed         uint64
	Cadence      string
	Version      string
	Out          io.Writer
	Log          *slog.Logger
}

type tourOptions struct {
	Data, Out, Contract, Lang string
	Writer                    io.Writer
	Color                     bool
	Log                       *slog.Logger
}

func newCalls() *calls {
	missing := jitsuin.Errorf(jitsuin.Unsupported, "not-wired", "this build has no country in it")
	return &calls{
		up:    func(context.Context, upOptions) error { return missing },
		serve: func(context.Context, string, string, *slog.Logger) error { return missing },
		tour:  func(context.Context, tourOptions) (bool, error) { return false, missing },
		now:   func(context.Context, string) (time.Time, error) { return time.Time{}, missing },
		move:  func(context.Context, string, time.Time) (time.Time, error) { return time.Time{}, missing },
	}
}

// civil is the time of the law: that of the country in the folder where one runs, and otherwise wall time.
func (c *calls) civil(ctx context.Context, face *ui.Face, data string) time.Time {
	if _, err := os.Stat(filepath.Join(data, "country.json")); err != nil {
		return time.Now().Truncate(time.Second)
	}
	now, err := c.now(ctx, data)
	if err != nil {
		face.Log.Info("the country does not tell its civil time; wall time is taken", "error", err)
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
