package openid

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin/internal/store"
)

// schemeOf tells whether a request names a token by DPoP, and gives the token; "" for none.
func schemeOf(r *http.Request) (dpop bool, token string) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "DPoP"):
		return true, strings.TrimSpace(token)
	case strings.EqualFold(scheme, "Bearer"):
		return false, strings.TrimSpace(token)
	}
	return false, ""
}

// held is an access token in force.
type held struct {
	session session
	claims  []Wanted
}

// holder gives what an access token is good for, to who may use it: a token that is bound to a key comes with a proof of it.
func (p *Provider) holder(r *http.Request, i issuer, path string) (h held, err error) {
	return p.holderAt(r, i, i, path)
}

// holderAt is holder at an address that does not lie below the issuer's.
func (p *Provider) holderAt(r *http.Request, i, below issuer, path string) (h held, err error) {
	dpop, token := schemeOf(r)
	if token == "" {
		return h, fault(invalidToken, "an access token is needed in the header Authorization")
	}
	h, jkt, err := p.tokenOf(r.Context(), i, token)
	if err != nil {
		return h, err
	}
	if err := p.Host.Spend(h.session.tenant, true); err != nil {
		return h, err
	}
	if err := p.standing(r.Context(), h.session.tenant); err != nil {
		return h, err
	}
	if jkt == "" {
		if dpop {
			return h, fault(invalidToken, "this token is not bound to a key")
		}
		return h, nil
	}
	if !dpop {
		return h, fault(invalidToken, "this token is bound to a key: it comes as DPoP, with a proof")
	}
	proof, err := p.proof(r, below, path, token)
	if err != nil {
		return h, err
	}
	if proof.jkt != jkt {
		return h, fault(invalidToken, "the proof is of another key than the token's")
	}
	return h, p.takeSeen(r.Context(), nil, proof.seen)
}

func (p *Provider) tokenOf(ctx context.Context, i issuer, token string) (h held, jkt string, err error) {
	unknown := fault(invalidToken, "the access token is unknown, over or revoked")
	now := p.Now()
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		var tenant, client, path, sid string
		var claims []byte
		var expires, revoked int64
		err := tx.QueryRow(`/* every tenant: the token tells whose it is */ SELECT tenant, client, issuer, session, claims, jkt, expires_at, revoked_at FROM openid_tokens WHERE token = $1`, hashed(token)).
			Scan(&tenant, &client, &path, &sid, &claims, &jkt, &expires, &revoked)
		switch {
		case errors.Is(err, sql.ErrNoRows) || err == nil && (revoked != 0 || path != i.path || !now.Before(store.Time(expires))):
			return unknown
		case err != nil:
			return err
		}
		if h.session, err = findSession(tx, tenant, sid); err != nil {
			return err
		}
		if h.session.over(now) {
			return unknown
		}
		h.claims = nil
		return json.Unmarshal(claims, &h.claims)
	})
	if errors.Is(err, errSessionOver) {
		err = unknown
	}
	return h, jkt, err
}

// userinfo tells who logged in, and what they agreed to give (OpenID Connect Core §5.3).
func (p *Provider) userinfo(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		h, err := p.holder(r, i, i.userinfo)
		if err != nil {
			return err
		}
		items, err := p.itemsOf(h.session)
		if err != nil {
			return err
		}
		var here []string
		for _, c := range h.claims {
			here = append(here, c.Name)
		}
		claims := items.forClient(i, here)
		claims["sub"] = h.session.user
		writeJSON(w, http.StatusOK, claims)
		return nil
	}
}
