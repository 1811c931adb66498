package platform

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// holderRequest makes a tenant's request to the holder: what the tenant says, bound to the names and the
// origin that are registered for it, signed with our key. Its times are wall time.
func (p *Platform) holderRequest(ctx context.Context, tenant string, in api.HolderRequest) (api.MadeRequest, error) {
	if err := p.mayVerify(ctx); err != nil {
		return api.MadeRequest{}, err
	}
	if err := p.mayAskFrom(ctx, tenant, in.Origin); err != nil {
		return api.MadeRequest{}, err
	}
	for _, d := range in.Documents {
		if d.Bare {
			return api.MadeRequest{}, jitsuin.Errorf(jitsuin.Invalid, "request-form", "bare signatures are asked for at the sign API").At("documents")
		}
	}
	claims, err := p.requestClaims(ctx, tenant, in)
	if err != nil {
		return api.MadeRequest{}, err
	}
	made, err := p.madeRequest(claims)
	if err != nil {
		return api.MadeRequest{}, err
	}
	jws, err := api.SignRequest(claims, p.Self.Key)
	if err != nil {
		return api.MadeRequest{}, err
	}
	var challenge []byte
	if claims.Challenge != nil {
		if challenge, err = json.Marshal(claims.Challenge); err != nil {
			return api.MadeRequest{}, err
		}
	}
	civil := p.Clock.Now()
	return httpapi.Once(ctx, p.DB, "holder-request", in, func(tx *store.Tx) (api.MadeRequest, error) {
		if challenge != nil {
			if err := putChallenge(tx, claims.Txn, tenant, challenge, made.ExpiresAt); err != nil {
				return api.MadeRequest{}, err
			}
		}
		_, err := tx.Exec(`INSERT INTO holder_requests (txn, tenant, jws, expires_at) VALUES ($1, $2, $3, $4)`,
			claims.Txn, tenant, jws, store.Micros(made.ExpiresAt))
		if err != nil {
			return api.MadeRequest{}, err
		}
		return made, audit.Record(ctx, tx, civil, audit.Line{Act: "request-signed", Subject: string(claims.Txn), Tenant: tenant, Detail: map[string]string{"act": string(in.Act), "origin": in.Origin}})
	})
}

// requestClaims draws what is drawn and puts the tenant's names in.
func (p *Platform) requestClaims(ctx context.Context, tenant string, in api.HolderRequest) (api.RequestClaims, error) {
	client, err := p.requestClient(ctx, tenant, in.Origin)
	if err != nil {
		return api.RequestClaims{}, err
	}
	return p.claimsOf(client, in)
}

// claimsOf draws what is drawn for a client. A login's request lasts no longer than its challenge.
func (p *Platform) claimsOf(client api.RequestClient, in api.HolderRequest) (api.RequestClaims, error) {
	now, life := time.Now(), p.cfg.RequestLife
	if in.Act == api.ActLogin {
		life = min(life, signature.MaxChallengeLife)
	}
	c := api.RequestClaims{Issuer: p.Config.Instance, Txn: jitsuin.NewID(), Client: client, Act: in.Act, Purpose: in.Purpose, PurposeEN: in.PurposeEN,
		ResponseURI: in.ResponseURI, State: in.State, Nonce: newNonce(), IssuedAt: now.Unix(), ExpiresAt: now.Add(life).Unix(), Documents: in.Documents, Items: in.Items}
	if in.Act == api.ActLogin {
		c.Challenge = &api.ChallengeText{Origin: in.Origin, ClientID: client.ID, Purpose: in.Purpose, Nonce: c.Nonce, IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt, Txn: string(c.Txn)}
		if err := c.Challenge.ToSign().Check(); err != nil {
			return api.RequestClaims{}, err
		}
	}
	return c, c.Check()
}

func newNonce() string {
	nonce := make([]byte, nonceSize)
	rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(nonce)
}

func (p *Platform) requestClient(ctx context.Context, tenant, origin string) (api.RequestClient, error) {
	c := api.RequestClient{ID: tenant, Origin: origin}
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT name, name_en FROM tenants WHERE id = $1`, tenant).Scan(&c.NameJA, &c.NameEN)
	})
	if c.NameEN == "" {
		c.NameEN = c.NameJA
	}
	return c, err
}

// madeRequest tells where the request and the holder's page for it are.
func (p *Platform) madeRequest(c api.RequestClaims) (api.MadeRequest, error) {
	self, err := p.Directory.Lookup(p.Config.Instance)
	if err != nil {
		return api.MadeRequest{}, err
	}
	holder, err := p.Directory.Lookup(p.cfg.Holder)
	if err != nil || holder.Origin == "" {
		return api.MadeRequest{}, jitsuin.Errorf(jitsuin.Unsupported, "holder-unknown", "no holder with pages (%s) is in the directory", p.cfg.Holder).
			WithHint("have the person sign with their own software, and send the result to /v1/verifications")
	}
	uri := fmt.Sprintf("%s/v1/holder-requests/%s", self.Origin, c.Txn)
	return api.MadeRequest{Txn: c.Txn, URI: uri, Open: holder.Origin + "/request?request_uri=" + url.QueryEscape(uri), ExpiresAt: time.Unix(c.ExpiresAt, 0).UTC()}, nil
}

// signedRequest gives a request as it was signed. One that is unknown and one that has expired are
// the same to who asks.
func (p *Platform) signedRequest(tx *store.Tx, txn string) (jws string, err error) {
	err = tx.QueryRow(`/* every tenant: whoever was led to a request fetches it */ SELECT jws FROM holder_requests WHERE txn = $1 AND expires_at > $2`, txn, store.Micros(time.Now())).Scan(&jws)
	if errors.Is(err, sql.ErrNoRows) {
		return p.errands.Signed(tx, txn) // one of our own
	}
	return jws, err
}

// serveRequest gives a request out, unless nothing that is signed for it could be verified now.
func (p *Platform) serveRequest(w http.ResponseWriter, r *http.Request) {
	var jws string
	today := jitsuin.DateOf(p.Clock.Now())
	err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		if jws, err = p.signedRequest(tx, r.PathValue("txn")); err != nil {
			return err
		}
		return mayVerifyOn(tx, today)
	})
	if err != nil {
		httpapi.WriteError(w, r, p.Log, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write([]byte(jws))
}

// forgetRequests drops requests that expired before a time.
func (p *Platform) forgetRequests(ctx context.Context, before time.Time) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`/* every tenant: requests expire */ DELETE FROM holder_requests WHERE expires_at < $1`, store.Micros(before))
		return err
	})
}
