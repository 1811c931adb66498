package platform_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

func (b *bank) request(r api.HolderRequest) (m api.MadeRequest, err error) {
	return b.requestWith(string(jitsuin.NewID()), r)
}

func (b *bank) requestWith(key string, r api.HolderRequest) (m api.MadeRequest, err error) {
	err = b.once(b.tenant, "/v1/holder-requests", key, r, &m)
	return m, err
}

func signRequest() api.HolderRequest {
	sum := sha256.Sum256(document)
	return api.HolderRequest{Act: api.ActSign, Purpose: "口座開設の申込み", PurposeEN: "Opening an account", Origin: origin, ResponseURI: origin + "/answers", State: "state-0123456789abcdef",
		Documents: []api.RequestDocument{{Name: "申込書", MediaType: api.MediaTypeForm, SHA256: sum[:], HRef: origin + "/forms/1"}}, Items: []string{"name", "address"}}
}

func loginRequest() api.HolderRequest {
	return api.HolderRequest{Act: api.ActLogin, Purpose: "ログイン", PurposeEN: "Log in", Origin: origin, ResponseURI: origin + "/answers", State: "state-0123456789abcdef"}
}

// fetched gets a request as the holder does.
func (b *bank) fetched(uri string) (status int, kind, body string) {
	b.t.Helper()
	resp, err := http.Get(uri)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(raw)
}

func (b *bank) keyOf(id string) (*ecdsa.PublicKey, error) {
	i, err := b.Platform.Directory.Lookup(id)
	if err != nil {
		return nil, err
	}
	return i.Keys[0].Key.(*ecdsa.PublicKey), nil
}

func TestARequestToTheHolder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		key := string(jitsuin.NewID())
		m, err := b.requestWith(key, signRequest())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := b.requestWith(key, signRequest()); err != nil || again != m {
			t.Errorf("repeated: %+v, %v, not %+v", again, err, m)
		}
		if !strings.HasPrefix(m.Open, "http://"+b.Address("holder:1")+"/request?request_uri=http%3A") || !strings.HasPrefix(m.URI, b.Origin) {
			t.Errorf("%+v", m)
		}
		status, kind, jws := b.fetched(m.URI)
		if status != 200 || kind != "application/jwt" {
			t.Fatalf("%d %s %s", status, kind, jws)
		}
		c, err := api.OpenRequest(jws, b.keyOf, time.Now())
		if err != nil || c.Txn != m.Txn || c.Client != (api.RequestClient{ID: "tenant:bank", NameJA: "テナント", NameEN: "Tenant", Origin: origin}) || c.Challenge != nil ||
			!bytes.Equal(c.Documents[0].SHA256, signRequest().Documents[0].SHA256) || c.State != signRequest().State {
			t.Errorf("%+v, %v", c, err)
		}
		for _, uri := range []string{b.Origin + "/v1/holder-requests/" + string(jitsuin.NewID()), b.Origin + "/v1/holder-requests/x"} {
			if status, _, body := b.fetched(uri); status != 404 || !strings.Contains(body, "request-unknown") {
				t.Errorf("%s: %d %s", uri, status, body)
			}
		}
	})
}

func TestALoginThroughARequest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		m, err := b.request(loginRequest())
		if err != nil {
			t.Fatal(err)
		}
		_, _, jws := b.fetched(m.URI)
		c, err := api.OpenRequest(jws, b.keyOf, time.Now())
		if err != nil || c.Challenge == nil || time.Unix(c.ExpiresAt, 0).After(time.Now().Add(signature.MaxChallengeLife)) {
			t.Fatalf("%+v, %v", c, err)
		}
		l, err := b.answer(b.tenant, api.Challenge{ID: m.Txn, Challenge: *c.Challenge}, hanako.Auth)
		if err != nil || l.Report.Verdict != signature.Passed || l.User == nil {
			t.Errorf("%+v, %v", l, err)
		}
		_, err = b.answer(b.tenant, api.Challenge{ID: m.Txn, Challenge: *c.Challenge}, hanako.Auth)
		code(t, err, jitsuin.Conflict, "challenge-used")
	})
}

func TestARequestExpires(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) { c.RequestLife = 2 * time.Second })
	m, err := b.request(loginRequest())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		status, _, body := b.fetched(m.URI)
		if status == 404 && strings.Contains(body, "request-unknown") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("an expired request is still given out")
		}
	}
}

