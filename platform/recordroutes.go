package platform

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

const roleMinister = "minister"

const (
	needsKey     = " Needs the header Idempotency-Key."
	needsPurpose = " The purpose for which it is read is stated and stands in the operation log."
)

// recordRoutes are the routes of the vaults.
func (p *Platform) recordRoutes() {
	tenants := httpapi.Roles(roleTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "records", Method: http.MethodGet, Path: "/v1/records",
		Summary: "Your records, page by page", Description: "The oldest first; nothing of what stands in them.", Policy: tenants}, p.listRecords)
	httpapi.Register(p.API, httpapi.Operation{ID: "new-record", Method: http.MethodPost, Path: "/v1/records", Status: http.StatusCreated,
		Summary:     "Make the record of a transaction (取引記録), or of a known customer (取引時確認済み)",
		Description: "It stands beside the confirmation record of the person. Records of persons come from verifications." + needsKey, Policy: tenants}, p.postRecord)
	httpapi.Register(p.API, httpapi.Operation{ID: "record", Method: http.MethodGet, Path: "/v1/records/{id}",
		Summary:     "One record of yours: what stands in it, what is missing, everything that was ever written",
		Description: "Errors: 404 record-unknown for another tenant's, and for one that was destroyed." + needsPurpose, Policy: tenants}, p.getRecord)
	httpapi.Register(p.API, httpapi.Operation{ID: "record-file", Method: http.MethodGet, Path: "/v1/records/{id}/file",
		Summary:     "A file of a record's attachment (添付資料)",
		Description: "name is signature, certificate or document; the answer of the status origin stays with the verifier (403 status-stays)." + needsPurpose, Policy: tenants}, p.getRecordFile)
	httpapi.Register(p.API, httpapi.Operation{ID: "amend-record", Method: http.MethodPost, Path: "/v1/records/{id}/amendments", Status: http.StatusCreated,
		Summary:     "Add to a record what changed or was missing (付記)",
		Description: "What was written stays. Keys are those of the law's list for the kind; what the check found is not amended (400 record-member-found)." + needsKey, Policy: tenants}, p.postAmendment)
	httpapi.Register(p.API, httpapi.Operation{ID: "record-contract", Method: http.MethodPost, Path: "/v1/records/{id}/contracts", Status: http.StatusCreated,
		Summary:     "A further contract rests on the same check",
		Description: "The record is kept until the time after the last of its contracts is over." + needsKey, Policy: tenants}, p.postContract)
	httpapi.Register(p.API, httpapi.Operation{ID: "record-contract-end", Method: http.MethodPost, Path: "/v1/records/{id}/contract-end", Status: http.StatusCreated,
		Summary:     "A contract has ended: the record's last day is known when all have",
		Description: "ended_on lies between the check and today, in Japan. Told again, the newer day counts." + needsKey, Policy: tenants}, p.postContractEnd)
	httpapi.Register(p.API, httpapi.Operation{ID: "record-export", Method: http.MethodGet, Path: "/v1/record-exports",
		Summary:     "Records with their attachments in a ZIP file",
		Description: "With a folder for each record, index.csv, and manifest.json with the SHA-256 of every file; manifest.p7s is the platform's signature over it (CMS, detached; its root is at /report.cer). The header X-Next goes on where the file was full." + needsPurpose, Policy: tenants}, p.exportRecords)
	httpapi.Register(p.API, httpapi.Operation{ID: "record-destructions", Method: http.MethodGet, Path: "/v1/record-destructions",
		Summary: "Certificates of records of yours that were destroyed, the oldest first", Policy: tenants}, p.listDestructions)
	httpapi.Register(p.API, httpapi.Operation{ID: "record-destruction", Method: http.MethodGet, Path: "/v1/record-destructions/{id}",
		Summary: "One certificate of destruction, signed", Policy: tenants}, p.getDestruction)
	p.holdRoutes()
}

