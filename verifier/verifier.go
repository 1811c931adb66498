package verifier

import (
	"context"
	"crypto/x509"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/status"
	"github.com/jitsuin/jitsuin/verifier/fetch"
)

// Options are what a verifier is given beside its configuration. The zero value of a field means what is said there.
type Options struct {
	Clock   func() time.Time // time of the law; time.Now
	Log     *slog.Logger     // slog.Default()
	Version string           // of the program, for reports
}

// Verifier is a stand-alone verifier. Safe for concurrent use.
type Verifier struct {
	cfg         *Config
	clock       func() time.Time
	log         *slog.Logger
	version     string
	anchors     []*x509.Certificate
	between     []*x509.Certificate // intermediates
	timeAnchors []*x509.Certificate // nil: anchors
	folder      *status.Folder
	fetcher     *fetch.Fetcher
	memory      *semaphore.Weighted // octets that requests hold
	slots       *semaphore.Weighted // verifications under way
}

func processors() int { return runtime.GOMAXPROCS(0) }

// Open reads certificates and lists. A folder without a trusted authority is an error, one without lists is not: the verifier
// then says of every signature that its status is not known.
func Open(cfg *Config, o Options) (*Verifier, error) {
	v := &Verifier{cfg: cfg, clock: o.Clock, log: o.Log, version: o.Version}
	if v.clock == nil {
		v.clock = time.Now
	}
	if v.log == nil {
		v.log = slog.Default()
	}
	var err error
	if v.anchors, err = readCertificates(cfg.Anchors, "anchors", true); err != nil {
		return nil, err
	}
	if v.between, err = readCertificates(cfg.Intermediates, "intermediates", false); err != nil {
		return nil, err
	}
	if v.timeAnchors, err = readCertificates(cfg.TimeAnchors, "time_anchors", cfg.TimeAnchors != ""); err != nil {
		return nil, err
	}
	const mib = 1 << 20
	l := cfg.Limits
	v.memory, v.slots = semaphore.NewWeighted(int64(l.MemoryMiB)*mib), semaphore.NewWeighted(int64(l.AtOnce))
	// Who is trusted for time alone signs lists for its own certificates, and for no other generation of its name.
	v.folder = &status.Folder{Path: cfg.Status, Anchors: v.anchors, Intermediates: slices.Concat(v.between, v.timeAnchors),
		Clock: v.clock, History: cfg.History, MaxFile: int64(l.ListMiB) * mib, MaxTotal: int64(l.ListsMiB) * mib}
	v.fetcher = &fetch.Fetcher{Folder: v.folder, Sources: cfg.sources(), Clock: v.clock, Log: v.log, MaxList: v.folder.MaxFile, MaxAll: v.folder.MaxTotal}
	if err := v.folder.Reload(); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "status-folder", "%w", err)
	}
	return v, nil
}

// Fetch asks every source now, or the one that is named, and gives what is remembered of each.
func (v *Verifier) Fetch(ctx context.Context, name string) ([]fetch.SourceState, error) {
	var all []fetch.SourceState
	for _, s := range v.fetcher.Sources {
		if name == "" || s.Name == name {
			all = append(all, v.fetcher.Fetch(ctx, s))
		}
	}
	if len(all) == 0 {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "source-unknown", "the configuration has no source %q", name).WithHint("sources: NAME: {url: …}")
	}
	return all, nil
}

// watch looks at the folder and asks the sources until ctx ends. A source that hangs does not keep the folder from
// being looked at.
func (v *Verifier) watch(ctx context.Context) {
	fetched := make(chan struct{})
	go func() {
		defer close(fetched)
		v.keepFetching(ctx)
	}()
	t := time.NewTicker(v.cfg.Poll)
	defer t.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			<-fetched
			return
		case <-t.C:
		}
		said := ""
		if err := v.folder.Reload(); err != nil {
			said = err.Error()
		}
		if said != "" && said != last {
			v.log.Error("the folder of revocation lists cannot be read; what was read before stays in use", "err", said)
		}
		last = said
	}
}

// fetchTick is how often it is looked whether a source is due.
const fetchTick = 15 * time.Second

func (v *Verifier) keepFetching(ctx context.Context) {
	if len(v.fetcher.Sources) == 0 {
		return
	}
	t := time.NewTicker(fetchTick)
	defer t.Stop()
	for {
		v.fetcher.Due(ctx)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// madeBy is how the verifier calls itself in reports.
func (v *Verifier) madeBy() string {
	if v.version == "" {
		return "jitsuin verifier"
	}
	return "jitsuin verifier " + v.version
}

// made finishes a report.
func (v *Verifier) made(d *report.Document, name string, raw []byte) *report.Document {
	return d.Of(name, raw).Made(v.madeBy(), v.clock())
}
