package jlis

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	chip "github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

// The sandbox of the tests: one invented prefecture with two towns.
const (
	asagiri jitsuin.MunicipalityCode = "91201"
	yugiri  jitsuin.MunicipalityCode = "91202"
)

var places = map[jitsuin.MunicipalityCode]Place{
	asagiri: {"Kasumi-ken", "Asagiri-shi"}, yugiri: {"Kasumi-ken", "Yugiri-machi"}}

var instances = []string{"jlis:1", "status:1", "jukinet:1", "minister:1", "municipality:91201", "municipality:91202",
	"platform:1", "platform:2", "verifier:country", "service:x", "provider:ministry-1", "provider:railway-1"}

// world is a country as far as the Agency sees it.
type world struct {
	folder    string
	directory *httpapi.Directory
	identity  map[string]httpapi.Identity
	address   map[string]string
	config    Config
}

func (w *world) in(names ...string) string {
	return filepath.Join(append([]string{w.folder}, names...)...)
}

// newWorld lays out keys, directory and configuration. Nothing runs yet.
func newWorld(t testing.TB, database string) *world {
	t.Helper()
	w := &world{folder: t.TempDir(), identity: map[string]httpapi.Identity{}, address: map[string]string{}}
	keys := sharedKeys(t)
	var list []httpapi.Instance
	for _, id := range instances {
		w.identity[id] = httpapi.Identity{ID: id, Key: keys.instance[id]}
		w.address[id] = freeAddress(t)
		list = append(list, w.identity[id].Public("http://"+w.address[id]))
	}
	signed, err := httpapi.SignDirectory(keys.operator, list)
	must(t, err)
	must(t, os.WriteFile(w.in("directory.jws"), signed, 0o600))
	must(t, actor.WritePublicKey(w.in("operator.pem"), &keys.operator.PublicKey))
	for _, id := range instances {
		must(t, actor.WriteKey(w.in(strings.ReplaceAll(id, ":", "-")+".pem"), w.identity[id].Key))
	}
	w.directory, err = httpapi.OpenDirectory(w.in("directory.jws"), &keys.operator.PublicKey)
	must(t, err)
	w.config = Config{Config: w.actorConfig("jlis:1", database), PassphraseFile: w.in("passphrase"), Places: places, Log: quiet(),
		Status: StatusConfig{Listen: w.address["status:1"], Key: w.in("status-1.pem")}}
	w.layKeys(t, keys)
	return w
}

// layKeys puts keys that took long to make where the first start would make them.
func (w *world) layKeys(t testing.TB, keys *keyring) {
	t.Helper()
	must(t, os.WriteFile(w.in("passphrase"), []byte("a long random passphrase\n"), 0o600))
	must(t, os.MkdirAll(filepath.Join(w.config.State, "signer"), 0o700))
	must(t, os.WriteFile(filepath.Join(w.config.State, "signer", "keys.pem.age"), keys.sealed, 0o600))
	for name, key := range keys.responder {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(w.config.State, "responder-"+name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	}
}

func (w *world) actorConfig(id, database string) actor.Config {
	name := strings.ReplaceAll(id, ":", "-")
	return actor.Config{Instance: id, Listen: w.address[id], Database: database, State: w.in("state-" + name), Key: w.in(name + ".pem"),
		Directory: w.in("directory.jws"), DirectoryKey: w.in("operator.pem")}
}

// keyring holds what is slow to make, once per test process.
type keyring struct {
	operator  *ecdsa.PrivateKey
	instance  map[string]*ecdsa.PrivateKey
	responder map[string]*rsa.PrivateKey
	resident  []*rsa.PrivateKey
	sealed    []byte            // the signer's keys
	authority *ecdsa.PrivateKey // a terminal authority
	batch     *chip.BatchKeys   // of the chips
}

var ring = sync.OnceValues(func() (*keyring, error) {
	k := &keyring{instance: map[string]*ecdsa.PrivateKey{}, responder: map[string]*rsa.PrivateKey{}}
	var err error
	if k.operator, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	for _, id := range instances {
		if k.instance[id], err = actor.NewKey(); err != nil {
			return nil, err
		}
	}
	for _, kind := range jitsuin.CertKinds {
		if k.responder[authorityName(kind, 1)], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
	}
	for range 6 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		k.resident = append(k.resident, key)
	}
	dir, err := os.MkdirTemp("", "signer")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cfg := Config{}
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	s, err := signer.OpenFile(dir, "a long random passphrase", cfg.KeyNames())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if k.authority, err = actor.NewKey(); err != nil {
		return nil, err
	}
	if k.batch, err = chip.NewBatchKeys(); err != nil {
		return nil, err
	}
	k.sealed, err = os.ReadFile(filepath.Join(dir, "keys.pem.age"))
	return k, err
})

// production makes a production terminal that chips of the authority trust.
func (k *keyring) production() (reader.Terminal, error) {
	key, err := actor.NewKey()
	if err != nil {
		return reader.Terminal{}, err
	}
	certificate, err := chip.IssueTerminalCertificate(rand.Reader, k.authority, chip.RoleProduction, &key.PublicKey)
	return reader.Terminal{Certificate: certificate, Key: key}, err
}

func sharedKeys(t testing.TB) *keyring {
	t.Helper()
	k, err := ring()
	must(t, err)
	return k
}

// spki gives the n-th resident's public key as a terminal sends it.
func spki(t testing.TB, n int) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(sharedKeys(t).resident[n].Public())
	must(t, err)
	return der
}

// open opens the Agency without running it.
func (w *world) open(t testing.TB) *Agency {
	t.Helper()
	a, err := New(t.Context(), w.config)
	must(t, err)
	t.Cleanup(func() { a.Close() })
	return a
}

// withCards gives the world a card host.
func (w *world) withCards(t testing.TB) *host.Host {
	t.Helper()
	batch, err := sharedKeys(t).batch.Encode()
	must(t, err)
	must(t, os.MkdirAll(w.in("cards"), 0o700))
	must(t, os.WriteFile(filepath.Join(w.in("cards"), "batch.keys"), batch, 0o600))
	h, err := host.New(w.in("cards"), host.Options{OwnKeys: true})
	must(t, err)
	t.Cleanup(func() { h.Close() })
	w.config.Cards = h
	return h
}

type runner interface {
	Run(context.Context) error
	Started() <-chan struct{}
}

// run runs an actor until the test ends or stop is called.
func run(t testing.TB, r runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	select {
	case <-r.Started():
	case <-time.After(time.Minute):
		t.Fatal("an actor does not start")
	}
	return stop
}

// as is the way of an instance to another.
func (w *world) as(id, target string) *httpapi.Remote {
	return httpapi.NewRemote(w.identity[id], w.directory, target)
}

func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := freeport.Address()
	must(t, err)
	return address
}

func quiet() *slog.Logger {
	if os.Getenv("JITSUIN_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(io.Discard, nil))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
