package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Turn makes a request wait for its turn. It gives the context in which the request is answered, and what ends the
// turn, which is called once where there is no error.
type Turn func(ctx context.Context) (in context.Context, leave func(), err error)

// await waits for a turn once the body has come and before anything is made of it: whoever sends slowly keeps nobody
// waiting, and reading large bodies is part of what turns share out.
func (a *API) await(turn Turn, most int64, ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	if r.ContentLength <= most { // a larger one is refused unread
		r.Body = received(r.Body, r.ContentLength, most)
	}
	in, leave, err := turn(ctx.Context())
	if err != nil {
		WriteError(w, r, a.log, err)
		return
	}
	defer leave()
	next(huma.WithContext(ctx, in))
}

// received reads a body of at most so many bytes, and gives one that reads the same: the bytes, and then the error or
// the rest that there was.
func received(body io.ReadCloser, length, most int64) io.ReadCloser {
	if body == nil || body == http.NoBody {
		return body
	}
	var have bytes.Buffer
	have.Grow(int(max(length, 0)))
	_, err := have.ReadFrom(io.LimitReader(body, most+1))
	rest := io.Reader(body)
	if err != nil {
		rest = broken{err}
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(&have, rest), body}
}

// broken is a reader that has ended in an error.
type broken struct{ err error }

// Read gives the error.
func (b broken) Read([]byte) (int, error) { return 0, b.err }
