package site

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/form"
)

// Bounds of what is fetched, in bytes.
const (
	maxRequest  = 64 << 10
	maxDocument = 4 << 20
)

const requestPath = "/v1/holder-requests/"

// begin fetches and checks the request at uri, and what is to be signed. Errors: Denied "request-foreign" where
// no platform of the directory is there, NotFound "request-unknown", Conflict "request-answered", those of
// api.OpenRequest, and for the document Invalid "document-differs", "document-large", or those of form.Parse.
func (s *Site) begin(ctx context.Context, uri string) (*flow, error) {
	platform, txn, err := s.platformAt(uri)
	if err != nil {
		return nil, err
	}
	raw, err := s.fetch(ctx, uri, maxRequest)
	if jitsuin.KindOf(err) == jitsuin.NotFound {
		err = jitsuin.Errorf(jitsuin.NotFound, "request-unknown", "the platform has no such request, or it has expired")
	}
	if jitsuin.KindOf(err) == jitsuin.Conflict {
		err = jitsuin.Errorf(jitsuin.Conflict, "request-answered", "the request has been answered on another device, or was ended where it was begun")
	}
	if err != nil {
		return nil, err
	}
	claims, err := api.OpenRequest(strings.TrimSpace(string(raw)), func(id string) (*ecdsa.PublicKey, error) { return keyOf(platform, id) }, time.Now())
	if err != nil {
		return nil, err
	}
	if string(claims.Txn) != txn {
		return nil, jitsuin.Errorf(jitsuin.Denied, "request-foreign", "another request lies where this one should be")
	}
	if err := s.notAnswered(ctx, claims.Txn); err != nil {
		return nil, err
	}
	f := &flow{claims: claims, uri: uri, until: time.Unix(claims.ExpiresAt, 0).Add(lateTime)}
	return f, s.fetchDocument(ctx, f)
}

// platformAt finds the platform of the directory at which a request's address lies.
func (s *Site) platformAt(uri string) (httpapi.Instance, string, error) {
	for _, p := range s.Directory.Role("platform") {
		txn, ok := strings.CutPrefix(uri, p.Origin+requestPath)
		if _, err := jitsuin.ParseID(txn); ok && err == nil && p.Origin != "" {
			return p, txn, nil
		}
	}
	return httpapi.Instance{}, "", jitsuin.Errorf(jitsuin.Denied, "request-foreign", "the request does not lie at a platform that is known here").At("request_uri")
}

func keyOf(p httpapi.Instance, id string) (*ecdsa.PublicKey, error) {
	if id == p.ID {
		for _, k := range p.Keys {
			if key, ok := k.Key.(*ecdsa.PublicKey); ok {
				return key, nil
			}
		}
	}
	return nil, jitsuin.Errorf(jitsuin.NotFound, "instance-unknown", "no key of %q", id)
}

// fetchDocument gets what is to be signed, exactly as the request's digest says.
func (s *Site) fetchDocument(ctx context.Context, f *flow) error {
	if f.claims.Act != api.ActSign {
		return nil
	}
	d := f.claims.Documents[0]
	if d.MediaType == api.MediaTypeDigest {
		return nil // the page says that there is nothing to read
	}
	raw, err := s.fetch(ctx, d.HRef, maxDocument)
	switch {
	case jitsuin.KindOf(err) == jitsuin.NotFound:
		return jitsuin.Errorf(jitsuin.NotFound, "document-missing", "the document is not where the request says")
	case err != nil:
		return err
	}
	if sum := sha256.Sum256(raw); !bytes.Equal(sum[:], d.SHA256) {
		return jitsuin.Errorf(jitsuin.Invalid, "document-differs", "the document is not the one that the request names")
	}
	if d.MediaType == api.MediaTypeForm {
		parsed, err := form.Parse(raw)
		f.form = &parsed
		return err
	}
	if d.MediaType == api.MediaTypeText {
		f.signed = raw
		if !utf8.Valid(raw) {
			return jitsuin.Errorf(jitsuin.Invalid, "document-kind", "the document is no text")
		}
		return nil
	}
	if !bytes.HasPrefix(raw, []byte("%PDF-")) {
		return jitsuin.Errorf(jitsuin.Invalid, "document-kind", "the document is no PDF")
	}
	f.signed = raw
	return nil
}

// fetch gets what lies at a link: no redirect is followed, and more than most bytes is Invalid "document-large".
func (s *Site) fetch(ctx context.Context, link string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the link cannot be followed")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return nil, jitsuin.Errorf(jitsuin.NotFound, "document-missing", "nothing is there")
	case resp.StatusCode == http.StatusConflict:
		return nil, jitsuin.Errorf(jitsuin.Conflict, "document-over", "what was there is over")
	case resp.StatusCode != http.StatusOK:
		return nil, unreachable(ctx, fmt.Errorf("answered %s", resp.Status))
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return nil, unreachable(ctx, err)
	case int64(len(raw)) > most:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "document-large", "what lies there has more than %d bytes", most)
	}
	return raw, nil
}

func unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "client-unreachable", "the other side does not answer: %w", err)
}
