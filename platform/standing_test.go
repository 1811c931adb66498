package platform_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

func TestNothingIsVerifiedWithoutAccreditation(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		w := platformtest.New(t, url, nil)
		b := &bank{w, t, w.Register("tenant:bank", origin)}
		hanako := b.Agency.Resident("霧島　花子")
		request := b.signed(hanako)
		try := func(kind jitsuin.Kind, want string) {
			t.Helper()
			_, err := b.verifyAs(b.tenant, request)
			code(t, err, kind, want)
			err = b.once(b.tenant, "/v1/login-challenges", "", api.ChallengeRequest{Origin: origin, Purpose: "login"}, nil)
			code(t, err, kind, want)
		}
		try(jitsuin.Unavailable, "accreditation-unknown")
		w.Accredit(minister.InForce)
		v := b.verify(request)
		if v.Report.Verdict != signature.Passed {
			t.Fatalf("accredited: %+v", v.Report)
		}
		select {
		case n := <-b.Agency.Notified:
			if n.Name != "検証プラットフォーム" || n.StartsOn != jitsuin.DateOf(time.Now()) {
				t.Errorf("notified %+v", n)
			}
		case <-time.After(10 * time.Second):
			t.Error("J-LIS was not notified")
		}
		w.Accredit(minister.Suspended)
		try(jitsuin.Unavailable, "accreditation-suspended")
		if err := b.Tenant(b.tenant).Call(t.Context(), "GET", "/v1/verifications/"+string(v.ID), "", nil, nil); err != nil {
			t.Errorf("what was verified before can no longer be read: %v", err)
		}
		w.Accredit(minister.InForce)
		b.verify(request)
		w.Accredit(minister.Withdrawn)
		try(jitsuin.Denied, "accreditation-withdrawn")
		today := jitsuin.DateOf(time.Now())
		w.AccreditFor(minister.InForce, today.AddDays(-400), today.AddDays(1))
		b.verify(request)
		b.advance(48 * time.Hour)
		try(jitsuin.Denied, "accreditation-over")
	})
}

func TestTenants(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		another, err := actor.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		key := platformtest.SPKI(t, httpapi.Identity{Key: another})
		good := api.TenantRequest{ID: "tenant:shop", Name: "店", Origins: []string{"https://shop.example"}, PublicKey: key}
		if _, err := b.TryRegister("municipality:91201", good); jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("a town registered a tenant: %v", err)
		}
		for want, spoil := range map[string]func(*api.TenantRequest){
			"tenant-id":     func(r *api.TenantRequest) { r.ID = "jlis:1" },
			"tenant-key":    func(r *api.TenantRequest) { r.PublicKey = []byte("key") },
			"origin-form":   func(r *api.TenantRequest) { r.Origins = []string{"https://shop.example/path"} },
			"tenant-name":   func(r *api.TenantRequest) { r.Name = " " },
			"tenant-exists": nil,
		} {
			r := good
			if spoil == nil {
				r.ID = "tenant:bank"
			} else {
				spoil(&r)
			}
			if _, err := b.TryRegister("operator:1", r); jitsuin.CodeOf(err) != want {
				t.Errorf("want %s, got %v", want, err)
			}
		}
		made, err := b.TryRegister("operator:1", good)
		if err != nil || made.DeemedSince != jitsuin.DateOf(time.Now()) {
			t.Errorf("registered %+v, %v", made, err)
		}
		nobody, err := actor.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.verifyAs(httpapi.Identity{ID: "tenant:bank", Key: nobody}, api.VerificationRequest{Signature: []byte{1}})
		code(t, err, jitsuin.Unauthenticated, "assertion")
		_, err = b.verifyAs(httpapi.Identity{ID: "tenant:unknown", Key: nobody}, api.VerificationRequest{Signature: []byte{1}})
		code(t, err, jitsuin.Unauthenticated, "assertion")
		err = b.As("operator:1").Call(t.Context(), "POST", "/v1/verifications", "key-of-operator", api.VerificationRequest{Signature: []byte{1}, Purpose: "account"}, nil)
		code(t, err, jitsuin.Denied, "not-for-this-caller")
	})
}

// In a sandbox a tenant that moves is registered again: the new origin counts and the old one no more; who it is
// stays, and nobody takes its place with a key of their own.
func TestATenantMovesToOtherOrigins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, func(c *platform.Config) { c.Sandbox.Open = true })
		hanako := b.Agency.Resident("霧島　花子")
		first := b.verify(b.signed(hanako)).User
		since := jitsuin.DateOf(b.Platform.Clock.Now())
		b.advance(72 * time.Hour)
		const moved = "https://moved.example"
		again := api.TenantRequest{ID: "tenant:bank", Name: "移転後の銀行", Origins: []string{moved}, PublicKey: platformtest.SPKI(t, b.tenant)}
		asks := func(from string) error {
			return b.once(b.tenant, "/v1/login-challenges", "", api.ChallengeRequest{Origin: from, Purpose: "login"}, nil)
		}
		code(t, asks(moved), jitsuin.Denied, "origin-not-registered")
		made, err := b.TryRegister("operator:1", again)
		if err != nil || made.Name != again.Name || len(made.Origins) != 1 || made.Origins[0] != moved || made.DeemedSince != since {
			t.Errorf("registered again: %+v, %v", made, err)
		}
		if err := asks(moved); err != nil {
			t.Errorf("from the new origin: %v", err)
		}
		code(t, asks(origin), jitsuin.Denied, "origin-not-registered")
		if u := b.verify(b.signed(hanako)).User; u == nil || u.ID != first.ID || u.New {
			t.Errorf("after the move another user: %+v, was %+v", u, first)
		}

		thief, err := actor.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		stolen := again
		stolen.Origins, stolen.PublicKey = []string{"https://thief.example"}, platformtest.SPKI(t, httpapi.Identity{Key: thief})
		_, err = b.TryRegister("operator:1", stolen)
		code(t, err, jitsuin.Conflict, "tenant-exists")
		if err := asks(moved); err != nil {
			t.Errorf("after the Conflict: %v", err)
		}
		_, err = b.verifyAs(httpapi.Identity{ID: "tenant:bank", Key: thief}, b.signed(hanako))
		code(t, err, jitsuin.Unauthenticated, "assertion")
	})
}

