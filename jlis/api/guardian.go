package api

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Guardian says whether a legal representative (法定代理人) acts for somebody today.
type Guardian struct {
	Acts bool `json:"acts" doc:"the person is under 15"`
}

// GuardianActs asks whether a legal representative acts today for the holder of a certificate.
func (c Client) GuardianActs(ctx context.Context, l Link) (bool, error) {
	out, err := httpapi.Do[Guardian](ctx, c.Remote, http.MethodPost, "/guardian-checks", "", l)
	return out.Acts, err
}