func (p *Platform) holdRoutes() {
	tenants := httpapi.Roles(roleTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "hold-record", Method: http.MethodPost, Path: "/v1/records/{id}/holds", Status: http.StatusCreated,
		Summary:     "Hold a record that is under dispute (係争中): it is not destroyed",
		Description: "The people of the platform can hold it as well." + needsKey, Policy: tenants}, p.postHold)
	httpapi.Register(p.API, httpapi.Operation{ID: "record-holds", Method: http.MethodGet, Path: "/v1/record-holds",
		Summary: "The holds on your records that are on", Policy: tenants}, p.listHolds)
	httpapi.Register(p.API, httpapi.Operation{ID: "ask-release", Method: http.MethodPost, Path: "/v1/record-holds/{id}/release", Status: http.StatusCreated,
		Summary:     "Ask for the end of a hold",
		Description: "Two people of the platform end it. A record whose time is over is destroyed then." + needsKey, Policy: tenants}, p.postRelease)
	httpapi.Register(p.API, httpapi.Operation{ID: "evidence-search", Method: http.MethodPost, Path: "/v1/evidence-searches", Status: http.StatusCreated,
		Summary:     "Search the evidence of all tenants (証跡照会)",
		Description: "For the minister; auditors of the platform search at /office/records. A line has digest, verdict, the law's reading and what became of the record, and never the four items. The search stands in the operation log with its purpose and reason." + needsKey,
		Policy:      httpapi.Roles(roleMinister)}, p.postEvidenceSearch)
	p.recordDesk()
}

// Stated is the purpose that a tenant states for reading a record.
type Stated struct {
	Purpose string `query:"purpose" required:"true" enum:"business,disclosure,authority,audit,dispute" doc:"業務, 本人からの開示請求, 当局への提出, 監査, 紛争"`
}

// Selection selects records in a query.
type Selection struct {
	User    string `query:"user" maxLength:"64" doc:"the pairwise id"`
	Account string `query:"account" maxLength:"1000"`
	Kind    string `query:"kind" maxLength:"40"`
	State   string `query:"state" enum:"complete,incomplete,held,running,ending"`
	From    string `query:"from" maxLength:"10" doc:"first day on which records were made, in Japan"`
	To      string `query:"to" maxLength:"10"`
	After   string `query:"after" maxLength:"100" doc:"next of the page before"`
	Limit   int    `query:"limit" minimum:"0" maximum:"200"`
}

func (in *Selection) query() (q api.RecordQuery, err error) {
	q = api.RecordQuery{User: in.User, Account: in.Account, Kind: rules.Record(in.Kind), State: in.State, After: in.After, Limit: in.Limit}
	if q.From, err = dayOf(in.From, "from"); err == nil {
		q.To, err = dayOf(in.To, "to")
	}
	return q, err
}

func dayOf(text, at string) (jitsuin.Date, error) {
	if text == "" {
		return jitsuin.Date{}, nil
	}
	d, err := jitsuin.ParseDate(text)
	if err != nil {
		return d, jitsuin.Errorf(jitsuin.Invalid, "day-form", "a day is written YYYY-MM-DD").At(at)
	}
	return d, nil
}

// secret wraps an answer that stays in no cache.
type secret[T any] struct {
	CacheControl string `header:"Cache-Control"`
	Body         T
}

func noStore[T any](v T, err error) (*secret[T], error) {
	if err != nil {
		return nil, err
	}
	return &secret[T]{"no-store", v}, nil
}

func (p *Platform) listRecords(ctx context.Context, in *Selection) (*secret[api.RecordPage], error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	return noStore(p.recordList(ctx, httpapi.CallerOf(ctx).ID, q))
}

type recordIn struct {
	ID string `path:"id" maxLength:"64"`
	Stated
}

func (p *Platform) getRecord(ctx context.Context, in *recordIn) (*secret[api.FullRecord], error) {
	return noStore(p.readRecord(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID), in.Purpose))
}

