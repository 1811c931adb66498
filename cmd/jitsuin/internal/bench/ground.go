package bench

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// ground is a country in a temporary folder, made for one run, with tenants of its platform and the requests that they
// send: its certificates, its status origin, its database on the disk.
type ground struct {
	folder  country.Folder
	tenants []*httpapi.Remote
	office  *httpapi.Remote
	bodies  [][]byte // verification requests, ready to be sent
	stop    func() error
}

// newGround makes a country, n tenants in it, and documents of about size bytes that are signed with its cards.
func newGround(ctx context.Context, n, size int) (*ground, error) {
	dir, err := os.MkdirTemp("", "jitsuin-bench-")
	if err != nil {
		return nil, err
	}
	address, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	o := country.Options{Data: filepath.Join(dir, "country"), Listen: address, Seed: 1, Log: slog.New(slog.DiscardHandler)}
	if err := untraced(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	running, cancel := context.WithCancel(ctx)
	ready, ended := make(chan country.Folder, 1), make(chan error, 1)
	o.Ready = func(f country.Folder) { ready <- f }
	go func() { ended <- country.Up(running, o) }()
	g := &ground{}
	g.stop = func() error {
		cancel()
		err := <-ended
		for _, r := range append(g.tenants, g.office) {
			if r != nil {
				r.Close()
			}
		}
		return errors.Join(err, os.RemoveAll(dir))
	}
	select {
	case g.folder = <-ready:
	case err := <-ended:
		ended <- err
		return nil, g.stop()
	}
	if err := g.fill(ctx, n, size); err != nil {
		return nil, errors.Join(err, g.stop())
	}
	return g, nil
}

// untraced makes a country whose actors keep no trace of their exchanges: a sandbox does so to show them, and no
// platform under load.
func untraced(o country.Options) error {
	f, _, err := country.Open(o)
	if err != nil {
		return err
	}
	for _, id := range []string{country.Platform, country.JLIS} {
		text, err := os.ReadFile(f.ConfigPath(id))
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.ConfigPath(id), bytes.Replace(text, []byte("trace: true"), []byte("trace: false"), 1), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (g *ground) fill(ctx context.Context, n, size int) (err error) {
	if g.office, err = g.folder.Remote(country.Operator, country.Platform); err != nil {
		return err
	}
	for i := range n {
		if err := g.register(ctx, fmt.Sprintf("tenant:bench-%02d", i)); err != nil {
			return err
		}
	}
	return g.sign(ctx, size)
}

func (g *ground) register(ctx context.Context, id string) error {
	key, err := actor.NewKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	d, err := g.folder.Directory()
	if err != nil {
		return err
	}
	there, err := d.Lookup(country.Platform)
	if err != nil {
		return err
	}
	_, err = httpapi.Do[api.Tenant](ctx, g.office, "POST", "/v1/tenants", string(jitsuin.NewID()),
		api.TenantRequest{ID: id, Name: "負荷試験", Origins: []string{}, PublicKey: der, Quota: &api.Quota{PerSecond: unlimited, Burst: unlimited}})
	g.tenants = append(g.tenants, httpapi.NewRemoteAt(httpapi.Identity{ID: id, Key: key}, there.Origin, country.Platform))
	return err
}

// unlimited is a quota that this machine cannot reach.
const unlimited = 1_000_000

// quota sets the quota of some tenants.
func (g *ground) quota(ctx context.Context, perSecond int, which ...int) error {
	for _, i := range which {
		_, err := httpapi.Do[api.Tenant](ctx, g.office, "PATCH", "/v1/tenants/"+g.tenants[i].Self(), string(jitsuin.NewID()),
			api.OfficeChange{Quota: &api.Quota{PerSecond: perSecond, Burst: min(max(4*perSecond, 10), unlimited)}})
		if err != nil && jitsuin.CodeOf(err) != "change-empty" {
			return err
		}
	}
	return nil
}

// signers is how many cards sign; each signs one document of each format.
const signers = 4

func (g *ground) sign(ctx context.Context, size int) error {
	cards := holder.CardsIn(string(g.folder))
	held, err := cards.Held()
	if err != nil {
		return err
	}
	now, err := country.CivilNow(ctx, g.folder)
	if err != nil {
		return err
	}
	act := holder.Act{At: now.Now, PINs: password{}}
	for i, id := range held[:min(signers, len(held))] {
		card, err := cards.Open(ctx, string(id))
		if err != nil {
			return err
		}
		content := bytes.Repeat([]byte(fmt.Sprintf("契約書第%d号 ", i)), size/20)
		cms, err := card.Document(ctx, bytes.NewReader(content), act)
		if err != nil {
			return errors.Join(err, card.Close())
		}
		pdf, err := card.PDF(ctx, page(size), func(*x509.Certificate) (pades.Options, error) { return pades.Options{At: act.At}, nil }, nil, act)
		if err = errors.Join(err, card.Close()); err != nil {
			return err
		}
		for _, r := range []api.VerificationRequest{{Document: content, Signature: cms, Purpose: "contract"}, {Signature: pdf, Purpose: "contract"}} {
			body, err := json.Marshal(r)
			if err != nil {
				return err
			}
			g.bodies = append(g.bodies, body)
		}
	}
	if len(g.bodies) == 0 {
		return jitsuin.Errorf(jitsuin.Internal, "bench-cards", "the country has no cards to sign with")
	}
	return nil
}

// password gives the password of all sample cards.
type password struct{}

// PIN implements holder.PINSource.
func (password) PIN(context.Context, holder.Question) ([]byte, error) {
	return []byte(country.SignPassword.Reveal()), nil
}

// Confirms implements holder.PINSource.
func (password) Confirms() bool { return false }
