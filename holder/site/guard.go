package site

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
)

// The guard stands before everything that the holder of a person's own computer answers, and only there: any page in any
// browser of the computer can send requests to loopback.

// guard refuses what no page of this program and no link to it can have sent, and keeps PINs apart from all else that is posted.
func (s *Site) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.foreign(r); err != nil {
			s.pages.Error(w, r, err)
			return
		}
		if r.Method == http.MethodPost {
			s.apart(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign refuses by what a browser says of itself and a page cannot change: another name than ours in Host (a name that a
// stranger has lead to loopback), a change from anywhere else than our own pages, and anything from other sites but a person
// who is led here. Denied "host-unknown" or "origin-foreign"; "user-foreign" for programs of other people who are at this computer.
func (s *Site) foreign(r *http.Request) error {
	if otherUser(r) {
		return jitsuin.Errorf(jitsuin.Denied, "user-foreign", "this is another user's holder")
	}
	if r.Host != s.Config.Listen {
		return jitsuin.Errorf(jitsuin.Denied, "host-unknown", "this site does not answer to the name %q", r.Host)
	}
	refused := jitsuin.Errorf(jitsuin.Denied, "origin-foreign", "another site has sent this, and not a page of this program")
	from, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	own := "http://" + s.Config.Listen
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if from == "" || from == "same-origin" || from == "none" {
			return nil
		}
		if r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document" {
			return refused
		}
		return nil
	case http.MethodPost:
		if origin != own || from != "" && from != "same-origin" {
			return refused
		}
		return nil
	}
	return refused // a preflight among them: nothing here is for other origins
}

// otherUser tells whether a program of another user of this computer has sent a request; root may. Where the system does not say whose
// program it is, nobody is another.
func otherUser(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	own, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return false
	}
	other, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	uid, known := userAt(own, other)
	return known && uid != os.Getuid() && uid != 0
}

// secretNames are the fields in which PINs are typed.
var secretNames = []string{"pin", "old_pin", "new_pin", "again_pin", "wrong_pin", "card_pin", "phone_auth", "phone_sign"}

type secretsKey struct{}

// secrets are what was typed into fields of secretNames.
type secrets map[string][]byte

func (p secrets) clear() {
	for _, b := range p {
		clear(b)
	}
}

// mostPosted bounds a form of ours, in bytes.
const mostPosted = 64 << 10

// apart takes PINs out of a form before anything makes strings of it, which could not be overwritten: they go on as bytes in the
// context, are overwritten when the page is made, and so are the form as it came and the buffer of the connection that it
// lay in. For that the connection is taken over and ends with the answer.
func (s *Site) apart(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.ContentLength < 0 || r.ContentLength > mostPosted {
		s.pages.Error(w, r, jitsuin.Errorf(jitsuin.Invalid, "request-form", "a form has at most %d bytes, and says how many", mostPosted))
		return
	}
	raw := make([]byte, r.ContentLength)
	defer clear(raw)
	if _, err := io.ReadFull(r.Body, raw); err != nil {
		s.pages.Error(w, r, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the form did not come whole"))
		return
	}
	found, rest := split(raw)
	defer found.clear()
	r = r.WithContext(context.WithValue(r.Context(), secretsKey{}, found))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(rest)), int64(len(rest))
	if len(found) == 0 {
		next.ServeHTTP(w, r)
		return
	}
	page := &held{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(page, r)
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.pages.Error(w, r, err)
		return
	}
	defer conn.Close()
	wipe(buffered.Reader)
	if err := page.response().Write(conn); err != nil {
		s.Log.DebugContext(r.Context(), "a page was not taken", "err", err)
	}
}

// split gives the secrets of a form (application/x-www-form-urlencoded) and the form without them.
func split(raw []byte) (found secrets, rest []byte) {
	found = secrets{}
	for pair := range bytes.SplitSeq(raw, []byte("&")) {
		name, value, _ := bytes.Cut(pair, []byte("="))
		if slices.Contains(secretNames, string(name)) {
			clear(found[string(name)])
			found[string(name)] = unescaped(value)
			continue
		}
		if len(rest) > 0 {
			rest = append(rest, '&')
		}
		rest = append(rest, pair...)
	}
	return found, rest
}

// unescaped reads a value of a form; what is no escape stays as it is, and is no PIN then.
func unescaped(value []byte) []byte {
	out := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(value) && nibble(value[i+1]) < 16 && nibble(value[i+2]) < 16:
			out = append(out, nibble(value[i+1])<<4|nibble(value[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// zeros is read without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// wipe overwrites a buffer whole.
func wipe(b *bufio.Reader) {
	b.Reset(zeros{})
	_, _ = b.Peek(b.Size())
}

// held is a page that waits until the connection was taken over.
type held struct {
	header http.Header
	status int
	said   bool
	body   bytes.Buffer
}

func (h *held) Header() http.Header { return h.header }

func (h *held) WriteHeader(status int) {
	if !h.said {
		h.status, h.said = status, true
	}
}

func (h *held) Write(b []byte) (int, error) { h.said = true; return h.body.Write(b) }

func (h *held) response() *http.Response {
	return &http.Response{StatusCode: h.status, ProtoMajor: 1, ProtoMinor: 1, Header: h.header, Body: io.NopCloser(&h.body), ContentLength: int64(h.body.Len()), Close: true}
}

// readerText names a reader as a page in the request's language does.
func (s *Site) readerText(r *http.Request) func(name string) string {
	return func(name string) string { return readerText(web.LangOf(r), name) }
}

// at gives where the holder of the person's own computer shows a request; "" where nobody knows of one.
func at(computer, uri string) string {
	if computer == "" {
		return ""
	}
	return strings.TrimSuffix(computer, "/") + "/request?request_uri=" + url.QueryEscape(uri)
}
