package host

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/fault"
)

// A fault on a card is remembered by the running host alone: it is over when the host ends, and never
// stands in a card's folder.

// Fault says what goes wrong with a card on purpose. NotFound "card-missing" where there is no such card.
func (h *Host) Fault(id jitsuin.ID) (fault.Setting, error) {
	if _, err := h.known(id); err != nil {
		return fault.Setting{}, err
	}
	return h.faultOf(id), nil
}

func (h *Host) known(id jitsuin.ID) (*slot, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return nil, err
	}
	s, err := h.slot(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no card %s here", id)
	}
	return s, err
}

func (h *Host) faultOf(id jitsuin.ID) fault.Setting {
	h.faultsMu.Lock()
	defer h.faultsMu.Unlock()
	if s, ok := h.faults[id]; ok {
		return s
	}
	return fault.Setting{Name: fault.None}
}

// SetFault puts a fault on a card, in the place of the one before, also where a channel to the card is open, and says what is set then.
// Faults that use up a PIN need the card for themselves (Conflict "card-in-use") and are done at once, so
// that nothing stays set.
func (h *Host) SetFault(ctx context.Context, id jitsuin.ID, setting fault.Setting) (fault.Setting, error) {
	setting, err := setting.Checked()
	if err != nil {
		return fault.Setting{}, err
	}
	s, err := h.known(id)
	if err != nil {
		return fault.Setting{}, err
	}
	switch setting.Name {
	case fault.SignPINBlocked:
		err = s.useUp(ctx, jitsuin.SignCert)
	case fault.AuthPINBlocked:
		err = s.useUp(ctx, jitsuin.AuthCert)
	default:
		err = s.setFault(setting)
	}
	return h.faultOf(id), err
}

func (s *slot) setFault(setting fault.Setting) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host.faultsMu.Lock()
	if setting.Name == fault.None {
		delete(s.host.faults, s.id)
	} else {
		s.host.faults[s.id] = setting
	}
	s.host.faultsMu.Unlock()
	if s.current != nil {
		return s.current.setFault(setting)
	}
	return nil
}

// happened forgets a fault that has happened. It is called during a command.
func (s *slot) happened() {
	s.host.faultsMu.Lock()
	defer s.host.faultsMu.Unlock()
	delete(s.host.faults, s.id)
}

func (s *slot) useUp(ctx context.Context, kind jitsuin.CertKind) error {
	if err := s.setFault(fault.Setting{Name: fault.None}); err != nil {
		return err
	}
	l, err := s.lease(ctx, Handle(hidden), s.known)
	if err != nil {
		return err
	}
	defer l.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shim == nil {
		return errGone()
	}
	return fault.UseUp(l.chip, kind)
}

const pathFault = "/v1/faults/{card}" // GET: Fault; PUT: SetFault, with the fault key

// faultBody is a setting on the wire.
type faultBody struct {
	Fault        fault.Name                  `json:"fault"`
	DelayMS      int64                       `json:"delay_ms,omitempty"`
	Certificates map[jitsuin.CertKind][]byte `json:"certificates,omitempty"`
}

func (b faultBody) setting() fault.Setting {
	return fault.Setting{Name: b.Fault, Delay: time.Duration(b.DelayMS) * time.Millisecond, Certificates: b.Certificates}
}

func faultBodyOf(s fault.Setting) faultBody {
	return faultBody{s.Name, s.Delay.Milliseconds(), s.Certificates}
}

func (h *Host) faultRoutes(mux *http.ServeMux) {
	guarded := func(serve http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if h.options.FaultKey == "" {
				answer(w, 0, nil, jitsuin.Errorf(jitsuin.Unsupported, "faults-off", "this card host lets nobody put faults on cards").
					WithHint("fault_key in the configuration of a sandbox's cards:1 lets testers"))
				return
			}
			if !sameSecret(h.options.FaultKey, bearer(r).Reveal()) {
				answer(w, 0, nil, jitsuin.Errorf(jitsuin.Unauthenticated, "fault-key", "faults are set with the host's fault key"))
				return
			}
			serve(w, r)
		}
	}
	mux.HandleFunc("GET "+pathFault, guarded(func(w http.ResponseWriter, r *http.Request) {
		s, err := h.Fault(jitsuin.ID(r.PathValue("card")))
		answer(w, http.StatusOK, faultBodyOf(s), err)
	}))
	mux.HandleFunc("PUT "+pathFault, guarded(func(w http.ResponseWriter, r *http.Request) {
		var body faultBody
		if !readBody(w, r, &body) {
			return
		}
		s, err := h.SetFault(r.Context(), jitsuin.ID(r.PathValue("card")), body.setting())
		answer(w, http.StatusOK, faultBodyOf(s), err)
	}))
}

// Faults sets faults on the cards of a host on another machine, or in another process.
type Faults struct {
	client *client
	key    string
}

// FaultsAt gives the faults of the cards of a host, whose address is as for Client, to who has its fault key.
func FaultsAt(baseURL, key string, options ClientOptions) (*Faults, error) {
	c, err := newClient(baseURL, options)
	return &Faults{c, key}, err
}

// Of is Host.Fault. Unsupported "faults-off" where the host has no fault key: it is no sandbox's.
func (f *Faults) Of(ctx context.Context, id jitsuin.ID) (fault.Setting, error) {
	return f.call(ctx, http.MethodGet, id, nil)
}

// Set is Host.SetFault.
func (f *Faults) Set(ctx context.Context, id jitsuin.ID, s fault.Setting) (fault.Setting, error) {
	return f.call(ctx, http.MethodPut, id, faultBodyOf(s))
}

func (f *Faults) call(ctx context.Context, method string, id jitsuin.ID, in any) (fault.Setting, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return fault.Setting{}, err
	}
	var out faultBody
	err := f.client.call(ctx, method, "/v1/faults/"+string(id), f.key, in, &out)
	return out.setting(), err
}