type recordFileIn struct {
	ID   string `path:"id" maxLength:"64"`
	Name string `query:"name" required:"true" enum:"signature,certificate,status,document"`
	Stated
}

func (p *Platform) getRecordFile(ctx context.Context, in *recordFileIn) (*reportOut, error) {
	f, err := p.recordFile(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID), in.Name, in.Purpose)
	if err != nil {
		return nil, err
	}
	return &reportOut{CacheControl: "no-store", ContentType: f.MediaType, Sniff: "nosniff",
		Disposition: `attachment; filename="` + in.ID + "-" + f.Name + `"`, Body: f.Content}, nil
}

type keyed[T any] struct {
	Key  string `header:"Idempotency-Key"`
	Body T
}

type keyedAt[T any] struct {
	Key  string `header:"Idempotency-Key"`
	ID   string `path:"id" maxLength:"64"`
	Body T
}

func (p *Platform) postRecord(ctx context.Context, in *keyed[api.NewRecord]) (*secret[api.RecordHead], error) {
	return noStore(p.newRecord(ctx, httpapi.CallerOf(ctx).ID, in.Body))
}

func (p *Platform) postAmendment(ctx context.Context, in *keyedAt[api.Amendment]) (*secret[api.RecordHead], error) {
	return noStore(p.amend(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID), in.Body))
}

func (p *Platform) postContract(ctx context.Context, in *keyedAt[api.ContractNote]) (*secret[api.RecordHead], error) {
	return noStore(p.addContract(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID), in.Body))
}

func (p *Platform) postContractEnd(ctx context.Context, in *keyedAt[api.ContractNote]) (*secret[api.RecordHead], error) {
	return noStore(p.endContract(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID), in.Body))
}

func (p *Platform) postHold(ctx context.Context, in *keyedAt[api.HoldRequest]) (*secret[api.Hold], error) {
	return noStore(p.hold(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID), in.Body))
}

func (p *Platform) postRelease(ctx context.Context, in *keyedAt[api.ReleaseRequest]) (*secret[api.Hold], error) {
	return noStore(p.askRelease(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID), in.Body))
}

type holdList struct {
	Holds []api.Hold `json:"holds"`
}

func (p *Platform) listHolds(ctx context.Context, _ *struct{}) (*secret[holdList], error) {
	return noStore(p.holds(ctx, httpapi.CallerOf(ctx).ID))
}

type destructionsIn struct {
	From  string `query:"from" maxLength:"10" doc:"first day of destruction, in Japan"`
	To    string `query:"to" maxLength:"10"`
	After string `query:"after" maxLength:"100"`
	Limit int    `query:"limit" minimum:"0" maximum:"200"`
}

func (p *Platform) listDestructions(ctx context.Context, in *destructionsIn) (*secret[api.DestructionPage], error) {
	return noStore(p.destructions(ctx, httpapi.CallerOf(ctx).ID, in))
}

func (p *Platform) getDestruction(ctx context.Context, in *idIn) (*secret[api.SignedDestruction], error) {
	return noStore(p.destruction(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID)))
}

func (p *Platform) postEvidenceSearch(ctx context.Context, in *keyed[api.EvidenceQuery]) (*secret[api.EvidenceAnswer], error) {
	return noStore(p.searchEvidence(ctx, in.Body))
}

type exportIn struct {
	Record string `query:"record" maxLength:"64" doc:"one record alone"`
	Selection
	Stated
}

type exportOut struct {
	CacheControl string `header:"Cache-Control"`
	ContentType  string `header:"Content-Type"`
	Disposition  string `header:"Content-Disposition"`
	Next         string `header:"X-Next"`
	Body         []byte
}

func (p *Platform) exportRecords(ctx context.Context, in *exportIn) (*exportOut, error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	body, next, err := p.export(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.Record), q, in.Purpose)
	if err != nil {
		return nil, err
	}
	return &exportOut{"no-store", "application/zip", `attachment; filename="records.zip"`, next, body}, nil
}
