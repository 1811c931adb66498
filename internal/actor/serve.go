package actor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/clock"
)

const (
	// drainTime is how long requests under way may take once the actor ends.
	drainTime = 10 * time.Second
	// lingerTime is how long open connections may still bring a request where another process is
	// to take over the socket.
	lingerTime = time.Second
	headerTime = 10 * time.Second
)

// origin is one address at which the actor answers.
type origin struct {
	listener  net.Listener
	inherited bool // a service manager holds the socket too
	server    *http.Server
	ended     chan struct{} // closed when nothing is accepted any more

	mu    sync.Mutex
	open  int           // connections
	empty chan struct{} // receives when open has come to 0
}

// Listen takes the actor's addresses and begins to answer. An address that is taken is an error at
// once. Run calls it; a country calls it first for all its actors, so that each finds the others.
func (a *Actor) Listen(ctx context.Context) error {
	if a.stop != nil {
		return nil
	}
	if err := a.startFollowers(); err != nil {
		return err
	}
	a.schedule = clock.NewSchedule(a.Clock, a.Log, a.jobs...)
	a.failed = make(chan error, len(a.faces))
	stop, ending := context.WithCancel(context.WithoutCancel(ctx))
	for _, f := range a.faces {
		l, inherited, err := ListenOn(ctx, f.listen)
		if err != nil {
			for _, o := range a.origins {
				o.listener.Close()
			}
			a.origins = nil
			ending()
			return jitsuin.Errorf(jitsuin.Unavailable, "listen", "%s cannot listen on %s: %w", a.Config.Instance, f.listen, err).
				WithHint("something else listens there already; stop it, or choose another address")
		}
		a.origins = append(a.origins, newOrigin(l, inherited, f, withStop(stop, f.handler), a.Log))
	}
	a.stop, a.ending = stop, ending
	for _, o := range a.origins {
		go o.serve(stop, a.failed)
	}
	return nil
}

func newOrigin(l net.Listener, inherited bool, f face, h http.Handler, log *slog.Logger) *origin {
	o := &origin{listener: l, inherited: inherited, ended: make(chan struct{}), empty: make(chan struct{}, 1)}
	o.server = &http.Server{Handler: h, ReadHeaderTimeout: headerTime, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnState: o.count}
	if f.secret != nil {
		o.server.TLSConfig, o.server.ReadHeaderTimeout, o.server.Protocols = f.secret, max(headerTime, f.patient), new(http.Protocols)
		o.server.Protocols.SetHTTP1(true)
		o.server.SetKeepAlivesEnabled(false)
	}
	return o
}

// serve answers until the listener is closed; before stop has ended that is a failure.
func (o *origin) serve(stop context.Context, failed chan<- error) {
	defer close(o.ended)
	serve := o.server.Serve
	if o.server.TLSConfig != nil {
		serve = func(l net.Listener) error { return o.server.ServeTLS(l, "", "") }
	}
	if err := serve(o.listener); stop.Err() == nil && !errors.Is(err, http.ErrServerClosed) {
		failed <- fmt.Errorf("serve %s: %w", o.listener.Addr(), err)
	}
}

func (o *origin) count(_ net.Conn, state http.ConnState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch state {
	case http.StateNew:
		o.open++
	case http.StateClosed, http.StateHijacked:
		if o.open--; o.open == 0 {
			select {
			case o.empty <- struct{}{}:
			default:
			}
		}
	}
}

// shutdown ends all origins at the same time.
func (a *Actor) shutdown(ctx context.Context) {
	drain, stop := context.WithTimeout(ctx, drainTime)
	defer stop()
	var all sync.WaitGroup
	for _, o := range a.origins {
		all.Go(func() {
			if err := o.end(drain); err != nil {
				a.Log.WarnContext(ctx, "requests under way were cut off", "listen", o.listener.Addr().String(), "after", drainTime, "err", err)
			}
		})
	}
	all.Wait()
}

// end stops accepting and answers what is under way.
//
// Where a service manager holds the socket, whoever connects from now on waits in its backlog for
// the next process, and an open connection that brings another request gets an answer that closes
// it: so nobody who keeps connections busy meets one that is closed under them. Only one that was
// idle all that time is closed without an answer, which HTTP allows at any moment (RFC 9112 9.5).
func (o *origin) end(ctx context.Context) error {
	o.listener.Close()
	<-o.ended // what was accepted is known to the server now
	if o.inherited {
		o.linger(ctx)
	}
	err := o.server.Shutdown(ctx)
	if err != nil {
		o.server.Close()
	}
	return err
}

// linger waits until no connection is open, for lingerTime at most.
func (o *origin) linger(ctx context.Context) {
	over := time.NewTimer(lingerTime)
	defer over.Stop()
	for {
		o.mu.Lock()
		open := o.open
		o.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-o.empty:
		case <-over.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

type stopKey struct{}

// Stopping gives a channel that is closed when the actor is about to end: handlers that wait
// (long polls) answer then with what they have.
func Stopping(ctx context.Context) <-chan struct{} {
	if stop, ok := ctx.Value(stopKey{}).(context.Context); ok {
		return stop.Done()
	}
	return nil
}

// withStop lets long polls see the end of the actor without cutting other requests short. Answers
// from then on close their connection.
func withStop(stop context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stop.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), stopKey{}, stop)))
	})
}
