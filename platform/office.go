package platform

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/platform/office"
)

// OperatorsConfig is about the people of the office and where they sit.
type OperatorsConfig struct {
	// Terminals are the names of terminals by the addresses of their browsers, such as 192.0.2.7: "office, seat 1". The operation log
	// names a terminal that has none by its address.
	Terminals map[string]string `yaml:"terminals,omitempty"`
	// Proxies are the addresses of proxies in front of this platform: what they write into X-Forwarded-For is believed.
	Proxies []string `yaml:"proxies,omitempty"`
}

// officeDesk is what Platform has for its own people.
type officeDesk struct {
	acts office.Sensitive // what needs two of them
}

const rolePerson = "person"

type sessionKey struct{}

// sessionOf gives the session of the person of the office who asks.
func sessionOf(ctx context.Context) (office.Session, bool) {
	s, ok := ctx.Value(sessionKey{}).(office.Session)
	return s, ok
}

// openOffice readies what the people of the office have; topics may register their sensitive acts from then on.
func (p *Platform) openOffice() {
	p.acts = office.Sensitive{}
	p.API.Visitors(p.visitor)
	p.Go("certificates of the office", p.watchSessions)
	p.errands.Handle(officeErrand, errand.Handler{Decide: p.decideOfficeLogin, Arrive: p.arriveAtOffice})
}

// sensitive gives an act that needs two people its effect. A topic calls it where it registers its routes.
func (p *Platform) sensitive(a office.Act, e office.Effect) { p.acts.Register(a, e) }

// person lets in people of the office who may do an act, or propose it where two people are needed: the table of duties decides.
func (p *Platform) person(a office.Act) httpapi.Policy {
	d := office.DutyOf(a)
	return httpapi.Checked("People of the office: "+rolesText(d.May), func(ctx context.Context, c httpapi.Caller) error {
		s, ok := sessionOf(ctx)
		if !ok || c.ID != s.Person.Caller() {
			return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s may not use this", c.ID)
		}
		return mayDo(s.Person, a)
	})
}

func rolesText(roles []office.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

func mayDo(who office.Person, a office.Act) error {
	if who.May(a) {
		return nil
	}
	return jitsuin.Errorf(jitsuin.Denied, "not-your-duty", "this is not among the duties of your role: %s", a).
		WithHint("it is for: %s", rolesText(office.DutyOf(a).May))
}

func (p *Platform) sessionCookie() string {
	return strings.ReplaceAll(p.Config.Instance, ":", "-") + "-office"
}

// visitor tells whose browser it is, by the cookie of a session. A session that is over is nobody.
func (p *Platform) visitor(r *http.Request) (context.Context, httpapi.Caller, error) {
	token := cookieOf(r, p.sessionCookie())
	if token == "" {
		return r.Context(), httpapi.Caller{}, nil
	}
	var s office.Session
	now := time.Now()
	err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) { s, err = office.SessionOf(tx, token, now); return err })
	if jitsuin.KindOf(err) == jitsuin.Unauthenticated && err != nil {
		return r.Context(), httpapi.Caller{}, nil
	}
	if err == nil && s.Stale(now) {
		err = p.DB.Update(r.Context(), func(tx *store.Tx) error { return office.Seen(tx, s.Hash, now) })
	}
	if err != nil {
		return r.Context(), httpapi.Caller{}, err
	}
	s.Terminal = p.terminal(r)
	ctx := context.WithValue(r.Context(), sessionKey{}, s)
	return audit.With(ctx, audit.Person{Name: s.Person.Signed(), Terminal: s.Terminal}), httpapi.Caller{ID: s.Person.Caller(), Role: rolePerson}, nil
}

// terminal names where a browser is: by the configuration, or its address.
func (p *Platform) terminal(r *http.Request) string {
	at := plainAddress(r.RemoteAddr)
	if slices.Contains(p.cfg.Operators.Proxies, at) {
		forwarded := r.Header.Get("X-Forwarded-For") // the last one was added by the proxy itself
		if last := plainAddress(strings.TrimSpace(forwarded[strings.LastIndex(forwarded, ",")+1:])); last != "" {
			at = last
		}
	}
	if name := p.cfg.Operators.Terminals[at]; name != "" {
		return name
	}
	return at
}

// plainAddress gives an address without its port, "" for what is none.
func plainAddress(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	return a.Unmap().String()
}

// byPerson has a person of the office do something alone, once: their duty is looked at in the transaction of the act, so who was
// cut off or lost the role a moment ago does nothing more. in is what makes a repetition the same. The reason stands in the lines
// that fn writes.
func byPerson[O any](ctx context.Context, p *Platform, a office.Act, reason string, in any, fn func(ctx context.Context, tx *store.Tx, who office.Person) (O, error)) (O, error) {
	var none O
	s, ok := sessionOf(ctx)
	if !ok {
		return none, jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in, or the session is over")
	}
	if office.DutyOf(a).Reason {
		if err := office.CheckReason(reason); err != nil {
			return none, err
		}
	}
	ctx = audit.With(ctx, audit.Person{Name: s.Person.Signed(), Terminal: s.Terminal, Reason: reason})
	return httpapi.Once(ctx, p.DB, string(a), []any{in, reason}, func(tx *store.Tx) (O, error) {
		who, err := office.PersonOf(tx, s.Person.ID)
		if err == nil {
			err = mayDo(who, a)
		}
		if err != nil {
			return none, err
		}
		return fn(ctx, tx, who)
	})
}

// officePage is a page for people of the office who may do an act. Nobody is led to the login, and who may not is told whose duty it is.
func (p *Platform) officePage(pattern string, a office.Act, h web.Handler) {
	p.site.Guard(p.API, pattern, p.person(a), h, func(w http.ResponseWriter, r *http.Request, err error) error {
		if jitsuin.KindOf(err) == jitsuin.Unauthenticated {
			return p.officeLoginPage(w, r, http.StatusUnauthorized)
		}
		return err
	})
}
