package platform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

// accrediting is the platform's way to the minister, and what it knows of being served.
type accrediting struct {
	minister minister.Client
	denied   atomic.Bool // the status origin's last answer was that we are not served
}

func (p *Platform) openAccreditation() {
	p.minister = minister.Client{Remote: p.Remote(p.cfg.Minister)}
	p.Go("follow the application", p.followApplication)
}

// applicationFile is the file that Config.Application names: who applies, and one item for each criterion.
type applicationFile struct {
	minister.Applicant `yaml:",inline"`
	Items              []applicationItem `yaml:"items"`
}

type applicationItem struct {
	Criterion string            `yaml:"criterion"`
	Statement string            `yaml:"statement"`
	Evidence  []applicationLeaf `yaml:"evidence"`
}

// applicationLeaf is one document: a file beside the application's, or one that lies at an https address.
type applicationLeaf struct {
	Name      string `yaml:"name"`
	File      string `yaml:"file,omitempty"`
	Location  string `yaml:"location,omitempty"`
	SHA256    string `yaml:"sha256,omitempty"`
	Bytes     int64  `yaml:"bytes,omitempty"`
	MediaType string `yaml:"media_type,omitempty"`
}

var mediaTypes = map[string]string{".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/plain", ".csv": "text/csv",
	".json": "application/json", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".zip": "application/zip"}

// readApplication reads the application's file with the documents beside it. A day of beginning that is left out is today.
func readApplication(path string, today jitsuin.Date) (r minister.ApplicationRequest, err error) {
	if path == "" {
		return r, jitsuin.Errorf(jitsuin.Unsupported, "application-not-configured", "the configuration names no application").
			WithHint("write one, and name its file as application in the platform's configuration").At("application")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return r, jitsuin.Errorf(jitsuin.Invalid, "application-read", "the application cannot be read: %w", err).At("application")
	}
	var f applicationFile
	if err := yaml.UnmarshalWithOptions(raw, &f, yaml.Strict()); err != nil {
		return r, jitsuin.Errorf(jitsuin.Invalid, "application-read", "the application cannot be read: %s", yaml.FormatError(err, false, true)).At("application")
	}
	if f.StartsOn.IsZero() {
		f.StartsOn = today
	}
	r.Applicant = f.Applicant
	for _, item := range f.Items {
		out := minister.ApplicationItem{Criterion: item.Criterion, Statement: item.Statement}
		for _, leaf := range item.Evidence {
			e, err := leaf.read(filepath.Dir(path))
			if err != nil {
				return r, err
			}
			out.Evidence = append(out.Evidence, e)
		}
		r.Items = append(r.Items, out)
	}
	return r, nil
}

// read makes evidence of a leaf. A file must lie below the application's own folder.
func (l applicationLeaf) read(folder string) (minister.Exhibit, error) {
	e := minister.Exhibit{Name: l.Name, MediaType: l.MediaType, SHA256: l.SHA256, Bytes: l.Bytes, Location: l.Location}
	if l.File == "" {
		return e, nil
	}
	if !filepath.IsLocal(l.File) {
		return e, jitsuin.Errorf(jitsuin.Invalid, "application-file", "the document %q does not lie below the application's folder", l.File).At("items")
	}
	path := filepath.Join(folder, l.File)
	info, err := os.Stat(path)
	if err == nil && info.Size() > minister.MaxDocument {
		return e, jitsuin.Errorf(jitsuin.Invalid, "document-large", "the document %q has more than %d bytes", l.File, minister.MaxDocument).
			WithHint("lay it at an https address and give location, sha256 and bytes").At("items")
	}
	if err == nil {
		e.Content, err = os.ReadFile(path)
	}
	if err != nil {
		return e, jitsuin.Errorf(jitsuin.Invalid, "application-file", "the document %q cannot be read: %w", l.File, err).At("items")
	}
	sum := sha256.Sum256(e.Content)
	e.SHA256, e.Bytes = hex.EncodeToString(sum[:]), int64(len(e.Content))
	if e.MediaType == "" {
		e.MediaType = mediaTypes[strings.ToLower(filepath.Ext(l.File))]
	}
	return e, nil
}

