//go:build unix

package country_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
)

// bare is an HTTP client without any cleverness: one connection, one request, no second try.
// net/http's own client would quietly repeat what has an Idempotency-Key.
type bare struct {
	at, path, token string
	status          int
	keep            bool // the connection, for the next request
	conn            net.Conn
	in              *bufio.Reader
}

type statusError struct {
	status int
	body   string
}

func (e *statusError) Error() string { return fmt.Sprintf("answered %d: %s", e.status, e.body) }

func newBare(t *testing.T, f country.Folder, l load, keep bool) (*bare, error) {
	d, err := f.Directory()
	if err != nil {
		return nil, err
	}
	i, err := d.Lookup(l.id)
	if err != nil {
		return nil, err
	}
	b := &bare{at: strings.TrimPrefix(i.Origin, "http://"), path: l.path, status: l.status, keep: keep}
	t.Cleanup(b.close)
	b.token, err = b.buy(f, l)
	return b, err
}

// buy gets an access token with an assertion (RFC 7523).
func (b *bare) buy(f country.Folder, l load) (string, error) {
	self, err := l.self(f)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: self.Key}, nil)
	if err != nil {
		return "", err
	}
	now := time.Now()
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: self.ID, Subject: self.ID, Audience: jwt.Audience{l.id}, ID: string(jitsuin.NewID()),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}).Serialize()
	if err != nil {
		return "", err
	}
	resp, err := http.PostForm("http://"+b.at+"/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err == nil && answer.Token == "" {
		err = errors.New("no token: " + resp.Status)
	}
	return answer.Token, err
}

func (b *bare) close() {
	if b.conn != nil {
		b.conn.Close()
		b.conn = nil
	}
}

// post sends one request and reads its answer.
func (b *bare) post(ctx context.Context, id string, body any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if b.conn == nil {
		if b.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", b.at); err != nil {
			return err
		}
		b.in = bufio.NewReader(b.conn)
	}
	deadline, _ := ctx.Deadline()
	b.conn.SetDeadline(deadline)
	var out bytes.Buffer
	fmt.Fprintf(&out, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nIdempotency-Key: %s\r\nX-Request-Id: %s\r\nContent-Length: %d\r\n",
		b.path, b.at, b.token, id, id, len(content))
	if !b.keep {
		out.WriteString("Connection: close\r\n")
	}
	out.WriteString("\r\n")
	out.Write(content)
	resp, said, err := b.exchange(out.Bytes())
	if err != nil {
		b.close()
		return err
	}
	if resp.Close {
		b.close()
	}
	if resp.StatusCode != b.status {
		return &statusError{resp.StatusCode, string(said)}
	}
	return nil
}

func (b *bare) exchange(request []byte) (*http.Response, []byte, error) {
	if _, err := b.conn.Write(request); err != nil {
		return nil, nil, err
	}
	resp, err := http.ReadResponse(b.in, &http.Request{Method: "POST"})
	if err != nil {
		return nil, nil, err
	}
	said, err := io.ReadAll(resp.Body)
	return resp, said, err
}
