package httpapi

import (
	"context"
	"net"
	"net/http"
	"strings"
)

// TerminalOf gives the address from which the request of a context came, without its port; "" outside one.
//
// Where the connection comes from this very machine, a proxy in front may have taken it for somebody else: what the
// proxy itself wrote last into X-Forwarded-For is taken then. What a client wrote there before it is never believed.
func TerminalOf(ctx context.Context) string {
	t, _ := ctx.Value(terminalKey).(string)
	return t
}

func terminal(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsLoopback() {
		return host
	}
	all := r.Header.Values("X-Forwarded-For")
	if len(all) == 0 {
		return host
	}
	last := all[len(all)-1]
	if i := strings.LastIndexByte(last, ','); i >= 0 {
		last = last[i+1:]
	}
	if forwarded := net.ParseIP(strings.TrimSpace(last)); forwarded != nil {
		return forwarded.String()
	}
	return host
}

// Refused is one request that was turned away: without a token, with a wrong one, or by a policy.
type Refused struct {
	Caller   string // as the access token proved it; "" for nobody
	Terminal string
	Route    string // the pattern, "none" where no route took it
	Code     string // of the problem
}

// OnRefused has f told of every request that is refused for who asks. It must be quick and safe for concurrent
// use, and belongs before anything is served.
func (a *API) OnRefused(f func(Refused)) { a.refused = f }

// withRefused tells of refusals; it stands outside of what finds out who asks.
func (a *API) withRefused(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.refused == nil {
			next.ServeHTTP(w, r)
			return
		}
		seen, ok := r.Context().Value(observedKey).(*observed)
		if !ok {
			seen = &observed{}
			r = r.WithContext(context.WithValue(r.Context(), observedKey, seen))
		}
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(sw, r)
		token := seen.route == "POST /token"
		switch {
		case sw.status == http.StatusUnauthorized, sw.status == http.StatusForbidden:
		case token && sw.status == http.StatusBadRequest:
		default:
			return
		}
		f := Refused{Caller: seen.caller, Terminal: TerminalOf(r.Context()), Route: seen.route, Code: seen.code}
		if f.Route == "" {
			f.Route = noRoute
		}
		if f.Code == "" && token {
			f.Code = "invalid-grant"
		}
		a.refused(f)
	})
}