// onwards is the Idempotency-Key of the call to another actor that an operator's call leads to: repeated, it is the same.
func onwards(ctx context.Context) (string, error) {
	key := httpapi.IdempotencyKey(ctx)
	if key == "" {
		return "", jitsuin.Errorf(jitsuin.Invalid, "idempotency-key-missing", "this call needs the header %s", httpapi.HeaderIdempotencyKey)
	}
	sum := sha256.Sum256([]byte(httpapi.CallerOf(ctx).ID + "\x00" + key))
	return hex.EncodeToString(sum[:16]), nil
}

// fileApplication files the application that the configuration names with the minister or, where one was returned, amends the
// items that are asked for. It is a person's act: nothing is filed by itself.
func (p *Platform) fileApplication(ctx context.Context) (a minister.Application, err error) {
	key, err := onwards(ctx)
	if err != nil {
		return a, err
	}
	now := p.Clock.Now()
	r, err := readApplication(p.cfg.Application, jitsuin.DateOf(now))
	if err != nil {
		return a, err
	}
	open, found, err := p.openApplication(ctx)
	if err != nil {
		return a, err
	}
	act := "application-filed"
	if found && open.State == minister.Returned {
		act = "application-amended"
		asked := open.Asked()
		items := slices.DeleteFunc(r.Items, func(i minister.ApplicationItem) bool { return !slices.Contains(asked, i.Criterion) })
		a, err = p.minister.Amend(ctx, open.ID, minister.AmendmentRequest{Items: items}, key)
	} else {
		a, err = p.minister.Apply(ctx, r, key)
	}
	if err != nil {
		return a, err
	}
	return a, p.keepApplication(ctx, a, audit.Line{Act: act, Subject: string(a.ID)})
}

// openApplication gives our latest application, where it is not over.
func (p *Platform) openApplication(ctx context.Context) (a minister.Application, open bool, err error) {
	latest, err := p.latestApplication(ctx)
	if err != nil || latest == nil {
		return a, false, err
	}
	return *latest, latest.Open(), nil
}

// latestApplication gives our latest application, nil for none.
func (p *Platform) latestApplication(ctx context.Context) (latest *minister.Application, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.Collect(func(s store.Scanner) (a minister.Application, err error) {
			var body string
			if err := s.Scan(&body); err != nil {
				return a, err
			}
			return a, json.Unmarshal([]byte(body), &a)
		})(tx.Query(`SELECT body FROM own_application ORDER BY number DESC LIMIT 1`))
		if latest = nil; err == nil && len(all) > 0 {
			latest = &all[0]
		}
		return err
	})
	return latest, err
}

const applicationSignal = "platform.application"

// keepApplication stores what the minister told of an application. An older version than the one at hand changes nothing; a new
// one is a line of the operation log.
func (p *Platform) keepApplication(ctx context.Context, a minister.Application, line audit.Line) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	now := p.Clock.Now()
	line.Detail = map[string]string{"state": a.State}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		var had int64
		if err := tx.QueryRow(`SELECT COALESCE(MAX(version), 0) FROM own_application WHERE id = $1`, a.ID).Scan(&had); err != nil || had >= a.Version {
			return err
		}
		_, err := tx.Exec(`INSERT INTO own_application (id, number, state, version, body) SELECT $1, COUNT(*) + 1, $2, $3, $4 FROM own_application WHERE id <> $1
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, version = excluded.version, body = excluded.body`, a.ID, a.State, a.Version, string(body))
		if err != nil {
			return err
		}
		tx.Notify(applicationSignal)
		return audit.Record(ctx, tx, now, line)
	})
}

// applicationWait is how long the minister is asked to keep us waiting for an application's next step.
const applicationWait = 25 * time.Second

// followApplication hears what becomes of our application, while one is open.
func (p *Platform) followApplication(ctx context.Context) error {
	filed, stop := p.DB.Watch(applicationSignal)
	defer stop()
	for ctx.Err() == nil {
		open, found, err := p.openApplication(ctx)
		if err != nil {
			return err
		}
		pause := time.Minute // another process may have filed it
		if found {
			pause = 0
			f, err := p.minister.Application(ctx, open.ID, open.Version, applicationWait)
			switch {
			case err == nil && f.Version > open.Version:
				err = p.keepApplication(ctx, f.Application, audit.Line{Who: p.cfg.Minister, Act: "application-heard", Subject: string(open.ID)})
				if err != nil {
					return err
				}
			case err != nil && ctx.Err() == nil:
				p.Log.WarnContext(ctx, "the minister does not tell what became of the application", "code", jitsuin.CodeOf(err))
				pause = notifyRetry
			}
		}
		if pause > 0 {
			select {
			case <-ctx.Done():
			case <-filed:
			case <-time.After(pause):
			}
		}
	}
	return nil
}

