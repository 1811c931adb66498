package tour

import (
	"context"
	"errors"
	"fmt"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
)

// Options of Run.
type Options struct {
	Data     string // folder of a running country; "" or one that does not run: a temporary country is made
	Out      string // folder for the evidence; "" leaves none
	Contract string // a PDF to be signed; "" is the application for the account
	Lang     string // ja or en
	Writer   io.Writer
	Color    bool
	Log      *slog.Logger
	// Soon is within what time everybody must be told that a certificate has ended: a second, where it is 0, which is what a country promises. Tests, which
	// run beside others, allow more.
	Soon time.Duration
}

// Run plays the story and tells whether every expectation held. An error means that it could not be
// played to its end.
func Run(ctx context.Context, o Options) (ok bool, err error) {
	if o.Writer == nil {
		o.Writer = io.Discard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Soon == 0 {
		o.Soon = time.Second
	}
	contract, err := readContract(o.Contract)
	if err != nil {
		return false, err
	}
	folder, stop, err := theCountry(ctx, o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	rec, err := newRecorder(o)
	if err != nil {
		return false, err
	}
	defer rec.close()
	s, err := newStory(ctx, folder, rec, contract)
	if err != nil {
		return false, err
	}
	s.soon = o.Soon
	if err := s.play(ctx); err != nil {
		return false, err
	}
	rec.summary()
	return rec.bad == 0, nil
}

const maxContract = 16 << 20

func readContract(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "contract-read", "the contract: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxContract+1))
	switch {
	case err != nil:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "contract-read", "the contract: %w", err)
	case len(raw) > maxContract:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "contract-size", "the contract is larger than %d MiB", maxContract>>20)
	case len(raw) < 5 || string(raw[:5]) != "%PDF-":
		return nil, jitsuin.Errorf(jitsuin.Invalid, "contract-form", "%s is no PDF", path)
	}
	return raw, nil
}

// theCountry gives the running country of o.Data, or makes a temporary one.
func theCountry(ctx context.Context, o Options) (country.Folder, func() error, error) {
	if o.Data != "" {
		f := country.Folder(o.Data)
		if _, err := f.Facts(); err == nil {
			if _, err := country.CivilNow(ctx, f); err == nil {
				return f, func() error { return nil }, nil
			}
		}
	}
	dir, err := os.MkdirTemp("", "jitsuin-tour-")
	if err != nil {
		return "", nil, fmt.Errorf("temporary country: %w", err)
	}
	port, err := freeport.Find()
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ready, ended := make(chan country.Folder, 1), make(chan error, 1)
	go func() {
		ended <- country.Up(ctx, country.Options{Data: dir, Listen: "127.0.0.1:" + strconv.Itoa(port), Log: o.Log, Quick: true, Seed: 1,
			Ready: func(f country.Folder) { ready <- f }})
	}()
	stop := func() error {
		cancel()
		err := <-ended
		return errors.Join(err, os.RemoveAll(dir))
	}
	select {
	case f := <-ready:
		return f, stop, nil
	case err := <-ended:
		cancel()
		return "", nil, errors.Join(fmt.Errorf("the temporary country did not come to life: %w", err), os.RemoveAll(dir))
	case <-time.After(time.Minute):
		return "", nil, errors.Join(jitsuin.Errorf(jitsuin.Unavailable, "not-ready", "the temporary country is not ready after a minute"), stop())
	}
}
