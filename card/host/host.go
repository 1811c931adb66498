package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/card/internal/durable"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Options of a Host; the zero value is good.
type Options struct {
	// Wait is how long Open waits for a card in use, and New and OpenLocal for the folder; 2 s
	// where zero.
	Wait time.Duration
	// CreateKey is the bearer token with which others may create cards over HTTP; "" lets nobody.
	CreateKey string
	// FaultKey is the bearer token with which others may put faults on cards over HTTP (package fault); ""
	// lets nobody. For sandboxes.
	FaultKey string
	// Log gets what went wrong on a socket; discarded where nil.
	Log *slog.Logger
	// Verified is told how each PIN or password that was tried on a chip here came out; nil for
	// nobody. It learns nothing of the card.
	Verified func(Verdict)
	// Watch sees how the cards are used; nil for nobody.
	Watch Watcher
	// OwnKeys gives the chips that are made here the applications' own keys (card.BatchKeys), one
	// set for all of them, kept in the folder.
	OwnKeys bool
	// Switches are laid into the chips that are made here.
	Switches card.Switches
}

func (o Options) filled() Options {
	if o.Wait == 0 {
		o.Wait = 2 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Host serves the chips of one folder. It is safe for concurrent use.
type Host struct {
	dir     string
	options Options
	unlock  func()
	writer  durable.Writer

	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	tasks sync.WaitGroup // sockets and their connections

	creating sync.Mutex      // one creation at a time; owns keys
	keys     *card.BatchKeys // nil until a chip needs them

	faultsMu sync.Mutex // owns faults; taken last
	faults   map[jitsuin.ID]fault.Setting

	mu    sync.Mutex // owns the fields below
	slots map[jitsuin.ID]*slot
	ended bool
}

var _ Cards = (*Host)(nil)

// New takes the folder DATA/cards (made where it is missing), alone in the machine, and opens
// the sockets of the cards that holders have. Conflict "cards-served" where another process
// has the folder.
func New(dir string, options Options) (*Host, error) {
	options = options.filled()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of cards: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("close the folder of cards to others: %w", err)
	}
	unlock, err := lock(filepath.Join(dir, lockName), exclusive, options.Wait)
	if err != nil {
		return nil, err
	}
	h := &Host{dir: dir, options: options, unlock: unlock, writer: durable.New(), slots: map[jitsuin.ID]*slot{}, faults: map[jitsuin.ID]fault.Setting{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	if err := h.openSockets(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// openSockets serves every card that a holder has.
func (h *Host) openSockets() error {
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return fmt.Errorf("list the cards: %w", err)
	}
	for _, e := range entries {
		id, err := jitsuin.ParseID(e.Name())
		if err != nil || !e.IsDir() {
			continue
		}
		s, err := h.slot(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a creation that was interrupted
		}
		if err == nil {
			s.mu.Lock()
			err = s.serveHolder()
			s.mu.Unlock()
		}
		if err != nil {
			return fmt.Errorf("serve card %s: %w", id, err)
		}
	}
	return nil
}

// Close takes every card away from whoever uses it, removes the sockets and gives the folder
// free. Chips need no goodbye: what they acknowledged is in their memory.
func (h *Host) Close() error {
	h.mu.Lock()
	already := h.ended
	h.ended = true
	h.mu.Unlock()
	if already {
		return nil
	}
	h.stop()
	h.mu.Lock()
	slots := h.slots
	h.slots = nil
	h.mu.Unlock()
	for _, s := range slots {
		s.mu.Lock()
		s.closeSocket()
		s.evict()
		s.mu.Unlock()
	}
	h.tasks.Wait()
	h.creating.Lock() // a creation that began before is finished
	defer h.creating.Unlock()
	h.unlock()
	return nil
}

// slot finds a card; fs.ErrNotExist where there is none.
func (h *Host) slot(id jitsuin.ID) (*slot, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil, errClosed()
	}
	if s := h.slots[id]; s != nil {
		return s, nil
	}
	dir := filepath.Join(h.dir, string(id))
	c, err := readCustody(dir)
	if err != nil {
		return nil, err
	}
	s := &slot{host: h, id: id, dir: dir, custody: c, free: make(chan struct{}, 1)}
	s.free <- struct{}{}
	h.slots[id] = s
	return s, nil
}

// byHandle finds the card of a handle, locks it and checks the handle. loan tells whether it is
// the lent one. The caller unlocks.
func (h *Host) byHandle(handle Handle) (s *slot, loan bool, err error) {
	id, err := handle.card()
	if err != nil {
		return nil, false, err
	}
	s, err = h.slot(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, errStale()
	}
	if err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	if loan, err = s.admits(handle); err != nil {
		s.mu.Unlock()
		return nil, false, err
	}
	return s, loan, nil
}

// Create makes a blank chip; see Cards.
func (h *Host) Create(_ context.Context, order Order) (Handle, error) {
	if _, err := jitsuin.ParseID(string(order.ID)); err != nil {
		return "", err
	}
	if err := errors.Join(checkToken(order.Token), order.Custodian.check()); err != nil {
		return "", err
	}
	s, err := h.slot(order.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return h.create(order)
	}
	if err != nil {
		return "", err
	}
	return s.created(order)
}

// create writes chip and then custody; a folder without custody is a creation that was
// interrupted, whose handle nobody has, and is begun anew.
func (h *Host) create(order Order) (Handle, error) {
	h.creating.Lock()
	defer h.creating.Unlock()
	dir := filepath.Join(h.dir, string(order.ID))
	if s, err := h.slot(order.ID); err == nil { // another call was faster
		return s.created(order)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("clear away an unfinished card: %w", err)
	}
	memory, err := card.NewFolder(dir)
	if err != nil {
		return "", err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1e16))
	if err != nil {
		return "", err
	}
	keys, err := h.batch()
	if err != nil {
		return "", err
	}
	blank := card.Blank{Serial: fmt.Sprintf("%016d", serial), TerminalAuthority: order.TerminalAuthority, Profile: order.Profile, Keys: keys, Switches: h.options.Switches}
	if _, err := card.New(memory, blank); err != nil {
		return "", err
	}
	if err := h.writer.SyncDir(h.dir); err != nil {
		return "", fmt.Errorf("sync the folder of cards: %w", err)
	}
	c := &custody{Version: 1, Custodian: order.Custodian, Handle: newHandle(order.ID), Order: order.Token}
	if err := writeCustody(h.writer, dir, c); err != nil {
		return "", err
	}
	return c.Handle, nil
}

// Info says which card a handle opens; see Cards.
func (h *Host) Info(_ context.Context, handle Handle) (Info, error) {
	s, loan, err := h.byHandle(handle)
	if err != nil {
		return Info{}, err
	}
	defer s.mu.Unlock()
	return Info{ID: s.id, Custodian: s.custody.Custodian, Lent: s.custody.Loan != "", Loan: loan}, nil
}

// Open gives the channel to a card; see Cards.
func (h *Host) Open(ctx context.Context, handle Handle) (reader.Card, error) {
	s, _, err := h.byHandle(handle)
	if err != nil {
		return nil, err
	}
	s.mu.Unlock()
	return s.lease(ctx, handle, func() error { return s.mayOpen(handle) })
}

// Transfer passes a card on; see Cards.
func (h *Host) Transfer(_ context.Context, handle Handle, to Custodian, token string) (Handle, error) {
	if err := errors.Join(checkToken(token), to.check()); err != nil {
		return "", err
	}
	id, err := handle.card()
	if err != nil {
		return "", err
	}
	s, err := h.slot(id)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errStale()
	}
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transfer(handle, to, token)
}

// Lend gives a handle for a while; see Cards.
func (h *Host) Lend(_ context.Context, handle Handle) (Handle, error) {
	s, loan, err := h.byHandle(handle)
	if err != nil {
		return "", err
	}
	defer s.mu.Unlock()
	if loan {
		return "", errNotCustodian()
	}
	if s.custody.Loan != "" {
		return "", errLent()
	}
	next := *s.custody
	next.Loan = newHandle(s.id)
	if err := s.record(&next); err != nil {
		return "", err
	}
	s.evict()
	return next.Loan, nil
}

// Retract ends a loan; see Cards.
func (h *Host) Retract(_ context.Context, handle Handle) error {
	s, loan, err := h.byHandle(handle)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if loan {
		return errNotCustodian()
	}
	if s.custody.Loan == "" {
		return nil
	}
	next := *s.custody
	next.Loan = ""
	if err := s.record(&next); err != nil {
		return err
	}
	s.evict()
	return nil
}

func errNotCustodian() error {
	return jitsuin.Errorf(jitsuin.Denied, "not-custodian", "a lent card cannot be passed on or lent further")
}

func errClosed() error {
	return jitsuin.Errorf(jitsuin.Unavailable, "host-closed", "the card host is stopping")
}
