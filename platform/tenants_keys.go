package platform

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"regexp"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// maxKeys is how many keys of a tenant are good at a time: the one in use, the next one, and some for machines of their own.
const maxKeys = 5

var kidForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// thumbprint names a key by itself (RFC 7638), where nobody gave it a name.
func thumbprint(key *ecdsa.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}

// readKey reads a new key in any of its forms, and gives it with its name.
func readKey(r api.KeyRequest) (kid string, der []byte, err error) {
	wrong := func(field, what string) (string, []byte, error) {
		return "", nil, jitsuin.Errorf(jitsuin.Invalid, "tenant-key", "%s", what).At(field).WithHint("send one P-256 public key: public_key (DER), pem or jwk")
	}
	given := 0
	for _, is := range []bool{len(r.PublicKey) > 0, r.PEM != "", len(r.JWK) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		return wrong("public_key", "the key is given in exactly one form")
	}
	kid, der = r.KID, r.PublicKey
	switch {
	case r.PEM != "":
		block, _ := pem.Decode([]byte(r.PEM))
		if block == nil || block.Type != "PUBLIC KEY" {
			return wrong("pem", "the key is no PEM of a public key")
		}
		der = block.Bytes
	case len(r.JWK) > 0:
		var k jose.JSONWebKey
		if len(r.JWK) > 2000 || k.UnmarshalJSON(r.JWK) != nil || !k.IsPublic() {
			return wrong("jwk", "the key is no JWK of a public key; the member d stays with you")
		}
		if kid == "" {
			kid = k.KeyID
		}
		if der, err = x509.MarshalPKIXPublicKey(k.Key); err != nil {
			return wrong("jwk", "the JWK holds another sort of key")
		}
	}
	key, err := parseTenantKey(der)
	if err != nil {
		return "", nil, err
	}
	if kid == "" {
		kid, err = thumbprint(key)
	}
	if !kidForm.MatchString(kid) {
		return "", nil, jitsuin.Errorf(jitsuin.Invalid, "kid-form", "a key's id has up to 64 letters, digits, - and _").At("kid")
	}
	return kid, der, err
}

// addKey adds a key to a tenant beside those that it has.
func (p *Platform) addKey(ctx context.Context, id string, r api.KeyRequest) (api.Tenant, error) {
	kid, der, err := readKey(r)
	if err != nil {
		return api.Tenant{}, err
	}
	asked := struct{ Tenant, KID, Key string }{id, kid, hexSum(der)}
	return p.changeTenant(ctx, "tenant-key-added", id, asked, func(tx *store.Tx, now times, t *tenant) (audit.Line, error) {
		return audit.Line{Detail: map[string]string{"kid": kid}}, t.takeKey(tx, kid, der, now.wall)
	})
}

// mayTakeKey refuses a key that the tenant cannot have beside those that it has.
func (t *tenant) mayTakeKey(tx *store.Tx, kid string, der []byte) error {
	if t.state == api.TenantEnded {
		return jitsuin.Errorf(jitsuin.Conflict, "tenant-ended", "%s has ended; it takes no new key", t.id)
	}
	keys, err := keysOf(tx, t.id)
	if err != nil {
		return err
	}
	good := 0
	for _, k := range keys {
		if k.kid == kid || string(k.der) == string(der) {
			return jitsuin.Errorf(jitsuin.Conflict, "key-exists", "%s has, or had, this key or one of this id", t.id).
				WithHint("a key that has ended is never taken again; make a new one").At("kid")
		}
		if k.endedAt.IsZero() {
			good++
		}
	}
	if good >= maxKeys {
		return jitsuin.Errorf(jitsuin.Conflict, "keys-many", "%s has %d good keys already", t.id, good).WithHint("end one that is not used any more")
	}
	return nil
}

// takeKey gives the tenant a key beside those that it has.
func (t *tenant) takeKey(tx *store.Tx, kid string, der []byte, wall time.Time) error {
	if err := t.mayTakeKey(tx, kid, der); err != nil {
		return err
	}
	return tenantKey{tenant: t.id, kid: kid, der: der, addedAt: wall}.put(tx)
}

// endKey ends a key at once: neither what it signs nor the tokens that it bought are taken from then on. A tenant
// itself keeps one; the office may end the last.
func (p *Platform) endKey(ctx context.Context, id, kid, reason string, last bool) (api.Tenant, error) {
	asked := struct{ Tenant, KID, Reason string }{id, kid, reason}
	return p.changeTenant(ctx, "tenant-key-ended", id, asked, func(tx *store.Tx, now times, _ *tenant) (audit.Line, error) {
		return audit.Line{Reason: reason, Detail: map[string]string{"kid": kid}}, endKeyOf(tx, id, kid, last, now.wall)
	})
}

// endKeyOf ends a key of a tenant; last says that it may be the last one.
func endKeyOf(tx *store.Tx, id, kid string, last bool, wall time.Time) error {
	keys, err := keysOf(tx, id)
	if err != nil {
		return err
	}
	var ending *tenantKey
	others := 0
	for i := range keys {
		switch k := &keys[i]; {
		case k.kid == kid:
			ending = k
		case k.endedAt.IsZero():
			others++
		}
	}
	switch {
	case ending == nil:
		return jitsuin.Errorf(jitsuin.NotFound, "key-unknown", "there is no such key of this tenant")
	case !ending.endedAt.IsZero():
		return jitsuin.Errorf(jitsuin.Conflict, "key-ended", "the key has ended already")
	case others == 0 && !last:
		return jitsuin.Errorf(jitsuin.Conflict, "key-last", "this is your last key").
			WithHint("add the next one first; if this one was stolen, call the office of the platform")
	}
	ending.endedAt = wall
	return ending.put(tx)
}

const keyLookupTime = 5 * time.Second

// tenantKeys is asked at POST /token who a caller is that the directory does not know.
func (p *Platform) tenantKeys(id string) (httpapi.Caller, []jose.JSONWebKey, error) {
	if !tenantForm.MatchString(id) || p.cfg.Standalone && id != p.cfg.Tenant.ID {
		return httpapi.Caller{}, nil, errUnknownTenant()
	}
	m := p.members.get(id)
	if m == nil { // registered by another process a moment ago, or nobody
		ctx, cancel := context.WithTimeout(context.Background(), keyLookupTime)
		defer cancel()
		if err := p.members.refresh(ctx, p.DB); err != nil {
			return httpapi.Caller{}, nil, err
		}
		if m = p.members.get(id); m == nil {
			return httpapi.Caller{}, nil, errUnknownTenant()
		}
	}
	var keys []jose.JSONWebKey
	for kid, key := range m.keys {
		keys = append(keys, jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: string(jose.ES256), Use: "sig"})
	}
	return httpapi.Caller{ID: id, Role: roleTenant}, keys, nil
}
