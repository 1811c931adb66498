package trace

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
)

const maxWait = time.Minute

// Handler serves what is remembered, under any access policy of the caller's:
//
//	GET /trace?after=N&wait=25s&request_id=ID&limit=500&quiet=1   a List; waits for the first message after N
//	GET /trace/{seq}                                               one Entry, whole
//
// writeError answers with an error.
func (r *Recorder) Handler(writeError func(http.ResponseWriter, *http.Request, error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /trace", func(w http.ResponseWriter, req *http.Request) {
		l, err := r.serveList(req)
		answer(w, req, l, err, writeError)
	})
	mux.HandleFunc("GET /trace/{seq}", func(w http.ResponseWriter, req *http.Request) {
		seq, err := strconv.ParseUint(req.PathValue("seq"), 10, 63)
		if err != nil {
			err = jitsuin.Errorf(jitsuin.Invalid, "trace-number", "an exchange has a number").At("seq")
			answer(w, req, nil, err, writeError)
			return
		}
		e, err := r.Get(seq)
		answer(w, req, e, err, writeError)
	})
	return mux
}

func (r *Recorder) serveList(req *http.Request) (List, error) {
	v := req.URL.Query()
	q := Query{RequestID: v.Get("request_id"), Quiet: v.Get("quiet") != ""}
	var err error
	if s := v.Get("after"); s != "" {
		if q.After, err = strconv.ParseUint(s, 10, 63); err != nil {
			return List{}, jitsuin.Errorf(jitsuin.Invalid, "trace-after", "after is a number").At("after")
		}
	}
	if s := v.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 || q.Limit > maxEntries {
			return List{}, jitsuin.Errorf(jitsuin.Invalid, "trace-limit", "limit is a number from 1 to %d", maxEntries).At("limit")
		}
	}
	var wait time.Duration
	if s := v.Get("wait"); s != "" {
		if wait, err = time.ParseDuration(s); err != nil || wait < 0 {
			return List{}, jitsuin.Errorf(jitsuin.Invalid, "trace-wait", "wait is a duration such as 25s").At("wait")
		}
	}
	return r.await(req, q, min(wait, maxWait)), nil
}

func (r *Recorder) await(req *http.Request, q Query, wait time.Duration) List {
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		l, changed := r.List(q)
		if len(l.Entries) > 0 || wait == 0 || q.After > l.Last { // a reader from before a start
			return l
		}
		select {
		case <-changed:
		case <-over.C:
			return l
		case <-req.Context().Done():
			return l
		}
	}
}

func answer(w http.ResponseWriter, req *http.Request, body any, err error, writeError func(http.ResponseWriter, *http.Request, error)) {
	if err != nil {
		writeError(w, req, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(body)
}
