package platform

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// maxBatchBody holds the documents of a batch in base64.
const maxBatchBody = api.MaxBatchBytes/3*4 + 1<<20

// batchesKept is how long a batch can be asked for after its end, wall time. Its checks stay in the log.
const batchesKept = 30 * 24 * time.Hour

// takeBatch stores a batch to be checked later. Everything that can be told without looking into a document is told
// now, and refuses the batch as a whole.
func (p *Platform) takeBatch(ctx context.Context, tenant string, in api.BatchRequest) (api.Batch, error) {
	if err := p.mayVerify(ctx); err != nil {
		return api.Batch{}, err
	}
	now := p.Clock.Now()
	if err := checkBatch(in, now); err != nil {
		return api.Batch{}, err
	}
	id := jitsuin.NewID()
	items := make([]queued, len(in.Items))
	asked := make([]any, len(in.Items)) // what makes two batches the same one
	for i, item := range in.Items {
		q, err := p.newQueued(tenant, item.Key, item.Request)
		if err != nil {
			return api.Batch{}, err
		}
		q.batch, q.i = id, i
		items[i], asked[i] = q, struct {
			Key     string
			Request request
		}{item.Key, requestOf(item.Request)}
	}
	made, err := httpapi.Once(ctx, p.DB, "batch", asked, func(tx *store.Tx) (done, error) {
		if err := p.putBatch(ctx, tx, id, tenant, items, now); err != nil {
			return done{}, err
		}
		return done{id}, nil
	})
	if err != nil {
		return api.Batch{}, err
	}
	return p.batch(ctx, tenant, made.ID)
}

// checkBatch refuses a batch by its first item that cannot be checked.
func checkBatch(in api.BatchRequest, now time.Time) error {
	keys, size := map[string]bool{}, 0
	for i, item := range in.Items {
		at := fmt.Sprintf("items[%d]", i)
		if keys[item.Key] {
			return jitsuin.Errorf(jitsuin.Invalid, "item-twice", "two items have the key %q", item.Key).At(at + ".key")
		}
		keys[item.Key] = true
		size += sizeOf(item.Request)
		if _, err := checkRequest(item.Request, now); err != nil {
			if e, ok := errors.AsType[*jitsuin.Error](err); ok {
				return e.At(strings.TrimSuffix(at+".request."+e.Field, "."))
			}
			return err
		}
	}
	if size > api.MaxBatchBytes {
		return jitsuin.Errorf(jitsuin.Invalid, "batch-too-large", "the documents and signatures of a batch have at most %d bytes together", api.MaxBatchBytes).At("items").
			WithHint("send several batches, or the documents' digests")
	}
	return nil
}

func sizeOf(in api.VerificationRequest) int {
	return len(in.Document) + len(in.Signature) + filesSize(in.Files)
}

