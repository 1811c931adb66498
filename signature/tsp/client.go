package tsp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Client asks one time-stamping authority over HTTP (RFC 3161 §3.4).
type Client struct {
	URL    string
	HTTP   *http.Client          // nil: http.DefaultClient; its timeouts and redirects are the caller's choice, beside the context
	Policy asn1.ObjectIdentifier // asked for; nil: any
	Rand   io.Reader             // of nonces; nil: the system's
	// Certificates may be the authority's, beside those in the token.
	Certificates []*x509.Certificate
}

// Stamp has the digest sum stamped and gives the token, which answers this very request and is sound
// as Token.Verify says. Whether the authority is trusted, and whether the time is right, is the
// caller's to judge. Errors: Unavailable where the authority does not answer or cannot stamp now,
// Denied where it refuses, Invalid where the answer is none, or one to something else.
func (c *Client) Stamp(ctx context.Context, h crypto.Hash, sum []byte) (*Token, error) {
	q, err := NewRequest(h, sum, c.Rand)
	if err != nil {
		return nil, err
	}
	q.Policy = c.Policy
	r, err := c.Ask(ctx, q)
	if err != nil {
		return nil, err
	}
	t, err := r.Answer(q)
	if err != nil {
		return nil, err
	}
	if result := t.Verify(sum, c.Certificates); !result.Intact() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "tsp-token", "the authority's token is not sound: %s", firstFault(result))
	}
	return t, nil
}

// Token is Stamp for those who want the token as it came, such as cms.AddTimestamp.
func (c *Client) Token(ctx context.Context, h crypto.Hash, sum []byte) ([]byte, error) {
	t, err := c.Stamp(ctx, h, sum)
	if err != nil {
		return nil, err
	}
	return t.DER, nil
}

// firstFault says in a few words what a result fails on.
func firstFault(r *cms.Result) string {
	for _, c := range r.Checks {
		if !c.OK && c.Fault != cms.FaultWeak {
			return fmt.Sprintf("%s is %s in place of %s", c.What, c.Got, c.Expected)
		}
	}
	return "the authority's certificate is not at hand"
}

// Ask sends a request and gives the answer, refusals included. Nothing of it is held to the request.
func (c *Client) Ask(ctx context.Context, q *Request) (*Response, error) {
	der, err := q.Marshal()
	if err != nil {
		return nil, err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(der))
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "tsp-url", "the authority's address: %w", err)
	}
	post.Header.Set("Content-Type", QueryType)
	post.Header.Set("Accept", ReplyType)
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(post)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "tsp-unreachable", "the time-stamping authority does not answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxResponse+1))
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "tsp-unreachable", "the answer of the time-stamping authority breaks off: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "tsp-http", "the time-stamping authority answers HTTP %d", resp.StatusCode)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != ReplyType {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "tsp-http", "the answer has not the type %s", ReplyType).
			WithHint("is this the address of a time-stamping authority?")
	}
	return ParseResponse(body)
}
