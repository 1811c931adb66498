package openid_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

const uses = 1000

// atOnce redeems one code a thousand times at once, at the addresses by turns, and gives how many succeeded and what else was answered.
func (p *rp) atOnce(a asking, code string, addresses ...string) (good int64, others map[string]int) {
	p.b.t.Helper()
	var won atomic.Int64
	var mu sync.Mutex
	others = map[string]int{}
	forms := make([]url.Values, uses)
	for n := range forms { // signed before, so that they come together
		forms[n] = p.grant(a, code, nil)
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 64, MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for n, form := range forms {
		at := strings.Replace(p.tokenURL(), p.b.Origin, addresses[n%len(addresses)], 1)
		all.Go(func() {
			resp, err := client.PostForm(at, form)
			if err != nil {
				p.b.t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				won.Add(1)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			others[fmt.Sprint(resp.StatusCode)]++
		})
	}
	all.Wait()
	return won.Load(), others
}

// Of a thousand who come with one code at once, one gets tokens: at one process, after it started anew, and at two processes of one
// database.
func TestACodeIsUsedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		p := b.relyingParty(b.tenant, func(m map[string]any) { m["token_endpoint_auth_method"], m["jwks"] = "client_secret_post", nil }) // quick, so that they come together
		hanako := b.Agency.Resident("霧島　花子")
		a, code := p.coded(hanako, nil)
		if good, others := p.atOnce(a, code, b.Origin); good != 1 || others["400"] != uses-1 {
			t.Errorf("%d of %d succeeded; others: %v", good, uses, others)
		}
		b.Stop()
		b.StartPlatform(db, nil)
		if got := p.redeem(a, code, nil); !got.is("invalid_grant") {
			t.Errorf("after a restart: HTTP %d %s", got.Status, got.Raw)
		}
		second, kept := p.coded(hanako, nil)
		addresses := []string{b.Origin}
		if strings.HasPrefix(db, "postgres") {
			addresses = append(addresses, b.another(db))
		}
		if good, others := p.atOnce(second, kept, addresses...); good != 1 || others["400"] != uses-1 {
			t.Errorf("at %d processes %d of %d succeeded; others: %v", len(addresses), good, uses, others)
		}
		if n := b.count(`SELECT COUNT(*) FROM openid_tokens`); n != 2 {
			t.Errorf("%d tokens", n)
		}
	})
}

// another starts a second process of the platform on its database.
func (b *bank) another(db string) (origin string) {
	b.t.Helper()
	cfg := platform.Config{Config: b.Config(platformtest.ID, db), Log: slog.New(slog.DiscardHandler)}
	cfg.Listen, cfg.Quota.PerSecond = platformtest.FreeAddress(b.t), 10_000
	p, err := platform.New(context.Background(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Run(p)
	return "http://" + cfg.Listen
}
