package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Remote is one callee seen from one caller: it knows the callee's origin, buys access tokens
// when they are needed and carries request ids on. Safe for concurrent use.
type Remote struct {
	self   Identity
	target string
	origin func() (string, error)
	http   *http.Client
	failed func() // told when the callee does not answer; nil for nobody

	mu    sync.Mutex
	token string
	until time.Time
}

// NewRemote is the way from self to the instance target, whose origin stands in the directory.
func NewRemote(self Identity, d *Directory, target string) *Remote {
	return newRemote(self, target, func() (string, error) {
		i, err := d.Lookup(target)
		return i.Origin, err
	})
}

// NewRemoteAt is the way to a callee outside a directory: its origin is given.
func NewRemoteAt(self Identity, origin, target string) *Remote {
	return newRemote(self, target, func() (string, error) { return origin, nil })
}

func newRemote(self Identity, target string, origin func() (string, error)) *Remote {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // actors never go through a proxy of the environment
	transport.MaxIdleConnsPerHost = 32
	return &Remote{self: self, target: target, origin: origin,
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// OnUnreachable has f called each time that the callee does not answer. It belongs before the first call.
func (r *Remote) OnUnreachable(f func()) { r.failed = f }

// Self gives the id of the caller.
func (r *Remote) Self() string { return r.self.ID }

// Target gives the id of the callee.
func (r *Remote) Target() string { return r.target }

// Close drops idle connections.
func (r *Remote) Close() { r.http.CloseIdleConnections() }

func (r *Remote) unavailable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if r.failed != nil {
		r.failed()
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "callee-unreachable", "%s does not answer: %w", r.target, err)
}

func (r *Remote) buy(ctx context.Context, origin string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token != "" && time.Until(r.until) > 0 {
		return r.token, nil
	}
	a, err := assertion(r.self.ID, r.self.Key, r.target, time.Now())
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	form := url.Values{"grant_type": {grantJWT}, "assertion": {a}}
	req, err := http.NewRequestWithContext(ctx, "POST", origin+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := r.http.Do(req)
	if err != nil {
		return "", r.unavailable(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	var ok tokenAnswer
	if resp.StatusCode != 200 || json.Unmarshal(body, &ok) != nil || ok.AccessToken == "" {
		var no oauthError
		json.Unmarshal(body, &no)
		if resp.StatusCode >= 500 {
			return "", r.unavailable(fmt.Errorf("token endpoint: %s", resp.Status))
		}
		return "", jitsuin.Errorf(jitsuin.Unauthenticated, "assertion", "%s sells %s no token: %s", r.target, r.self.ID, no.Description)
	}
	// Half the life: a token is never used so late that it could expire under way.
	r.token, r.until = ok.AccessToken, time.Now().Add(time.Duration(ok.ExpiresIn)*time.Second/2)
	return r.token, nil
}

func (r *Remote) forget() {
	r.mu.Lock()
	r.token = ""
	r.mu.Unlock()
}

// RoundTrip sends a request whose URL has only a path to the callee, with token and request id.
// A token that the callee no longer takes (it has restarted) is bought anew, once.
func (r *Remote) RoundTrip(req *http.Request) (*http.Response, error) {
	for try := 0; ; try++ {
		origin, err := r.origin()
		if err != nil {
			return nil, err
		}
		if origin == "" {
			return nil, jitsuin.Errorf(jitsuin.NotFound, "instance-origin", "%s has no origin in the directory", r.target)
		}
		token, err := r.buy(req.Context(), origin)
		if err != nil {
			return nil, err
		}
		out := req.Clone(req.Context())
		u, err := url.Parse(origin)
		if err != nil {
			return nil, fmt.Errorf("origin of %s: %w", r.target, err)
		}
		out.URL.Scheme, out.URL.Host, out.Host = u.Scheme, u.Host, u.Host
		out.Header.Set("Authorization", "Bearer "+token)
		if id := RequestID(req.Context()); id != "" {
			out.Header.Set(HeaderRequestID, id)
		}
		if req.GetBody != nil {
			if out.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
		resp, err := r.http.Transport.RoundTrip(out)
		if err != nil {
			return nil, r.unavailable(err)
		}
		if resp.StatusCode == http.StatusUnauthorized && try == 0 && (req.Body == nil || req.GetBody != nil) {
			resp.Body.Close()
			r.forget()
			continue
		}
		return resp, nil
	}
}

// HTTPClient gives an *http.Client whose every request goes to the callee with our token. URLs are
// written with any host, such as http://callee/feeds/x; the directory's origin takes its place.
func (r *Remote) HTTPClient() *http.Client {
	return &http.Client{Transport: r, CheckRedirect: r.http.CheckRedirect}
}

// Call sends in as JSON (nil for none) and reads the answer into out (nil to drop it). An answer
// of 400 or more comes back as the *jitsuin.Error that the callee had. key, where it is not "",
// is the Idempotency-Key: with one, a call whose answer was lost is repeated.
func (r *Remote) Call(ctx context.Context, method, path, key string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	tries := 1
	if key != "" || method == http.MethodGet {
		tries = 4
	}
	var err error
	for i := range tries {
		if i > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(50<<(2*i)) * time.Millisecond):
			}
		}
		if err = r.once(ctx, method, path, key, body, out); jitsuin.KindOf(err) != jitsuin.Unavailable || err == nil {
			return err
		}
	}
	return err
}

func (r *Remote) once(ctx context.Context, method, path, key string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://callee"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set(HeaderIdempotencyKey, key)
	}
	resp, err := r.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return DecodeProblem(resp)
	}
	if out == nil {
		io.Copy(io.Discard, io.LimitReader(resp.Body, MaxBody))
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(out); err != nil {
		return r.unavailable(fmt.Errorf("answer of %s %s cut short: %w", method, path, err))
	}
	return nil
}

// Do is Call with the answer as a value.
func Do[O any](ctx context.Context, r *Remote, method, path, key string, in any) (O, error) {
	var out O
	err := r.Call(ctx, method, path, key, in, &out)
	return out, err
}
