package platform_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Somebody logs in at the platform's own origin, gets a new card, and is still the same there; who is revoked does not get in.
func TestLoginAtTheOwnOrigin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		at := b.Browser()
		if p := at.Open("/me?lang=en"); p.Status != http.StatusOK || !strings.Contains(p.Body, "Log in with your card") {
			t.Fatalf("nobody is logged in, and sees HTTP %d %s", p.Status, p.Body)
		}
		if p := at.Errand("/me/login", nil, hanako); p.Status != http.StatusOK || !strings.Contains(p.Body, "/me/logout") {
			t.Fatalf("after the login: HTTP %d %s", p.Status, p.Body)
		}
		b.Agency.Reissue(hanako, jitsuin.AuthCert, nil)
		again := b.Browser()
		again.Errand("/me/login", nil, hanako)
		if n := b.count(`SELECT COUNT(*) FROM persons`); n != 1 {
			t.Errorf("one person with a new certificate is %d persons", n)
		}
		b.Browser().Errand("/me/login", nil, taro)
		if n := b.count(`SELECT COUNT(*) FROM persons`); n != 2 {
			t.Errorf("two persons are %d", n)
		}
		b.Agency.Revoke(jitsuin.AuthCert, taro.Auth.Cert)
		if p := b.Browser().Errand("/me/login", nil, taro); strings.Contains(p.Body, "/me/logout") {
			t.Error("a revoked certificate got in")
		}
		again.Post("/me/logout", nil)
		if p := again.Open("/me"); strings.Contains(p.Body, "/me/logout") {
			t.Error("still there after the logout")
		}
		if n := b.count(`SELECT COUNT(*) FROM users`); n != 0 {
			t.Errorf("a login at our own origin made %d users of tenants", n)
		}
	})
}

// What a stranger may try with an errand: another browser, another answer, a second use, a wrong state.
func TestErrandsLeadBackOnceAndOnlyWhoBegan(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.SQLite().Fresh(t), nil)
	hanako := b.Agency.Resident("霧島　花子")
	at := b.Browser()
	away := at.Post("/me/login", nil)
	claims := b.OpenRequest(away.Location)
	signed, err := claims.Challenge.ToSign().Sign(hanako.Auth.Cert, hanako.Auth.Key)
	if err != nil {
		t.Fatal(err)
	}
	good := api.HolderAnswer{Txn: claims.Txn, State: claims.State, Certificate: signed.Certificate.Raw, Signature: signed.Signature, DigestAlg: signed.DigestAlg}
	wrong := good
	wrong.State = strings.Repeat("x", len(good.State))
	if status, _ := b.PostAnswer(claims, wrong); status != http.StatusNotFound {
		t.Errorf("a wrong state: HTTP %d", status)
	}
	status, back := b.PostAnswer(claims, good)
	if status != http.StatusOK {
		t.Fatalf("HTTP %d", status)
	}
	if status, twice := b.PostAnswer(claims, good); status != http.StatusOK || twice != back {
		t.Errorf("the same answer again: HTTP %d %s, want %s", status, twice, back)
	}
	denied := api.HolderAnswer{Txn: claims.Txn, State: claims.State, Error: "access_denied"}
	if status, _ := b.PostAnswer(claims, denied); status != http.StatusConflict {
		t.Errorf("another answer: HTTP %d", status)
	}
	if p := b.Browser().Open(back); p.Status != http.StatusForbidden {
		t.Errorf("another browser came back: HTTP %d", p.Status)
	}
	if p := at.Open(back); !strings.Contains(p.Body, "/me/logout") {
		t.Errorf("the browser that began: HTTP %d", p.Status)
	}
	if p := at.Open("/errands/return?code=guess"); p.Status != http.StatusNotFound {
		t.Errorf("a guessed code: HTTP %d", p.Status)
	}
}
