package openid

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// The sign API of the state's service (署名API), at the paths that it has there:
//
//  1. The client gets a token of its own: grant_type=client_credentials at the token endpoint of the alias.
//  2. POST /api/sign-transactions with it opens a transaction.
//  3. The browser goes to the authorization endpoint of the alias with scope "openid sign" and sign_transaction_id; the person reads at the
//     holder what is signed, signs with the signature certificate and its own password, and comes back with a code.
//  4. The code gives an access token, and GET /api/sign-transactions/{id}/result with it the result.
//
// Public are the paths, the two kinds of tokens, the parameter sign_transaction_id, the digest in base64 (or the DigestInfo around it) and
// that the certificate comes as a JWE for the verifier (sign_certificate_jwe). The names of the other members, lives and errors are not
// known to us: what stands here is our choice, as are the members purpose and document, which the state's service does not have.

// scopeSign is registered by clients that use the sign API.
const scopeSign = "sign"

const (
	grantCode    = "authorization_code"
	grantClient  = "client_credentials"
	signPath     = "/api/sign-transactions"
	signLife     = requestLife // of a transaction until it is signed, wall time
	signedKept   = tokenLife   // of what was signed, after that
	maxSignBody  = 1536 << 10
	maxSignBytes = 1 << 20
)

// States of a transaction. Only an open one can be signed, and each is signed once.
const (
	signOpen      = "open"
	signSigned    = "signed"
	signCancelled = "cancelled" // the person said no, or the holder failed
	signRefused   = "refused"   // the signature or its certificate was not accepted
)

// SignRequest is the body of a request that opens a transaction. What is signed is the digest's DigestInfo (RSASSA-PKCS1-v1_5 with
// SHA-256), so that Digest may be either.
type SignRequest struct {
	ClientID string `json:"client_id"`
	Digest   []byte `json:"digest"` // SHA-256 of the document: 32 bytes, or the 51 of its DigestInfo
	// Purpose is one of rules.Purposes that a signature serves; contract where it is left out.
	Purpose string `json:"purpose,omitempty"`
	// Document is what the digest is of, so that the person reads it at the holder. Without it they are told that they see a digest alone.
	Document *SignDocument `json:"document,omitempty"`
}

// SignDocument is what is signed: plain text (UTF-8) or a PDF, at most 1 MiB.
type SignDocument struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Content   []byte `json:"content"`
}

// Signing is a transaction as the platform's signing code needs it.
type Signing struct {
	ID             string
	Tenant, Client string
	Digest         []byte
	Name           string
	MediaType      string // api.MediaTypeText, MediaTypePDF or MediaTypeDigest
	Document       []byte // nil of MediaTypeDigest
	Purpose        string

	state, session, signed string
	verification           jitsuin.ID
	expiresAt              time.Time
	takenAt                int64
}

const signColumns = `id, tenant, client, digest, name, media_type, document, purpose, state, session, verification, signed, expires_at, taken_at`

func (p *Provider) scanSigning(s store.Scanner) (t Signing, err error) {
	var digest, document string
	var expires int64
	err = s.Scan(&t.ID, &t.Tenant, &t.Client, &digest, &t.Name, &t.MediaType, &document, &t.Purpose, &t.state, &t.session, &t.verification, &t.signed, &expires, &t.takenAt)
	if errors.Is(err, sql.ErrNoRows) {
		return t, errSignUnknown
	}
	if err != nil {
		return t, err
	}
	t.expiresAt = store.Time(expires)
	if t.Digest, err = hex.DecodeString(digest); err == nil && document != "" {
		t.Document, err = p.unseal("sign document", t.ID, document)
	}
	return t, err
}

const signUnknown = "sign-transaction-unknown"

// errSignUnknown is told of transactions that never were, are another's, or are over: alike.
var errSignUnknown = jitsuin.Errorf(jitsuin.NotFound, signUnknown, "there is no such sign transaction of this client")

// signing reads a client's transaction.
func (p *Provider) signing(ctx context.Context, tenant, client, id string) (t Signing, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		t, err = p.scanSigning(tx.QueryRow(`SELECT `+signColumns+` FROM openid_sign_transactions WHERE id = $1 AND tenant = $2 AND client = $3`, id, tenant, client))
		return err
	})
	return t, err
}

