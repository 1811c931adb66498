package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

var errUnchanged = errors.New("nothing has changed")

// client is used where nobody gave one: no cookie, few redirects, and no waiting for ever.
var client = &http.Client{
	CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 {
			return errors.New("it redirects too often")
		}
		if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
			return errors.New("it redirects from https to http")
		}
		return nil
	},
	Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: time.Minute, TLSHandshakeTimeout: 15 * time.Second,
		DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
}

// get fetches one list by HTTP, unless it has not changed since it was stored.
func (f *Fetcher) get(ctx context.Context, url string, st *SourceState) ([][]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("User-Agent", "jitsuin-verifier")
	if f.stored(st) {
		setIf(q.Header, "If-None-Match", st.ETag)
		setIf(q.Header, "If-Modified-Since", st.Modified)
	}
	c := f.HTTP
	if c == nil {
		c = client
	}
	answer, err := c.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotModified && f.stored(st):
		return nil, errUnchanged
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the source answers %s", answer.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, f.maxList()+1))
	if err == nil && int64(len(raw)) > f.maxList() {
		err = fmt.Errorf("the answer is larger than %d bytes", f.maxList())
	}
	if err == nil && answer.ContentLength > 0 && int64(len(raw)) != answer.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	st.ETag, st.Modified = bounded(answer.Header.Get("ETag")), bounded(answer.Header.Get("Last-Modified"))
	return [][]byte{raw}, nil
}

// stored tells whether the files of the last answer are all there: only then may the source say "not modified".
func (f *Fetcher) stored(st *SourceState) bool {
	for _, name := range st.Files {
		if _, err := os.Stat(filepath.Join(f.Folder.Path, filepath.Base(name))); err != nil {
			return false
		}
	}
	return len(st.Files) > 0
}

func setIf(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// bounded lets only a short value be remembered.
func bounded(s string) string {
	if len(s) > 200 {
		return ""
	}
	return s
}
