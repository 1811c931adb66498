package jlis

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/jlis/signer"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
	municipality "github.com/jitsuin/jitsuin/municipality/api"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

// Agency is the running J-LIS.
type Agency struct {
	*actor.Actor
	cfg        Config
	count      counters
	realm      cert.Realm
	cards      host.Cards
	signer     signer.Signer
	codecs     map[jitsuin.CertKind]*cert.SerialCodec
	authority  map[jitsuin.CertKind]*authority // those that issue
	all        []*authority                    // of all generations, in the order of kind and generation
	production reader.Terminal
	faceCVC    []byte // certificate of the key of card-face signatures; nil where nothing is signed
	// cardNumber asks the network for the My Number of a card that is being made.
	cardNumber func(context.Context, jukinet.CardNumberRequest) (jitsuin.MyNumber, error)
	// registerWait is how long a request waits for a change that the municipality knows already.
	registerWait time.Duration
	responders   atomic.Pointer[[]responder]
	journal      journalState
	trouble      atomic.Pointer[error] // of the signer's last answer
	node         *node                 // the status origin; nil where there is none
	register     *actor.Followed       // the registry network's feed
}

// New opens the Agency: its keys, the account of signatures, both CAs. Run starts it; call Close
// if Run is never called. A journal of signatures that does not fit the database is no error here:
// nothing is signed then, /readyz says why, and ReconcileJournal ends it.
func New(ctx context.Context, cfg Config) (*Agency, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	base, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "J-LIS (地方公共団体情報システム機構)", Version: "1",
		Migrations: migrations(), Log: cfg.Log, Store: cfg.Store})
	if err != nil {
		return nil, err
	}
	a := &Agency{Actor: base, cfg: cfg, realm: cert.Sandbox(), count: newCounters(base.Metrics)}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", cfg.Instance, err), a.Close())
	}
	return a, nil
}

// Close ends what New opened, where Run was never called.
func (a *Agency) Close() error { return errors.Join(a.Actor.Close(), a.closeSigner()) }

// Run works until ctx ends.
func (a *Agency) Run(ctx context.Context) error {
	return errors.Join(a.Actor.Run(ctx), a.closeSigner())
}

// closeSigner closes the signer that open opened; one that was given stays open.
func (a *Agency) closeSigner() error {
	if c, ok := a.signer.(io.Closer); ok && a.cfg.Signer == nil {
		return c.Close()
	}
	return nil
}

func (a *Agency) open(ctx context.Context) (err error) {
	a.registerWait = 5 * time.Second
	a.cardNumber = jukinet.Client{Remote: a.Remote(a.cfg.Jukinet)}.CardNumber
	if a.cards, err = a.cfg.openCards(a.Directory); err != nil {
		return err
	}
	if a.signer, err = a.cfg.openSigner(); err != nil {
		return err
	}
	if err := a.serialCodecs(ctx); err != nil {
		return err
	}
	if err := a.checkJournal(ctx); err != nil {
		return err
	}
	if err := a.openKeys(ctx); err != nil {
		return err
	}
	a.follow()
	a.routes()
	a.ticketRoutes()
	a.At(a.dueRevocations())
	a.offerDue()
	a.Go("issue", a.workApplications)
	a.Every(time.Hour, "forget reports of losses", func(ctx context.Context) error { return a.forgetReports(ctx, time.Now().Add(-reportsKept)) })
	a.health()
	if a.cfg.Status.Listen != "" {
		err = a.newNode(ctx)
	}
	a.figures()
	return err
}

// openKeys gives every key of ours its certificate: the CAs, the production terminal, the
// responders. Where nothing is signed now, what is missing stays missing.
func (a *Agency) openKeys(ctx context.Context) error {
	if err := a.openAuthorities(ctx); err != nil {
		return err
	}
	if err := a.openProduction(ctx); err != nil {
		return err
	}
	if err := a.openFace(ctx); err != nil {
		return err
	}
	return a.openResponders(ctx)
}

// follow reads the network, the minister and every municipality of the directory.
func (a *Agency) follow() {
	a.register = a.Follow(a.cfg.Jukinet, jukinet.TopicToJLIS, a.applyRegister)
	a.Follow(a.cfg.Minister, minister.TopicAccreditations, a.applyAccreditation).OnForget(a.forgetAccreditation)
	a.Follow(a.cfg.Minister, minister.TopicDesignations, a.applyDesignation)
	for _, town := range a.Directory.Role("municipality") {
		_, code, _ := strings.Cut(town.ID, ":")
		a.Follow(town.ID, api.TopicApplications, a.applyApplication(jitsuin.MunicipalityCode(code)))
		a.Follow(town.ID, municipality.TopicOrdinances, a.applyOrdinance(town.ID))
		a.Offer(api.TopicToTown(jitsuin.MunicipalityCode(code)), only(town.ID))
	}
	a.Offer(api.TopicStatus, httpapi.Roles("status"))
}

// only lets one instance in.
func only(id string) httpapi.Policy {
	return httpapi.Checked("The instance "+id, func(_ context.Context, c httpapi.Caller) error {
		if c.ID != id {
			return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s may not read this", c.ID)
		}
		return nil
	})
}

// serialCodecs reads the keys of serial numbers, which the first start draws. Each kind has its
// own, so that equal ordinals of the two kinds have nothing in common. A key that is missing although
// serial numbers were given with it is an error: status nodes could not read them any more.
func (a *Agency) serialCodecs(ctx context.Context) error {
	var given int
	err := a.DB.View(ctx, func(tx *store.Tx) error { return tx.QueryRow(`SELECT COUNT(*) FROM serial_head`).Scan(&given) })
	if err != nil {
		return err
	}
	a.codecs = map[jitsuin.CertKind]*cert.SerialCodec{}
	for _, kind := range jitsuin.CertKinds {
		path := filepath.Join(a.Config.State, "serial-"+string(kind)+".key")
		key, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && given == 0 {
			key = make([]byte, 16)
			rand.Read(key)
			err = writeDurably(path, key, 0o600)
		}
		if err != nil {
			return fmt.Errorf("key of serial numbers: %w", err)
		}
		if a.codecs[kind], err = cert.NewSerialCodec(key); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// keyFile reads a private key (PEM, PKCS #8, mode 0600), which the first start makes.
func keyFile(path string, make func() (crypto.Signer, error)) (crypto.Signer, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err := make()
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		return key, writeDurably(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "key-form", "%s is no PEM file", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "key-form", "%s holds no private key in PKCS #8", path)
	}
	return key, nil
}

// writeDurably puts a whole file in place or leaves what was there, and survives a power cut.
func writeDurably(path string, content []byte, mode fs.FileMode) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil || runtime.GOOS == "windows" { // which cannot sync a folder
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// toTown makes an event for a municipality.
func (a *Agency) toTown(town jitsuin.MunicipalityCode, subject, kind string, body any) feed.Draft {
	return feed.Draft{Topic: api.TopicToTown(town), Subject: subject, Type: kind, Body: body, RecordedAt: a.Clock.Now()}
}