// digestInfo is what stands before a SHA-256 digest in its DigestInfo (RFC 8017 §9.2).
var digestInfo = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// check refuses what nobody could sign, and leaves the digest alone in Digest.
func (q *SignRequest) check(client string) error {
	if d, ok := bytes.CutPrefix(q.Digest, digestInfo); ok {
		q.Digest = d
	}
	switch {
	case q.ClientID != client:
		return fault(invalidRequest, "client_id is not the client of the access token")
	case len(q.Digest) != sha256.Size:
		return fault(invalidRequest, "digest is SHA-256 in base64: 32 bytes, or the 51 of its DigestInfo")
	case q.Document == nil:
		return nil
	}
	d := q.Document
	sum := sha256.Sum256(d.Content)
	switch {
	case !api.Printing(d.Name) || len(d.Name) > 200:
		return fault(invalidRequest, "document.name is missing, too long, or has characters that do not print")
	case len(d.Content) == 0 || len(d.Content) > maxSignBytes:
		return fault(invalidRequest, "document.content has from 1 to %d bytes", maxSignBytes)
	case !bytes.Equal(sum[:], q.Digest):
		return fault(invalidRequest, "digest is not the SHA-256 of document.content")
	case d.MediaType == api.MediaTypePDF && bytes.HasPrefix(d.Content, []byte("%PDF-")):
		return nil
	case d.MediaType == api.MediaTypeText && readable(string(d.Content)):
		return nil
	}
	return fault(invalidRequest, "document is a PDF (%s), or text (%s) in UTF-8 whose characters all print", api.MediaTypePDF, api.MediaTypeText)
}

// readable tells whether a text is shown as it is: nothing in it steers how the rest is read.
func readable(s string) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '\n' && r != '\r' && r != '\t' && (!unicode.IsGraphic(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp))
	})
}

// startSigning opens a transaction (POST /api/sign-transactions).
func (p *Provider) startSigning(w http.ResponseWriter, r *http.Request) error {
	c, err := p.clientOfToken(r)
	if err != nil {
		return err
	}
	if t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(t), "application/json") {
		return fault(invalidRequest, "the request is JSON, application/json")
	}
	var q SignRequest
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return fault(invalidRequest, "the request cannot be read: a JSON object with client_id, digest and, if you like, purpose and document")
	}
	if d.More() {
		return fault(invalidRequest, "the request is one JSON object")
	}
	if err := q.check(c.id); err != nil {
		return err
	}
	q.Purpose = orElse(q.Purpose, "contract")
	if err := p.Host.MaySign(r.Context(), q.Purpose); err != nil {
		return err
	}
	id, err := p.putSigning(r.Context(), c, q)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, map[string]any{"sign_transaction_id": id, "expires_in": int(signLife.Seconds())})
	return nil
}

func (p *Provider) putSigning(ctx context.Context, c client, q SignRequest) (id string, err error) {
	raw, now := string(jitsuin.NewID()), p.Now()
	id = raw[:8] + "-" + raw[8:12] + "-" + raw[12:16] + "-" + raw[16:20] + "-" + raw[20:] // in the form of the state's, a UUID
	name, media, document := hex.EncodeToString(q.Digest), api.MediaTypeDigest, ""
	if d := q.Document; d != nil {
		name, media, document = d.Name, d.MediaType, p.seal("sign document", id, d.Content)
	}
	return id, p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO openid_sign_transactions (id, tenant, client, digest, name, media_type, document, purpose, state, session, verification, signed, made_at, expires_at, taken_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', '', $10, $11, 0)`,
			id, c.tenant, c.id, hex.EncodeToString(q.Digest), name, media, document, q.Purpose, signOpen, store.Micros(now), store.Micros(now.Add(signLife)))
		if err != nil {
			return err
		}
		return p.Host.Record(ctx, tx, c.tenant, "openid-sign-started", id, map[string]string{"client": c.id, "purpose": q.Purpose, "shown": media})
	})
}

// clientToken gives a client its own token (RFC 6749 §4.4), good for opening transactions of the sign API and nothing else. It is not
// stored: what it says is sealed in it, and the client is looked up where it is used.
func (p *Provider) clientToken(ctx context.Context, i issuer, in map[string]string, who caller, proof proved) (tokenAnswer, error) {
	if err := p.takeSeen(ctx, who.seen, proof.seen); err != nil {
		return tokenAnswer{}, err
	}
	c := who.client
	switch {
	case !i.state:
		return tokenAnswer{}, fault(unsupportedGrant, "grant_type is authorization_code")
	case c.meta.AuthMethod == AuthPublic || !c.mayGrant(grantClient):
		return tokenAnswer{}, fault(unauthorizedClient, "this client has not registered the scope sign, or does not prove itself")
	case c.meta.DPoPBound && proof.jkt == "":
		return tokenAnswer{}, fault(invalidDPoP, "this client's tokens are bound to a key: the header DPoP is missing")
	}
	for _, s := range strings.Fields(in["scope"]) {
		if s != scopeSign && s != scopeOpenID {
			return tokenAnswer{}, fault(invalidScope, "a client's own token has the scope sign alone")
		}
	}
	raw, err := json.Marshal(ownToken{c.id, proof.jkt, p.Now().Add(tokenLife)})
	if err != nil {
		return tokenAnswer{}, err
	}
	a := tokenAnswer{AccessToken: p.seal("client token", "", raw), TokenType: "Bearer", ExpiresIn: int(tokenLife.Seconds()), Scope: scopeSign}
	if proof.jkt != "" {
		a.TokenType = "DPoP"
	}
	return a, nil
}

