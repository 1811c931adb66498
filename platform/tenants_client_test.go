package platform_test

import (
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// A program of a tenant changes its registration and its key, and reads what it used, by package client.
func TestATenantMindsItselfByClient(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	b.verify(b.signed(b.Agency.Resident("霧島　花子")))
	as := func(who httpapi.Identity) *client.Client {
		c := must2(client.New(b.Origin, platformtest.ID, who.ID, who.Key))(t)
		t.Cleanup(c.Close)
		return c
	}
	old, ctx := as(b.tenant), t.Context()
	first := must2(old.Tenant(ctx))(t).Keys[0].KID
	origins := []string{"https://next.example"}
	if got, err := old.ChangeTenant(ctx, "", client.OwnChange{Origins: &origins}); err != nil || len(got.Origins) != 1 || got.Origins[0] != origins[0] {
		t.Errorf("%+v, %v", got, err)
	}
	next := httpapi.Identity{ID: b.tenant.ID, Key: must2(actor.NewKey())(t)}
	if _, err := old.EndKey(ctx, "", first, "交換"); jitsuin.CodeOf(err) != "key-last" {
		t.Errorf("the last key: %v", err)
	}
	if _, err := old.AddKey(ctx, "", client.KeyRequest{PublicKey: platformtest.SPKI(t, next)}); err != nil {
		t.Fatal(err)
	}
	if _, err := as(next).EndKey(ctx, "", first, "交換"); err != nil {
		t.Fatal(err)
	}
	if _, err := old.Tenant(ctx); jitsuin.KindOf(err) != jitsuin.Unauthenticated {
		t.Errorf("with the ended key: %v", err)
	}
	u, err := as(next).Usage(ctx, jitsuin.Date{}, jitsuin.Date{}, true)
	if err != nil || len(u.Lines) != 2 || u.Lines[0].Count != 1 || u.Lines[0].Day == "" {
		t.Errorf("%+v, %v", u, err)
	}
}