// Standing is how this verifier stands with the minister: its accreditation as last heard, whether J-LIS has been notified of
// it (届出), and its latest application.
type Standing struct {
	Today         jitsuin.Date            `json:"today" doc:"the civil day on which this holds"`
	MayVerify     bool                    `json:"may_verify" doc:"whether checks are made today"`
	Because       string                  `json:"because,omitempty" doc:"the code of the error that all calls get otherwise"`
	Accreditation *minister.Accreditation `json:"accreditation,omitempty"`
	Notified      bool                    `json:"notified"`
	Application   *minister.Application   `json:"application,omitempty"`
}

// Standing tells how we stand with the minister today.
func (p *Platform) Standing(ctx context.Context) (Standing, error) {
	s := Standing{Today: jitsuin.DateOf(p.Clock.Now())}
	a, notified, err := p.accreditation(ctx)
	switch {
	case err == nil:
		s.Accreditation, s.Notified = &a, notified == string(a.ID)
	case jitsuin.CodeOf(err) != "accreditation-unknown":
		return s, err
	}
	if err := p.mayVerify(ctx); err != nil {
		s.Because = jitsuin.CodeOf(err)
	}
	s.MayVerify = s.Because == ""
	s.Application, err = p.latestApplication(ctx)
	return s, err
}

func (p *Platform) accreditationRoutes() {
	operators := httpapi.Roles("operator")
	type standingOut struct{ Body Standing }
	type fileIn struct {
		Key string `header:"Idempotency-Key"`
	}
	type fileOut struct{ Body minister.Application }
	type auditIn struct {
		Key  string `header:"Idempotency-Key"`
		Body minister.AuditReport
	}
	type auditOut struct{ Body minister.AuditYear }
	httpapi.Register(p.API, httpapi.Operation{ID: "standing", Method: http.MethodGet, Path: "/v1/accreditation",
		Summary: "How this verifier stands with the minister: accreditation, notification, application", Policy: operators},
		func(ctx context.Context, _ *struct{}) (*standingOut, error) {
			s, err := p.Standing(ctx)
			return &standingOut{s}, err
		})
	httpapi.Register(p.API, httpapi.Operation{ID: "file-application", Method: http.MethodPost, Path: "/v1/accreditation/application", Status: http.StatusCreated,
		Summary:     "File the application for accreditation (認定申請) that the configuration names",
		Description: "Where it was returned, the items that are to be amended are sent from the same file. Needs the header Idempotency-Key.", Policy: operators},
		func(ctx context.Context, _ *fileIn) (*fileOut, error) {
			a, err := p.fileApplication(ctx)
			return &fileOut{a}, err
		})
	httpapi.Register(p.API, httpapi.Operation{ID: "submit-audit", Method: http.MethodPost, Path: "/v1/accreditation/audits", Status: http.StatusCreated, MaxBody: minister.MaxDocuments/3*4 + 512<<10,
		Summary: "Report on the audit of a year (監査報告) to the minister", Description: "Needs the header Idempotency-Key.", Policy: operators},
		func(ctx context.Context, in *auditIn) (*auditOut, error) {
			a, err := p.submitAudit(ctx, in.Body)
			return &auditOut{a}, err
		})
}

// submitAudit passes the report on our yearly audit on to the minister, and notes that in the log.
func (p *Platform) submitAudit(ctx context.Context, r minister.AuditReport) (minister.AuditYear, error) {
	key, err := onwards(ctx)
	if err != nil {
		return minister.AuditYear{}, err
	}
	own, _, err := p.accreditation(ctx)
	if err != nil {
		return minister.AuditYear{}, err
	}
	a, err := p.minister.SubmitAudit(ctx, own.ID, r, key)
	if err != nil {
		return a, err
	}
	now := p.Clock.Now()
	_, err = httpapi.Once(ctx, p.DB, "audit-submitted", a.Year, func(tx *store.Tx) (struct{}, error) {
		return struct{}{}, audit.Record(ctx, tx, now, audit.Line{Act: "audit-submitted", Subject: string(own.ID)})
	})
	return a, err
}
