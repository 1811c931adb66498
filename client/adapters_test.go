package client_test

import (
	"reflect"
	"regexp"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/platform/apidoc"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

func TestATenantMakesAndRevokesAdapterTokens(t *testing.T) {
	w := platformtest.New(t, "sqlite::memory:", nil)
	tenant := w.Register("tenant:shop", origin)
	c, err := client.New(w.Origin, platformtest.ID, tenant.ID, tenant.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	made, err := c.MakeAdapterToken(t.Context(), "", client.AdapterTokenRequest{Name: "web shop", Scopes: []string{client.ScopeVerify}})
	if err != nil || made.Token == "" {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := c.RevokeAdapterToken(t.Context(), "", jitsuin.NewID()); jitsuin.CodeOf(err) != "token-unknown" {
		t.Errorf("one that never was: %v", err)
	}
	if ended, err := c.RevokeAdapterToken(t.Context(), "", made.ID); err != nil || ended.RevokedAt == nil {
		t.Errorf("%+v, %v", ended, err)
	}
	if list, err := c.AdapterTokens(t.Context()); err != nil || len(list) != 1 || list[0].RevokedAt == nil || list[0].Token != "" {
		t.Errorf("%+v, %v", list, err)
	}
}

// The calls that the reference page shows are there.
func TestTheReferencesCallsExist(t *testing.T) {
	called := regexp.MustCompile(`\bc\.(\w+)\(`)
	for op, text := range apidoc.Go {
		m := called.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("%s calls nothing: %s", op, text)
		}
		if _, ok := reflect.TypeFor[*client.Client]().MethodByName(m[1]); !ok {
			t.Errorf("%s: package client has no %s", op, m[1])
		}
	}
}
