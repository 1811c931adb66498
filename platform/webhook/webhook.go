// Package webhook sends signed events to addresses that tenants name. An address is the word of a stranger: the
// platform must not be led by it into a network that it stands in. So only https is spoken, redirects are not
// followed, no proxy is asked, and the address that a name resolves to is judged at the moment of dialling, where
// no second answer of a name server can change it. Answers are bounded in size and time.
//
// It owns that way out and nothing else: it knows no tenant, keeps no queue and retries nothing.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/api"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 10

// Sender sends. It is safe for concurrent use.
type Sender struct {
	loopback bool
	http     *http.Client
}

// New makes a sender whose every exchange ends within a time. loopback, for sandboxes, lets addresses on this
// machine in, and http to them.
func New(loopback bool, timeout time.Duration) *Sender {
	s := &Sender{loopback: loopback}
	dialer := &net.Dialer{Timeout: timeout, Control: s.control}
	s.http = &http.Client{Timeout: timeout, Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout,
		ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 16 << 10, MaxIdleConnsPerHost: 1, MaxIdleConns: 256, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s
}

// Close drops idle connections.
func (s *Sender) Close() { s.http.CloseIdleConnections() }

// Check refuses what is no address to send to: Invalid "webhook-url". Where its name leads is judged by Send.
func (s *Sender) Check(address string) error {
	refuse := func(why string) error {
		return jitsuin.Errorf(jitsuin.Invalid, "webhook-url", "the address %s", why).At("url")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return refuse("is no URL with a host")
	case u.User != nil || u.Fragment != "" || strings.Contains(address, "#"):
		return refuse("must have neither a user nor a fragment")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http" || !s.loopback:
		return refuse("must begin with https")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		return refuse("may be http on this machine only")
	}
	return nil
}

var errRefused = errors.New("the address does not lie in the public internet")

// control is asked for each address before it is dialled, after its name was resolved.
func (s *Sender) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !s.allowed(at.Addr()) {
		return errRefused
	}
	return nil
}

// special are ranges that are no part of the public internet, or lead back into others (RFC 6890 and its
// registries, RFC 6052, RFC 3056, RFC 4380), beyond those that netip knows by name.
var special = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")

func prefixes(all ...string) (list []netip.Prefix) {
	for _, p := range all {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// allowed tells whether an address may be dialled.
func (s *Sender) allowed(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.IsLoopback() {
		return s.loopback
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.Zone() != "" {
		return false
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// Send posts a signed event and gives what was answered to it. No error means that it was taken (a status of 2xx).
// Errors: Denied "webhook-address" for an address that must not be dialled, Unavailable "webhook-unreachable" where
// nobody answers in time, Unavailable "webhook-answered" for any other status. None of them says what the answer held.
func (s *Sender) Send(ctx context.Context, address, token string) ([]byte, error) {
	return s.Post(ctx, address, api.MediaTypePush, token)
}

// Post is Send for a body of another media type.
func (s *Sender) Post(ctx context.Context, address, mediaType, body string) ([]byte, error) {
	if err := s.Check(address); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "webhook-url", "the address cannot be asked").At("url")
	}
	req.GetBody = nil // the transport repeats nothing by itself
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "jitsuin-platform")
	resp, err := s.http.Do(req)
	switch {
	case errors.Is(err, errRefused):
		return nil, jitsuin.Errorf(jitsuin.Denied, "webhook-address", "%w", errRefused).At("url")
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "webhook-unreachable", "%s", reason(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "webhook-answered", "the address answered %d", resp.StatusCode)
	case err != nil || len(answer) > maxAnswer:
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "webhook-answered", "the address answered more than %d bytes, or was cut off", maxAnswer)
	}
	return answer, nil
}

// reason says why an address was not reached, in words that tell nothing about the network it was tried from.
func reason(err error) string {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &dns):
		return "the address's name does not resolve"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the address did not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens at the address"
	case strings.Contains(fmt.Sprint(err), "tls:"), strings.Contains(fmt.Sprint(err), "x509:"):
		return "the address's certificate or TLS is not accepted"
	}
	return "the address did not answer, or broke off"
}