func TestRequestsThatAreNotMade(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	sum := sha256.Sum256(document)
	for name, c := range map[string]struct {
		change func(*api.HolderRequest)
		kind   jitsuin.Kind
		code   string
	}{
		"an origin of nobody's":     {func(r *api.HolderRequest) { r.Origin = "https://elsewhere.example" }, jitsuin.Denied, "origin-not-registered"},
		"an answer elsewhere":       {func(r *api.HolderRequest) { r.ResponseURI = "https://elsewhere.example/answers" }, jitsuin.Invalid, "request-form"},
		"an answer to a lookalike":  {func(r *api.HolderRequest) { r.ResponseURI = "https://securities.example.evil/answers" }, jitsuin.Invalid, "request-form"},
		"an answer with a user":     {func(r *api.HolderRequest) { r.ResponseURI = "https://securities.example@evil.example/" }, jitsuin.Invalid, "request-form"},
		"another scheme":            {func(r *api.HolderRequest) { r.ResponseURI = "http://securities.example/answers" }, jitsuin.Invalid, "request-form"},
		"a document elsewhere":      {func(r *api.HolderRequest) { r.Documents[0].HRef = "https://elsewhere.example/1" }, jitsuin.Invalid, "request-form"},
		"a document without digest": {func(r *api.HolderRequest) { r.Documents[0].SHA256 = sum[:31] }, jitsuin.Invalid, "request-form"},
		"nothing to sign":           {func(r *api.HolderRequest) { r.Documents = nil }, jitsuin.Invalid, "request-form"},
		"a login with a document":   {func(r *api.HolderRequest) { r.Act = api.ActLogin }, jitsuin.Invalid, "request-form"},
		"an unknown item":           {func(r *api.HolderRequest) { r.Items = []string{"my_number"} }, jitsuin.Invalid, "request-form"},
		"an item twice":             {func(r *api.HolderRequest) { r.Items = []string{"name", "name"} }, jitsuin.Invalid, "request-form"},
		"a purpose that steers":     {func(r *api.HolderRequest) { r.Purpose = "a\u202eb" }, jitsuin.Invalid, "request-form"},
		"a purpose in one language": {func(r *api.HolderRequest) { r.PurposeEN = " " }, jitsuin.Invalid, "request-form"},
	} {
		r := signRequest()
		c.change(&r)
		_, err := b.request(r)
		if jitsuin.KindOf(err) != c.kind || jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := b.requestWith("", signRequest())
	code(t, err, jitsuin.Invalid, "idempotency-key-missing")
	if n := b.count(`SELECT COUNT(*) FROM holder_requests`); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestNobodyOpensARequestThatIsNotThePlatforms(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	m, err := b.request(signRequest())
	if err != nil {
		t.Fatal(err)
	}
	_, _, jws := b.fetched(m.URI)
	c, err := api.OpenRequest(jws, b.keyOf, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(jws, ".")
	other := b.Register("tenant:other", origin)
	forged, err := api.SignRequest(c, other.Key)
	if err != nil {
		t.Fatal(err)
	}
	tampered := []byte(parts[1])
	tampered[40] ^= 1
	for name, raw := range map[string]string{"signed by another": forged, "tampered with": parts[0] + "." + string(tampered) + "." + parts[2],
		"no signature": parts[0] + "." + parts[1] + ".", "nothing": "", "without algorithm": "eyJhbGciOiJub25lIn0." + parts[1] + "."} {
		_, err := api.OpenRequest(raw, b.keyOf, time.Now())
		if jitsuin.CodeOf(err) != "request-signature" {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = api.OpenRequest(jws, func(string) (*ecdsa.PublicKey, error) { return nil, jitsuin.Errorf(jitsuin.NotFound, "x", "x") }, time.Now())
	code(t, err, jitsuin.Denied, "request-signature")
	_, err = api.OpenRequest(jws, b.keyOf, m.ExpiresAt)
	code(t, err, jitsuin.Expired, "request-expired")
	_, err = api.OpenRequest(jws, b.keyOf, time.Now().Add(-time.Hour))
	code(t, err, jitsuin.Invalid, "request-form")
}

func TestATenantsNameDoesNotSteer(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	r := api.TenantRequest{ID: "tenant:odd", Name: "銀行\u202e", PublicKey: platformtest.SPKI(t, b.tenant)}
	if _, err := b.TryRegister("operator:1", r); jitsuin.CodeOf(err) != "tenant-name" {
		t.Errorf("%v", err)
	}
	r.Name, r.NameEN = "銀行", "Bank"
	if got, err := b.TryRegister("operator:1", r); err != nil || got.NameEN != "Bank" {
		t.Errorf("%+v, %v", got, err)
	}
}