func TestAnotherTenantsVerificationDoesNotExist(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		other := b.Register("tenant:other", "https://other.example")
		v := b.verify(b.signed(b.Agency.Resident("霧島　花子")))
		get := func(id string) error {
			return b.Tenant(other).Call(t.Context(), "GET", "/v1/verifications/"+id, "", nil, nil)
		}
		foreign, never := get(string(v.ID)), get(string(jitsuin.NewID()))
		code(t, foreign, jitsuin.NotFound, "verification-unknown")
		if never == nil || foreign.Error() != never.Error() {
			t.Errorf("another tenant's and none are told apart: %v, %v", foreign, never)
		}
		code(t, get("%27%20or%201=1"), jitsuin.NotFound, "verification-unknown")
	})
}

func TestARequestTakesEffectOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		request := b.signed(hanako)
		first, err := b.verifyWith(b.tenant, "request-0001", request)
		if err != nil {
			t.Fatal(err)
		}
		b.Status.Down.Store(true) // the answer comes from the record, not from a second check
		again, err := b.verifyWith(b.tenant, "request-0001", request)
		if err != nil || again.ID != first.ID || *again.Items != *first.Items || *again.User != *first.User {
			t.Errorf("repeated: %+v, %v", again, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM checks`); n != 1 {
			t.Errorf("%d checks for one request", n)
		}
		other := request
		other.Purpose = "contract"
		_, err = b.verifyWith(b.tenant, "request-0001", other)
		code(t, err, jitsuin.Conflict, "idempotency-key-reused")
		_, err = b.verifyWith(b.tenant, "", request)
		code(t, err, jitsuin.Invalid, "idempotency-key-missing")
		b.Status.Down.Store(false)
		neighbour := b.Register("tenant:other", "https://other.example")
		theirs, err := b.verifyWith(neighbour, "request-0001", request)
		if err != nil || theirs.ID == first.ID {
			t.Errorf("another tenant's key of the same name: %+v, %v", theirs.ID, err)
		}
	})
}

func TestAStandAloneVerifierHasOneTenant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		own, err := actor.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "tenant.pem")
		if err := actor.WritePublicKey(path, &own.PublicKey); err != nil {
			t.Fatal(err)
		}
		alone := func(c *platform.Config) {
			c.Standalone, c.Tenant = true, platform.TenantConfig{ID: "tenant:self", Name: "自治体", Origins: []string{origin}, PublicKey: path}
		}
		w := platformtest.New(t, url, alone)
		w.Accredit(minister.InForce)
		b := &bank{w, t, httpapi.Identity{ID: "tenant:self", Key: own}}
		hanako := b.Agency.Resident("霧島　花子")
		v := b.verify(b.signed(hanako))
		if v.Report.Verdict != signature.Passed {
			t.Errorf("%+v", v.Report)
		}
		if _, err := b.TryRegister("operator:1", api.TenantRequest{ID: "tenant:more", Name: "n", PublicKey: platformtest.SPKI(t, b.tenant)}); err == nil {
			t.Error("a stand-alone verifier registered a second tenant")
		}
		w.Stop()
		w.StartPlatform(url, alone)
		if again := b.verify(b.signed(hanako)); again.User.ID != v.User.ID || again.User.New {
			t.Errorf("after a restart another user: %+v, was %+v", again.User, v.User)
		}
	})
}

func TestAnchorsArePinned(t *testing.T) {
	t.Parallel()
	url := filepath.Join(t.TempDir(), "platform.db")
	b := open(t, url, nil)
	hanako := b.Agency.Resident("霧島　花子")
	b.Stop()
	// J-LIS now offers another authority under the same address: the verifier keeps the first.
	b.Agency.Authorities[jitsuin.SignCert] = platformtest.NewAuthority(t, jitsuin.SignCert, 77)
	b.StartPlatform(url, nil)
	if v := b.verify(b.signed(hanako)); v.Report.Verdict != signature.Passed {
		t.Errorf("the pinned authority: %+v", v.Report.Reasons)
	}
	b.Agency.Reissue(hanako, jitsuin.SignCert, nil)
	refused(t, b.verify(b.signed(hanako)), signature.Indeterminate, signature.NoCertificateChain)
}