// ownToken is what a client's own token says.
type ownToken struct {
	Client  string    `json:"client"`
	JKT     string    `json:"jkt,omitempty"`
	Expires time.Time `json:"exp"`
}

// clientOfToken gives the client whose own token comes with a request.
func (p *Provider) clientOfToken(r *http.Request) (c client, err error) {
	dpop, token := schemeOf(r)
	var own ownToken
	raw, err := p.unseal("client token", "", token)
	if err != nil || json.Unmarshal(raw, &own) != nil || !p.Now().Before(own.Expires) {
		return c, fault(invalidToken, "a token of the client itself (grant_type=client_credentials) is needed, and this is none that is in force")
	}
	if c, err = p.client(r.Context(), own.Client); err != nil {
		if jitsuin.KindOf(err) == jitsuin.NotFound {
			err = fault(invalidToken, "the client has ended")
		}
		return c, err
	}
	if dpop != (own.JKT != "") {
		return c, fault(invalidToken, "the token is bound to a key and comes as DPoP with a proof, or it is not and comes as Bearer")
	}
	if dpop {
		proof, err := p.proof(r, issuer{path: signPath}, "", token)
		if err != nil {
			return c, err
		}
		if proof.jkt != own.JKT {
			return c, fault(invalidToken, "the proof is of another key than the token's")
		}
		if err := p.takeSeen(r.Context(), nil, proof.seen); err != nil {
			return c, err
		}
	}
	if err := p.Host.Spend(c.tenant, true); err != nil {
		return c, err
	}
	return c, p.standing(r.Context(), c.tenant)
}

// mayGrant tells whether a client registered a grant.
func (c client) mayGrant(grant string) bool { return slices.Contains(c.meta.GrantTypes, grant) }

// checkSigning: a signature is asked for by scope and transaction together, at the alias, and nothing else with it.
func (q *params) checkSigning(i issuer, c client) error {
	wants := slices.Contains(q.Scopes, scopeSign)
	switch {
	case !wants && q.Signing == "":
		return nil
	case !i.state:
		return fault(invalidScope, "signatures are asked for at the issuer /api/realms/main")
	case !wants || q.Signing == "":
		return fault(invalidRequest, "the scope sign and sign_transaction_id come together")
	case len(q.Scopes) != 2:
		return fault(invalidScope, "the scope of a signature is openid sign: who signed is told by the certificate")
	case q.silent():
		return fault(interactionRequired, "a person signs with their card; prompt=none signs nothing")
	case !c.mayGrant(grantClient):
		return fault(unauthorizedClient, "this client does not use the sign API")
	}
	return nil
}

// toSign leads the browser to its holder with what is to be signed.
func (p *Provider) toSign(w http.ResponseWriter, r *http.Request, c client, q request) error {
	t, err := p.signing(r.Context(), c.tenant, c.id, q.params.Signing)
	if jitsuin.KindOf(err) == jitsuin.NotFound && err != nil || err == nil && !t.open(p.Now()) {
		return fault(invalidRequest, "sign_transaction_id is unknown, was used, or is over")
	}
	if err != nil {
		return err
	}
	return p.Host.Sign(w, speaking(r, q), Ask{Request: q.id, Tenant: c.tenant, Client: c.meta, With: q.save}, t, p.documentURL(t.ID))
}

func (t Signing) open(now time.Time) bool { return t.state == signOpen && now.Before(t.expiresAt) }

// documentURL is where the holder fetches what is signed; who knows the transaction alone does not know it.
func (p *Provider) documentURL(id string) string {
	return p.Origin + signPath + "/" + id + "/document/" + p.derived("sign document", jitsuin.ID(id))
}