func (p *Platform) putBatch(ctx context.Context, tx *store.Tx, id jitsuin.ID, tenant string, items []queued, now time.Time) error {
	if err := p.roomInQueue(tx, tenant, items); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO batches (id, tenant, made_at, total, waiting, ended_at) VALUES ($1, $2, $3, $4, $4, 0)`, id, tenant, store.Micros(now), len(items))
	if err != nil {
		return err
	}
	for _, q := range items {
		if err := putQueued(tx, q); err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, now, audit.Line{Act: "batch-taken", Subject: string(id), Tenant: tenant, Detail: map[string]string{"items": fmt.Sprint(len(items))}})
}

// batch tells how a tenant's batch stands. Another tenant's, and one that never was, are refused alike.
func (p *Platform) batch(ctx context.Context, tenant string, id jitsuin.ID) (b api.Batch, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		b = api.Batch{ID: id}
		var made int64
		err := tx.QueryRow(`SELECT made_at, total, waiting FROM batches WHERE id = $1 AND tenant = $2`, id, tenant).Scan(&made, &b.Total, &b.Waiting)
		if errors.Is(err, sql.ErrNoRows) {
			return errBatchUnknown()
		}
		if err != nil {
			return err
		}
		b.MadeAt = store.Time(made)
		b.Items, err = store.Collect(p.scanBatchEntry(tenant))(tx.Query(`SELECT id, sealed, key, state, verification, verdict, sub_indication, problem
			FROM queued_checks WHERE batch = $1 AND tenant = $2 ORDER BY i`, id, tenant))
		return err
	})
	return b, err
}

func (p *Platform) scanBatchEntry(tenant string) func(store.Scanner) (api.BatchEntry, error) {
	return func(s store.Scanner) (e api.BatchEntry, err error) {
		var id jitsuin.ID
		var sealed []byte
		var problem string
		err = s.Scan(&id, &sealed, &e.Key, &e.State, &e.Verification, &e.Verdict, &e.SubIndication, &problem)
		e.Key, _ = splitKey(e.Key)
		if err == nil && problem != "" {
			err = json.Unmarshal([]byte(problem), &e.Problem)
		}
		if err != nil || e.State != api.StateJudged || len(sealed) == 0 {
			return e, err
		}
		plain, err := p.copies.open(tenant, id, sealed)
		if err != nil {
			return e, err
		}
		var a answered
		err = json.Unmarshal(plain, &a)
		e.Items, e.Comparison = a.Items, a.Comparison
		return e, err
	}
}

// answered is what a verification answers once: the certificate's content, and how it compares.
type answered struct {
	Items      *jitsuin.FourItems `json:"items"`
	Comparison *api.Comparison    `json:"comparison,omitempty"`
}

// sealAnswer takes the document's place in the queue with what is answered once, nothing where there is no such thing.
func (p *Platform) sealAnswer(q queued, v api.Verification) ([]byte, error) {
	if v.Items == nil {
		return nil, nil
	}
	plain, err := json.Marshal(answered{v.Items, v.Comparison})
	if err != nil {
		return nil, err
	}
	return p.copies.seal(q.tenant, q.id, plain), nil
}

// answersKept is how long the four items of a batch wait to be read, wall time: as long as a request may be repeated.
const answersKept = httpapi.RequestsKept

// acknowledgeBatch ends the keeping of a batch's four items: the tenant has them. What still waits is judged all the same.
func (p *Platform) acknowledgeBatch(ctx context.Context, tenant string, id jitsuin.ID) error {
	now := p.Clock.Now()
	_, err := httpapi.Once(ctx, p.DB, "batch-receipt", id, func(tx *store.Tx) (done, error) {
		var waiting int
		err := tx.QueryRow(`SELECT waiting FROM batches WHERE id = $1 AND tenant = $2`, id, tenant).Scan(&waiting)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return done{}, errBatchUnknown()
		case err != nil:
			return done{}, err
		case waiting > 0:
			return done{}, jitsuin.Errorf(jitsuin.Conflict, "batch-waiting", "%d checks of the batch are still waiting", waiting)
		}
		if _, err := tx.Exec(`UPDATE queued_checks SET sealed = $1 WHERE batch = $2 AND tenant = $3`, []byte{}, id, tenant); err != nil {
			return done{}, err
		}
		return done{id}, audit.Record(ctx, tx, now, audit.Line{Act: "batch-acknowledged", Subject: string(id), Tenant: tenant})
	})
	return err
}

// forgetAnswers drops the four items of batches that ended before a time.
func (p *Platform) forgetAnswers(ctx context.Context, before time.Time) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`/* every tenant: the end of keeping */ UPDATE queued_checks SET sealed = $1 WHERE LENGTH(sealed) > 0 AND batch IN (SELECT id FROM batches WHERE ended_at > 0 AND ended_at < $2)`, []byte{}, store.Micros(before))
		return err
	})
}

func errBatchUnknown() error {
	return jitsuin.Errorf(jitsuin.NotFound, "batch-unknown", "there is no such batch of yours")
}

// concludeItem notes in the batch that one of its items has come to its end, and tells the tenant.
func (p *Platform) concludeItem(tx *store.Tx, q queued, f finding) error {
	key, _ := splitKey(q.key)
	if err := p.tell(tx, q.tenant, api.EventVerification, api.VerificationDone{Batch: q.batch, Key: key, Verification: f.verification,
		Verdict: f.verdict, SubIndication: f.subIndication, Problem: f.problem}); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE batches SET waiting = waiting - 1 WHERE id = $1 AND tenant = $2`, q.batch, q.tenant); err != nil {
		return err
	}
	d := api.BatchDone{Batch: q.batch}
	var waiting int
	if err := tx.QueryRow(`SELECT total, waiting FROM batches WHERE id = $1 AND tenant = $2`, q.batch, q.tenant).Scan(&d.Total, &waiting); err != nil || waiting > 0 {
		return err
	}
	err := tx.QueryRow(`SELECT COUNT(*) FROM queued_checks WHERE batch = $1 AND tenant = $2 AND state = $3`, q.batch, q.tenant, api.StateFailed).Scan(&d.Failed)
	if err != nil {
		return err
	}
	d.Judged = d.Total - d.Failed
	if _, err := tx.Exec(`UPDATE batches SET ended_at = $1 WHERE id = $2 AND tenant = $3`, store.Micros(time.Now()), q.batch, q.tenant); err != nil {
		return err
	}
	return p.tell(tx, q.tenant, api.EventBatch, d)
}

// forgetBatches drops batches that ended before a time.
func (p *Platform) forgetBatches(ctx context.Context, before time.Time) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`/* every tenant: the end of keeping */ DELETE FROM queued_checks WHERE batch IN (SELECT id FROM batches WHERE ended_at > 0 AND ended_at < $1)`, store.Micros(before))
		if err == nil {
			_, err = tx.Exec(`/* every tenant: the end of keeping */ DELETE FROM batches WHERE ended_at > 0 AND ended_at < $1`, store.Micros(before))
		}
		return err
	})
}

type batchIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.BatchRequest
}

// batchOut may hold the four items, so it stays in no cache.
type batchOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         api.Batch
}

type batchReceiptIn struct {
	Key string `header:"Idempotency-Key"`
	ID  string `path:"id" maxLength:"64"`
}

func (p *Platform) postBatchReceipt(ctx context.Context, in *batchReceiptIn) (*struct{}, error) {
	return nil, p.acknowledgeBatch(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID))
}

func (p *Platform) postBatch(ctx context.Context, in *batchIn) (*batchOut, error) {
	b, err := p.takeBatch(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &batchOut{"no-store", b}, nil
}

func (p *Platform) getBatch(ctx context.Context, in *idIn) (*batchOut, error) {
	b, err := p.batch(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &batchOut{"no-store", b}, nil
}
