package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/office"
	"github.com/jitsuin/jitsuin/platform/records"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// recordList gives a page of a tenant's records.
func (p *Platform) recordList(ctx context.Context, tenant string, q api.RecordQuery) (page api.RecordPage, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error { page, err = records.List(tx, tenant, q); return err })
	return page, err
}

// readRecord gives a tenant's record, and notes in the operation log that it was read and what for.
func (p *Platform) readRecord(ctx context.Context, tenant string, id jitsuin.ID, purpose string) (r api.FullRecord, err error) {
	now := p.Clock.Now()
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		if r, err = records.Read(tx, tenant, id); err != nil {
			return err
		}
		return noteRead(ctx, tx, now, tenant, id, purpose, "")
	})
	return r, err
}

// noteRead writes the line of a reading; part is a file of the attachment.
func noteRead(ctx context.Context, tx *store.Tx, now time.Time, tenant string, id jitsuin.ID, purpose, part string) error {
	detail := map[string]string{"purpose": purpose}
	if part != "" {
		detail["part"] = part
	}
	return audit.Record(ctx, tx, now, audit.Line{Act: "record-read", Subject: string(id), Tenant: tenant, Detail: detail})
}

func (p *Platform) recordFile(ctx context.Context, tenant string, id jitsuin.ID, name, purpose string) (f records.File, err error) {
	now := p.Clock.Now()
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		if f, err = records.ReadFile(tx, tenant, id, name); err != nil {
			return err
		}
		return noteRead(ctx, tx, now, tenant, id, purpose, name)
	})
	return f, err
}

// changed is what makes two changes of a record the same one. What is stored under the key is the record's id alone.
type changed struct {
	Record jitsuin.ID
	What   any
}

// change has a tenant's record changed once, and gives its head as it then is.
func (p *Platform) change(ctx context.Context, act, tenant string, id jitsuin.ID, what any, do func(tx *store.Tx, now time.Time) (api.RecordHead, error)) (head api.RecordHead, err error) {
	now := p.Clock.Now()
	stored, err := httpapi.Once(ctx, p.DB, act, changed{id, what}, func(tx *store.Tx) (done, error) {
		h, err := do(tx, now)
		if err != nil {
			return done{}, err
		}
		return done{h.ID}, audit.Record(ctx, tx, now, audit.Line{Act: act, Subject: string(h.ID), Tenant: tenant})
	})
	if err != nil {
		return head, err
	}
	p.PokeJobs()
	err = p.DB.View(ctx, func(tx *store.Tx) error { head, err = records.Head(tx, tenant, stored.ID); return err })
	return head, err
}

func (p *Platform) amend(ctx context.Context, tenant string, id jitsuin.ID, a api.Amendment) (api.RecordHead, error) {
	return p.change(ctx, "record-amended", tenant, id, a, func(tx *store.Tx, now time.Time) (api.RecordHead, error) {
		return records.Amend(tx, tenant, id, a, now)
	})
}

func (p *Platform) addContract(ctx context.Context, tenant string, id jitsuin.ID, n api.ContractNote) (api.RecordHead, error) {
	return p.change(ctx, "record-contract", tenant, id, n, func(tx *store.Tx, now time.Time) (api.RecordHead, error) {
		return records.AddContract(tx, tenant, id, n, now)
	})
}

func (p *Platform) endContract(ctx context.Context, tenant string, id jitsuin.ID, n api.ContractNote) (api.RecordHead, error) {
	return p.change(ctx, "record-contract-end", tenant, id, n, func(tx *store.Tx, now time.Time) (api.RecordHead, error) {
		return records.EndContract(tx, tenant, id, n, now)
	})
}

func (p *Platform) newRecord(ctx context.Context, tenant string, n api.NewRecord) (api.RecordHead, error) {
	d, err := records.NewBeside(tenant, n, p.Clock.Now())
	if err != nil {
		return api.RecordHead{}, err
	}
	return p.change(ctx, "record-made", tenant, n.About, n, func(tx *store.Tx, _ time.Time) (api.RecordHead, error) { return records.PutBeside(tx, d) })
}