// signDocument gives the document of a transaction to the holder.
func (p *Provider) signDocument(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if r.PathValue("key") != p.derived("sign document", jitsuin.ID(id)) {
		return errSignUnknown
	}
	var t Signing
	err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		t, err = p.scanSigning(tx.QueryRow(`/* every tenant: the key in the address tells that it is meant */ SELECT `+signColumns+` FROM openid_sign_transactions WHERE id = $1`, id))
		return err
	})
	if err == nil && (t.Document == nil || !t.open(p.Now())) {
		err = errSignUnknown
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", t.MediaType)
	h.Set("Content-Disposition", "attachment")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(t.Document)
	return err
}

// Signing gives the transaction of a login that asks for a signature; NotFound "sign-transaction-unknown" where it is signed, or over.
func (p *Provider) Signing(ctx context.Context, l *Login) (Signing, error) {
	t, err := p.signing(ctx, l.Tenant, l.request.client, l.request.params.Signing)
	if err == nil && !t.open(p.Now()) {
		err = errSignUnknown
	}
	return t, err
}

// given by the person: what was signed with, until the client fetched it.
type signedWith struct {
	Certificate []byte `json:"certificate"` // DER
	Value       []byte `json:"value"`
}

// Signed readies what is kept of a signature; the function that it gives notes it with the check that judged it, in the transaction of that
// check. A transaction that was signed meanwhile is NotFound "sign-transaction-unknown".
func (p *Provider) Signed(l *Login, t Signing, certificate, value []byte) (func(tx *store.Tx, check jitsuin.ID, user string) error, error) {
	raw, err := json.Marshal(signedWith{certificate, value})
	if err != nil {
		return nil, err
	}
	sealed := p.seal("signed", t.ID, raw)
	return func(tx *store.Tx, check jitsuin.ID, user string) error {
		now := store.Micros(p.Now())
		done, err := tx.Exec(`UPDATE openid_sign_transactions SET state = $1, session = $2, verification = $3, signed = $4 WHERE id = $5 AND tenant = $6 AND client = $7 AND state = $8 AND expires_at > $9`,
			signSigned, l.session.id, check, sealed, t.ID, t.Tenant, t.Client, signOpen, now)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errSignUnknown)
		}
		return l.Accept(tx, user)
	}, nil
}

// EndSigning ends a transaction that came to nothing: what is asked again is a new one.
func (p *Provider) EndSigning(ctx context.Context, request jitsuin.ID, refused bool) error {
	state := signCancelled
	if refused {
		state = signRefused
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		q, err := findRequest(tx, request, p.Now())
		if jitsuin.CodeOf(err) == "login-unknown" {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE openid_sign_transactions SET state = $1, document = '' WHERE id = $2 AND tenant = $3 AND client = $4 AND state = $5`, state, q.params.Signing, q.tenant, q.client, signOpen)
		return err
	})
}

// signResult gives what came of a transaction to the client that has the code of this very signature (GET …/{id}/result).
func (p *Provider) signResult(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := r.PathValue("id")
		h, err := p.holderAt(r, i, issuer{path: signPath}, "/"+id+"/result")
		if err != nil {
			return err
		}
		t, err := p.signing(r.Context(), h.session.tenant, h.session.client, id)
		if err == nil && (t.state != signSigned || t.session != h.session.id || t.signed == "") {
			err = errSignUnknown
		}
		if err != nil {
			return err
		}
		var s signedWith
		raw, err := p.unseal("signed", t.ID, t.signed)
		if err == nil {
			err = json.Unmarshal(raw, &s)
		}
		if err != nil {
			return fmt.Errorf("what was signed: %w", err)
		}
		out := map[string]any{"sign_transaction_id": t.ID, "signature": s.Value}
		if out["sign_certificate_jwe"], err = p.certificateJWE(t.Tenant, s.Certificate); err != nil {
			return err
		}
		if out["verification"], err = p.Host.Verified(r.Context(), t, t.verification, s.Certificate); err != nil {
			return err
		}
		if err := p.taken(r.Context(), t); err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, out)
		return nil
	}
}

// taken notes that a client has the result, once.
func (p *Provider) taken(ctx context.Context, t Signing) error {
	if t.takenAt != 0 {
		return nil
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(`UPDATE openid_sign_transactions SET taken_at = $1 WHERE id = $2 AND tenant = $3 AND taken_at = 0`, store.Micros(p.Now()), t.ID, t.Tenant)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return p.Host.Record(ctx, tx, t.Tenant, "openid-sign-result", t.ID, map[string]string{"client": t.Client, "verification": string(t.verification)})
	})
}
