package municipality

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/municipality/counter"
)

// The instances that a town talks to.
const (
	networkInstance = "jukinet:1"
	agencyInstance  = "jlis:1"
	cardsInstance   = "cards:1"
)

// Config is what a town is told.
type Config struct {
	actor.Config `yaml:",inline"`
	// Import is a JSON-lines file of the residents of an older system (データ移行), one ImportLine
	// a line. It is read while the register is empty; later it may stay or go.
	Import string `yaml:"import,omitempty"`
	// InquiryDays is how long a reply to an inquiry letter is taken. No law that was read fixes
	// it, towns choose; 0 means 30.
	InquiryDays int `yaml:"inquiry_days,omitempty" check:"range=1..365"`
	// Counter, where it is given, serves the pages of the counter at the town's origin.
	Counter *counter.Config `yaml:"counter,omitempty"`

	// Cards is the card host that keeps the chips; nil takes the instance cards:1 of the directory.
	Cards host.Cards `yaml:"-"`
	// Log defaults to slog.Default.
	Log *slog.Logger `yaml:"-"`
	// Store are further options of the database, for tests.
	Store []store.Option `yaml:"-"`
}

const defaultInquiryDays = 30

// Resolve makes relative paths absolute and says what is missing.
func (c *Config) Resolve(base string) error {
	actor.ResolvePaths(base, &c.Import)
	if c.Counter != nil {
		if err := c.Counter.Resolve(base); err != nil {
			return err
		}
	}
	return c.Config.Resolve(base)
}

// Town is one running municipality.
type Town struct {
	*actor.Actor
	code        jitsuin.MunicipalityCode
	cards       host.Cards
	agency      jlis.Client
	inquiryDays int
	recovering  atomic.Bool // the register was restored and is being brought up to the network
}

//go:embed migrations/*.sql
var migrations embed.FS

// New opens the town that the configuration names (instance municipality:CODE) and imports the
// older register where the own one is empty. Call Run, or Close.
func New(ctx context.Context, cfg Config) (*Town, error) {
	code := jitsuin.MunicipalityCode(strings.TrimPrefix(cfg.Instance, "municipality:"))
	if err := code.Check(); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config", "the instance of a municipality is municipality:CODE with five digits, not %q", cfg.Instance).At("instance")
	}
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Municipality " + string(code), Version: "1",
		Migrations: Migrations(), Log: cfg.Log, Store: append(counter.Tables(), cfg.Store...)})
	if err != nil {
		return nil, err
	}
	if cfg.Cards == nil {
		if cfg.Cards, err = cardHost(a.Self.ID, a.Directory); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	t := &Town{Actor: a, code: code, cards: cfg.Cards, agency: jlis.Client{Remote: a.Remote(agencyInstance)}, inquiryDays: cfg.InquiryDays}
	if t.inquiryDays <= 0 {
		t.inquiryDays = defaultInquiryDays
	}
	if cfg.Import != "" {
		if err := t.importRegister(ctx, cfg.Import); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	t.Offer(jukinet.TopicResidents, only(networkInstance))
	t.Offer(jlis.TopicApplications, only(agencyInstance))
	t.Offer(api.TopicOrdinances, only(agencyInstance))
	t.Follow(networkInstance, jukinet.TopicToTown(code), t.applyNetwork)
	t.Follow(agencyInstance, jlis.TopicToTown(code), t.applyAgency)
	t.recoverLater()
	t.Go("cases", t.advanceCases)
	t.routes()
	t.Upcoming("inquiry-replies-end", false, t.replyDeadlines)
	t.Metrics.Read("cases", t.readFigures)
	if cfg.Counter != nil {
		if _, err := counter.New(a, code, cfg.Cards, *cfg.Counter); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return t, nil
}

func cardHost(self string, d *httpapi.Directory) (host.Cards, error) {
	i, err := d.Lookup(cardsInstance)
	if err != nil {
		return nil, err
	}
	return host.Client(i.Origin, host.ClientOptions{Headers: httpapi.ActHeaders(self)})
}

// only admits one instance.
func only(instance string) httpapi.Policy {
	return httpapi.Checked("The instance "+instance, func(_ context.Context, c httpapi.Caller) error {
		if c.ID != instance {
			return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s may not read this", c.ID)
		}
		return nil
	})
}

// today is the day in civil time.
func (t *Town) today() jitsuin.Date { return jitsuin.DateOf(t.Clock.Now()) }

// applyNetwork gives an event of the registry network its effect.
func (t *Town) applyNetwork(_ context.Context, tx *store.Tx, e feed.Event) error {
	switch e.Type {
	case jukinet.TypeTransfer:
		var c jukinet.Transfer
		if err := e.Decode(&c); err != nil {
			return err
		}
		return saveCertificate(tx, c)
	case jukinet.TypeArrived:
		var a jukinet.Arrived
		if err := e.Decode(&a); err != nil {
			return err
		}
		return markArrived(tx, a)
	case jukinet.TypeNumbers:
		var n jukinet.Numbers
		if err := e.Decode(&n); err != nil {
			return err
		}
		return stockNumbers(tx, n)
	}
	return unknownEvent(e)
}

func unknownEvent(e feed.Event) error {
	return jitsuin.Errorf(jitsuin.Unsupported, "event-type", "events of type %q are not known here", e.Type)
}
