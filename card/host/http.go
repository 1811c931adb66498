package host

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/vpcd"
)

const (
	pathCards    = "/v1/cards"         // POST: Create, with the create key
	pathCard     = "/v1/card"          // GET: Info; these and the following with the handle
	pathTransfer = "/v1/card/transfer" // POST: Transfer
	pathLoan     = "/v1/card/loan"     // POST: Lend; DELETE: Retract
	pathChannel  = "/v1/card/channel"  // WebSocket: Open

	maxBody   = 64 << 10
	keepAlive = 20 * time.Second
)

// The wire types. A handle travels in the body of an answer and in the Authorization header
// (Bearer), never in a URL.
type (
	orderBody struct {
		ID                jitsuin.ID `json:"id"`
		Token             string     `json:"token"`
		Custodian         Custodian  `json:"custodian"`
		TerminalAuthority []byte     `json:"terminal_authority"` // SubjectPublicKeyInfo, DER
		Profile           string     `json:"profile,omitempty"`
	}
	transferBody struct {
		To    Custodian `json:"to"`
		Token string    `json:"token"`
	}
	handleBody struct {
		Handle Handle `json:"handle"`
	}
)

// Handler serves the cards over HTTP for machines apart. The channel is a WebSocket whose
// binary messages hold one vpcd frame each, with its length. Errors are RFC 9457 problems with
// kind and code. TLS is the caller's.
func (h *Host) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathCards, h.serveCreate)
	mux.HandleFunc("GET "+pathCard, h.watched(func(w http.ResponseWriter, r *http.Request) {
		info, err := h.Info(r.Context(), bearer(r))
		answer(w, http.StatusOK, info, err)
	}))
	mux.HandleFunc("POST "+pathTransfer, h.watched(h.serveTransfer))
	mux.HandleFunc("POST "+pathLoan, h.watched(func(w http.ResponseWriter, r *http.Request) {
		handle, err := h.Lend(r.Context(), bearer(r))
		answer(w, http.StatusOK, handleBody{handle}, err)
	}))
	mux.HandleFunc("DELETE "+pathLoan, h.watched(func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, struct{}{}, h.Retract(r.Context(), bearer(r)))
	}))
	mux.HandleFunc("GET "+pathChannel, h.watched(h.serveChannel))
	h.faultRoutes(mux)
	return mux
}

func bearer(r *http.Request) Handle {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return Handle(token)
}

func (h *Host) serveCreate(w http.ResponseWriter, r *http.Request) {
	if h.options.CreateKey == "" || !sameSecret(h.options.CreateKey, bearer(r).Reveal()) {
		answer(w, 0, nil, jitsuin.Errorf(jitsuin.Unauthenticated, "create-key", "cards are created with the host's create key"))
		return
	}
	var body orderBody
	if !readBody(w, r, &body) {
		return
	}
	parsed, err := x509.ParsePKIXPublicKey(body.TerminalAuthority)
	authority, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok {
		answer(w, 0, nil, jitsuin.Errorf(jitsuin.Invalid, "terminal-key", "the terminal authority's key is no P-256 key").At("terminal_authority"))
		return
	}
	if h.options.Watch != nil { // the key is J-LIS's, or whoever's has it
		h.options.Watch.Asked(r.Context(), Access{Card: body.ID, Custodian: body.Custodian})
	}
	handle, err := h.Create(r.Context(), Order{ID: body.ID, Token: body.Token, Custodian: body.Custodian, TerminalAuthority: authority, Profile: body.Profile})
	answer(w, http.StatusCreated, handleBody{handle}, err)
}

func (h *Host) serveTransfer(w http.ResponseWriter, r *http.Request) {
	var body transferBody
	if !readBody(w, r, &body) {
		return
	}
	handle, err := h.Transfer(r.Context(), bearer(r), body.To, body.Token)
	answer(w, http.StatusOK, handleBody{handle}, err)
}

// serveChannel opens the card first, so that a refusal is an ordinary problem.
func (h *Host) serveChannel(w http.ResponseWriter, r *http.Request) {
	opened, err := h.Open(r.Context(), bearer(r))
	if err != nil {
		answer(w, 0, nil, err)
		return
	}
	l := opened.(*lease)
	defer l.Close()
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer ws.CloseNow()
	go keepWatch(l.ctx, ws)
	if err := vpcd.Serve(l.ctx, websocket.NetConn(l.ctx, ws, websocket.MessageBinary), l); err != nil {
		h.options.Log.Info("a card's channel", "error", err)
	}
}

// keepWatch notices a client that is gone without a word, so that its card becomes free.
func keepWatch(ctx context.Context, ws *websocket.Conn) {
	ticker := time.NewTicker(keepAlive)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		answered, cancel := context.WithTimeout(ctx, keepAlive)
		err := ws.Ping(answered)
		cancel()
		if err != nil {
			ws.CloseNow()
			return
		}
	}
}

func readBody(w http.ResponseWriter, r *http.Request, body any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(body); err != nil {
		answer(w, 0, nil, jitsuin.Errorf(jitsuin.Invalid, "body-form", "the body is not the JSON that this call takes"))
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, body any, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		writeProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone, if this fails
}
