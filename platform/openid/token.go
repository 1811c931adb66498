package openid

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// tokenAnswer is RFC 6749 §5.1 with OpenID Connect Core §3.1.3.3.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
	IDToken     string `json:"id_token,omitempty"`
}

// grant is a code with all that hangs on it.
type grant struct {
	code    string // digest
	client  string
	expires time.Time
	used    bool
	request request
	session session
}

func (p *Provider) token(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.Query().Has("grant_type") {
			return fault(invalidRequest, "Missing form parameter: grant_type") // as a Keycloak says it
		}
		in, who, err := p.called(r, i, i.token)
		if err != nil {
			return err
		}
		proof, err := p.proof(r, i, i.token, "")
		if err != nil {
			return err
		}
		give := p.redeem
		if in["grant_type"] == grantClient {
			give = p.clientToken
		}
		answer, err := give(r.Context(), i, in, who, proof)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, answer)
		return nil
	}
}

// redeem gives tokens for a code. The proofs of the request are used up, whatever comes of it.
func (p *Provider) redeem(ctx context.Context, i issuer, in map[string]string, who caller, proof proved) (tokenAnswer, error) {
	g, err := p.redeemable(ctx, i, in, who, proof)
	if err != nil {
		if _, _, status := described(err); status < 500 {
			if seen := p.takeSeen(ctx, who.seen, proof.seen); seen != nil {
				err = seen
			}
		}
		return tokenAnswer{}, err
	}
	a := tokenAnswer{AccessToken: web.NewToken(), TokenType: "Bearer", ExpiresIn: int(tokenLife.Seconds()), Scope: strings.Join(g.request.params.Scopes, " ")}
	if proof.jkt != "" {
		a.TokenType = "DPoP"
	}
	items, err := p.itemsOf(g.session)
	if err != nil {
		return tokenAnswer{}, err
	}
	if a.IDToken, err = p.idToken(ctx, who.client, g.request, g.session, items, a.AccessToken); err != nil {
		return tokenAnswer{}, err
	}
	wrong, err := p.use(ctx, g, who, proof, a.AccessToken)
	if err = errors.Join(err, wrong); err != nil {
		return tokenAnswer{}, err
	}
	return a, nil
}

func (p *Provider) itemsOf(o session) (g given, err error) {
	if o.items == "" {
		return nil, nil
	}
	raw, err := p.unseal("items", o.id, o.items)
	if err != nil {
		return nil, err
	}
	return g, json.Unmarshal(raw, &g)
}

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// redeemable gives the grant of a code, if the request is the one that it was given for: same client, same issuer, same address, the
// verifier of its challenge, the key that it is bound to, in time. Which of them is not so, the client is told; it proved who it is.
func (p *Provider) redeemable(ctx context.Context, i issuer, in map[string]string, who caller, proof proved) (g grant, err error) {
	g, c := who.grant, who.client
	switch in["grant_type"] {
	case "authorization_code":
	case "":
		return g, fault(invalidRequest, "grant_type is missing")
	default:
		return g, fault(unsupportedGrant, "grant_type is authorization_code")
	}
	if in["code"] == "" || in["code_verifier"] == "" {
		return g, fault(invalidRequest, "code and code_verifier are needed")
	}
	if who.wrong != nil {
		return g, who.wrong
	}
	if g.used {
		return g, p.replayed(ctx, g, c)
	}
	q, now := g.request, p.Now()
	switch {
	case !now.Before(g.expires) || g.session.over(now):
		return g, fault(invalidGrant, "the code is over")
	case q.issuer.path != i.path:
		return g, fault(invalidGrant, "the code was given by another issuer")
	case in["redirect_uri"] != q.params.RedirectURI:
		return g, fault(invalidGrant, "redirect_uri is not the one of the authorization request")
	case !verifierForm.MatchString(in["code_verifier"]) || subtle.ConstantTimeCompare([]byte(sha256URL(in["code_verifier"])), []byte(q.params.Challenge)) != 1:
		return g, fault(invalidGrant, "code_verifier does not belong to the code_challenge")
	case q.params.JKT != "" && q.params.JKT != proof.jkt:
		return g, fault(invalidDPoP, "the code is bound to another key")
	case c.meta.DPoPBound && proof.jkt == "":
		return g, fault(invalidDPoP, "this client's tokens are bound to a key: the header DPoP is missing")
	}
	return g, nil
}

var errCode = fault(invalidGrant, "the code is unknown, was used, or is not this client's")

// findGrant reads a client's code; another client's, and one that never was, are sql.ErrNoRows alike.
func findGrant(tx *store.Tx, digest string, c client) (g grant, err error) {
	var expires, used int64
	var id, sid string
	err = tx.QueryRow(`SELECT request, session, expires_at, used_at FROM openid_codes WHERE code = $1 AND client = $2 AND tenant = $3`, digest, c.id, c.tenant).Scan(&id, &sid, &expires, &used)
	if err != nil {
		return g, err
	}
	g = grant{code: digest, client: c.id, expires: store.Time(expires), used: used != 0}
	if g.used {
		return g, nil
	}
	if g.request, err = scanRequest(tx.QueryRow(`SELECT `+requestColumns+` FROM openid_requests WHERE id = $1 AND tenant = $2`, id, c.tenant)); err != nil {
		return g, err
	}
	g.session, err = findSession(tx, c.tenant, sid)
	return g, err
}

// use takes a code and puts its token in force: of all who come with it, one.
func (p *Provider) use(ctx context.Context, g grant, who caller, proof proved, token string) (wrong, err error) {
	now := p.Now()
	claims, err := json.Marshal(g.request.params.Agreed)
	if err != nil {
		return nil, err
	}
	lost := false
	err = p.DB.Update(ctx, func(tx *store.Tx) (err error) {
		lost = false
		if wrong, err = markBoth(tx, who.seen, proof.seen); err != nil || wrong != nil {
			return err
		}
		done, err := tx.Exec(`UPDATE openid_codes SET used_at = $1 WHERE code = $2 AND client = $3 AND tenant = $4 AND used_at = 0`, store.Micros(now), g.code, g.client, who.client.tenant)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			lost, wrong = true, errCode
			return err
		}
		_, err = tx.Exec(`INSERT INTO openid_tokens (token, tenant, client, issuer, session, code, claims, jkt, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`,
			hashed(token), who.client.tenant, g.client, g.request.issuer.path, g.session.id, g.code, string(claims), proof.jkt, store.Micros(now.Add(tokenLife)))
		return err
	})
	if err == nil && lost {
		wrong = p.replayed(ctx, g, who.client)
	}
	return wrong, err
}

// replayed answers a code that comes a second time: somebody may have stolen it, so what it gave ends (RFC 6749 §4.1.2).
func (p *Provider) replayed(ctx context.Context, g grant, c client) error {
	var there int
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM openid_tokens WHERE code = $1 AND tenant = $2 AND revoked_at = 0`, g.code, c.tenant).Scan(&there)
	})
	if err != nil {
		return err
	}
	if there == 0 { // ended already: a thousand replays are one act
		return errCode
	}
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(`UPDATE openid_tokens SET revoked_at = $1 WHERE code = $2 AND tenant = $3 AND revoked_at = 0`, store.Micros(p.Now()), g.code, c.tenant)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return p.Host.Record(ctx, tx, c.tenant, "openid-code-replayed", c.id, nil)
	})
	return errors.Join(err, errCode)
}