// aHold has a tenant do something with a hold on its record, once. Its reason is in the record and not in the operation
// log, for it may name a customer.
func (p *Platform) aHold(ctx context.Context, act, tenant string, what any, do func(tx *store.Tx, now time.Time) (api.Hold, error)) (h api.Hold, err error) {
	now := p.Clock.Now()
	stored, err := httpapi.Once(ctx, p.DB, act, what, func(tx *store.Tx) (done, error) {
		h, err := do(tx, now)
		if err != nil {
			return done{}, err
		}
		return done{h.ID}, audit.Record(ctx, tx, now, audit.Line{Act: act, Subject: string(h.Record), Tenant: tenant, Detail: map[string]string{"hold": string(h.ID)}})
	})
	if err != nil {
		return h, err
	}
	err = p.DB.View(ctx, func(tx *store.Tx) error { h, err = records.GetHold(tx, tenant, stored.ID); return err })
	return h, err
}

func (p *Platform) hold(ctx context.Context, tenant string, record jitsuin.ID, in api.HoldRequest) (api.Hold, error) {
	id := jitsuin.NewID()
	return p.aHold(ctx, string(office.PlaceHold), tenant, changed{record, in}, func(tx *store.Tx, now time.Time) (api.Hold, error) {
		return records.Place(tx, tenant, tenant, record, id, in.Reason, now)
	})
}

func (p *Platform) askRelease(ctx context.Context, tenant string, hold jitsuin.ID, in api.ReleaseRequest) (api.Hold, error) {
	return p.aHold(ctx, "record-release-asked", tenant, changed{hold, in}, func(tx *store.Tx, _ time.Time) (api.Hold, error) {
		return records.Ask(tx, tenant, hold, in.Reason)
	})
}

func (p *Platform) holds(ctx context.Context, tenant string) (list holdList, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error { list.Holds, err = records.Holds(tx, tenant); return err })
	return list, err
}

func (p *Platform) destructions(ctx context.Context, tenant string, in *destructionsIn) (page api.DestructionPage, err error) {
	from, err := dayOf(in.From, "from")
	if err != nil {
		return page, err
	}
	to, err := dayOf(in.To, "to")
	if err != nil {
		return page, err
	}
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		page, err = records.Destructions(tx, tenant, from, to, in.After, in.Limit)
		return err
	})
	return page, err
}

// destruction gives a certificate of destruction, signed as reports are.
func (p *Platform) destruction(ctx context.Context, tenant string, id jitsuin.ID) (s api.SignedDestruction, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error { s.Destruction, err = records.GetDestruction(tx, tenant, id); return err })
	if err != nil {
		return s, err
	}
	if s.Statement, err = json.Marshal(s.Destruction); err == nil {
		s.Signature, err = p.seal(ctx, s.Statement)
	}
	return s, err
}

// seal signs data of the platform's own with the key of reports: CMS, detached.
func (p *Platform) seal(ctx context.Context, content []byte) ([]byte, error) {
	s := cms.Signer{Certificate: p.sealer.Certificate, Others: p.sealer.Others, Key: p.sealer.Key}
	return s.Detached(ctx, bytes.NewReader(content), p.Clock.Now())
}

// searchEvidence searches for an auditor. The search is in the log before anything is answered.
func (p *Platform) searchEvidence(ctx context.Context, q api.EvidenceQuery) (a api.EvidenceAnswer, err error) {
	now, id := p.Clock.Now(), jitsuin.NewID()
	stored, err := httpapi.Once(ctx, p.DB, "evidence-search", q, func(tx *store.Tx) (done, error) {
		return done{id}, audit.Record(ctx, tx, now, audit.Line{Act: "evidence-searched", Subject: string(id), Tenant: q.Tenant, Reason: q.Reason, Detail: searched(q)})
	})
	if err != nil {
		return a, err
	}
	a.Search = stored.ID
	err = p.DB.View(ctx, func(tx *store.Tx) error { a.Lines, a.Next, err = records.Search(tx, q); return err })
	return a, err
}

// searched is what of a search stands in the operation log.
func searched(q api.EvidenceQuery) map[string]string {
	said := map[string]string{}
	for name, value := range map[string]string{"purpose": q.Purpose, "verification": string(q.Verification), "record": string(q.Record), "digest": q.Digest,
		"user": q.User, "use": string(q.Use), "verdict": q.Verdict, "from": q.From.String(), "to": q.To.String(), "after": q.After} {
		if value != "" {
			said[name] = value
		}
	}
	return said
}
