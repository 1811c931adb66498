package jlis

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	chip "github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/jlis/api"
)

type (
	receiveIn struct {
		Card string `path:"card"`
	}
	receiveOut struct{ Body api.Received }

	terminalIn  struct{ Body api.TerminalRequest }
	terminalOut struct{ Body api.TerminalCertificate }

	notifyIn struct {
		Key  string `header:"Idempotency-Key"`
		Body api.Verifier
	}

	linksIn  struct{ Body api.Link }
	linksOut struct{ Body api.Links }
)

func (a *Agency) routes() {
	httpapi.Register(a.API, httpapi.Operation{ID: "receive-card", Method: http.MethodPost, Path: "/cards/{card}/receive",
		Summary:     "Take a finished card into custody",
		Description: "For the municipality whose application the card was made for. Repeated, the answer is the same.",
		Policy:      httpapi.Roles("municipality")}, a.receiveCard)
	httpapi.Register(a.API, httpapi.Operation{ID: "register-terminal", Method: http.MethodPost, Path: "/terminals",
		Summary:     "Have a counter's terminal (統合端末) certified for chips",
		Description: "The same terminal and key get the same certificate.",
		Policy:      httpapi.Roles("municipality")}, a.registerTerminal)
	httpapi.Register(a.API, httpapi.Operation{ID: "notify-verifier", Method: http.MethodPost, Path: "/verifiers",
		Summary: "File a verifier's notification (届出)", Description: "Needs the header Idempotency-Key. A later one takes the place of an earlier one.",
		Status: http.StatusNoContent, Policy: httpapi.Roles("platform", "verifier")}, a.notify)
	httpapi.Register(a.API, httpapi.Operation{ID: "links", Method: http.MethodPost, Path: "/links",
		Summary:     "All certificates of a certificate's holder, by serial number",
		Description: "Only for recognising the holder again (JPKI Act art. 52). It changes nothing; a serial number has no place in a URL.",
		Policy:      a.verifiers()}, a.links)
	a.cardTextRoute()
	a.consentRoutes()
	a.phoneRoutes()
	a.lostRoutes()
	a.guardianRoute()
	a.API.Raw("GET /ca/{name}", httpapi.Public("CA certificates are published"), http.HandlerFunc(a.serveCA))
}

func (a *Agency) receiveCard(ctx context.Context, in *receiveIn) (*receiveOut, error) {
	id, err := jitsuin.ParseID(in.Card)
	if err != nil {
		return nil, err
	}
	handle, err := a.receive(ctx, id, httpapi.CallerOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	return &receiveOut{api.Received{Card: id, Handle: handle.Reveal()}}, nil
}

func (a *Agency) registerTerminal(ctx context.Context, in *terminalIn) (*terminalOut, error) {
	key, err := terminalPublicKey(in.Body.PublicKey)
	if err != nil {
		return nil, err
	}
	certificate, err := a.certifyTerminal(ctx, httpapi.CallerOf(ctx).ID, in.Body.Terminal, chip.RoleCounter, key)
	if err != nil {
		return nil, err
	}
	return &terminalOut{api.TerminalCertificate{Certificate: certificate}}, nil
}

// serveCA gives sign.cer and auth.cer, the certificates that issue now, and sign-1.cer and so on.
func (a *Agency) serveCA(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if name == "face.pub" {
		a.serveFaceAnchor(w, r)
		return
	}
	for _, u := range a.all {
		if name == u.name+".cer" || a.authority[u.kind] == u && name == string(u.kind)+".cer" {
			w.Header().Set("Content-Type", "application/pkix-cert")
			w.Write(u.cert.Raw)
			return
		}
	}
	httpapi.WriteError(w, r, a.Log, jitsuin.Errorf(jitsuin.NotFound, "ca-unknown", "there is no CA certificate %q", name))
}
