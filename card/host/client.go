package host

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/vpcd"
)

// ClientOptions of Client; the zero value is good for using cards.
type ClientOptions struct {
	CreateKey string       // the host's, for Create
	HTTP      *http.Client // http.DefaultClient's settings where nil
	// Headers are further headers of each call, such as the id of the act that it belongs to; nil for none.
	Headers func(ctx context.Context) http.Header
}

// headers gives the headers of a call.
func (o ClientOptions) headers(ctx context.Context, secret string) http.Header {
	h := http.Header{}
	if o.Headers != nil {
		h = o.Headers(ctx)
	}
	h.Set("Authorization", "Bearer "+secret)
	return h
}

// Client gives the cards of a host on another machine (Host.Handler). baseURL must be https,
// except for this machine: handles travel in it.
func Client(baseURL string, options ClientOptions) (Cards, error) {
	c, err := newClient(baseURL, options)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func newClient(baseURL string, options ClientOptions) (*client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "host-url", "the card host's address is an https URL")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "host-url", "a card host on another machine is called with https only")
	}
	if options.HTTP == nil {
		options.HTTP = &http.Client{}
	}
	return &client{strings.TrimSuffix(u.String(), "/"), options}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

type client struct {
	base    string
	options ClientOptions
}

func (c *client) Create(ctx context.Context, order Order) (Handle, error) {
	var authority []byte
	var err error
	if order.TerminalAuthority != nil {
		authority, err = x509.MarshalPKIXPublicKey(order.TerminalAuthority)
	}
	if err != nil || authority == nil {
		return "", jitsuin.Errorf(jitsuin.Invalid, "terminal-key", "the terminal authority's key is no P-256 key").At("terminal_authority")
	}
	var out handleBody
	err = c.call(ctx, http.MethodPost, pathCards, c.options.CreateKey,
		orderBody{order.ID, order.Token, order.Custodian, authority, order.Profile}, &out)
	return out.Handle, err
}

func (c *client) Info(ctx context.Context, handle Handle) (out Info, err error) {
	err = c.call(ctx, http.MethodGet, pathCard, handle.Reveal(), nil, &out)
	return out, err
}

func (c *client) Transfer(ctx context.Context, handle Handle, to Custodian, token string) (Handle, error) {
	var out handleBody
	err := c.call(ctx, http.MethodPost, pathTransfer, handle.Reveal(), transferBody{to, token}, &out)
	return out.Handle, err
}

func (c *client) Lend(ctx context.Context, handle Handle) (Handle, error) {
	var out handleBody
	err := c.call(ctx, http.MethodPost, pathLoan, handle.Reveal(), nil, &out)
	return out.Handle, err
}

func (c *client) Retract(ctx context.Context, handle Handle) error {
	return c.call(ctx, http.MethodDelete, pathLoan, handle.Reveal(), nil, &struct{}{})
}

// Open opens the channel. ctx bounds the opening alone.
func (c *client) Open(ctx context.Context, handle Handle) (reader.Card, error) {
	ws, response, err := websocket.Dial(ctx, c.base+pathChannel, &websocket.DialOptions{
		HTTPClient: c.options.HTTP,
		HTTPHeader: c.options.headers(ctx, handle.Reveal()),
	})
	if err != nil && response != nil && response.StatusCode != http.StatusSwitchingProtocols {
		return nil, readProblem(response)
	}
	if err != nil {
		return nil, unreachable(err)
	}
	return vpcd.NewConn(websocket.NetConn(context.Background(), ws, websocket.MessageBinary)), nil
}

func unreachable(err error) error {
	return jitsuin.Errorf(jitsuin.Unavailable, "host-unreachable", "the card host cannot be reached: %w", err)
}

func (c *client) call(ctx context.Context, method, path, secret string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	request.Header = c.options.headers(ctx, secret)
	response, err := c.options.HTTP.Do(request)
	if err != nil {
		return unreachable(err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return readProblem(response)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxBody)).Decode(out); err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "host-answer", "the card host's answer cannot be read: %w", err)
	}
	return nil
}
