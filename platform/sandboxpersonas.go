package platform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Personas: for automated tests, the users of a sandbox's named people have ids that follow from the country's seed, the person
// and the tenant, where those of everybody else are random. A sandbox tenant that was made anew counts as the same one where it
// has the same names and origins. Whoever knows the seed can work these ids out: that is why they exist in a sandbox only.

func (p *Platform) personaRoutes() {
	httpapi.Register(p.API, httpapi.Operation{ID: "sandbox-personas", Method: http.MethodPut, Path: "/v1/sandbox/personas",
		Summary: "Say who a sandbox's named people are (sandbox only)", Policy: httpapi.Roles("operator")}, p.putPersonas)
}

type personasIn struct{ Body api.SandboxPersonas }

type personasOut struct{ Body api.PersonasKnown }

func (p *Platform) putPersonas(ctx context.Context, in *personasIn) (*personasOut, error) {
	return &personasOut{api.PersonasKnown{Personas: len(in.Body.Personas)}}, p.DB.Update(ctx, func(tx *store.Tx) error {
		for _, one := range in.Body.Personas {
			for _, c := range one.Certificates {
				if _, err := tx.Exec(`INSERT INTO sandbox_personas (kind, serial, secret) VALUES ($1, $2, $3) ON CONFLICT (kind, serial) DO NOTHING`,
					c.Kind, c.Serial, one.Secret); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// personaUser gives the id of a tenant's new user who is a named person of the sandbox; "" for everybody else, and where a
// user has the id already.
func personaUser(tx *store.Tx, tenant string, links []jlis.Link) (jitsuin.ID, error) {
	secret := ""
	for _, l := range links {
		var found string
		err := tx.QueryRow(`SELECT COALESCE(MAX(secret), '') FROM sandbox_personas WHERE kind = $1 AND serial = $2`, l.Kind, l.Serial).Scan(&found)
		if err != nil {
			return "", err
		}
		if found != "" {
			secret = found
		}
	}
	if secret == "" {
		return "", nil
	}
	t, err := getTenant(tx, tenant)
	if err != nil {
		return "", err
	}
	sector := t.id
	if t.sandbox {
		sector = fmt.Sprintf("%q %q %q", t.name, t.nameEN, strings.Join(t.origins, " "))
	}
	sum := sha256.Sum256([]byte("jitsuin sandbox user v1\x00" + secret + "\x00" + sector))
	id := jitsuin.ID(hex.EncodeToString(sum[:16]))
	var taken int
	err = tx.QueryRow(`SELECT COUNT(*) FROM users WHERE tenant = $1 AND id = $2`, tenant, id).Scan(&taken)
	if err != nil || taken > 0 {
		return "", err
	}
	return id, nil
}
