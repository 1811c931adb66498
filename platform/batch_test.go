package platform_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// quickQueue is a queue whose pauses are short.
func quickQueue(c *platform.Config) {
	c.Queue = platform.QueueConfig{Pause: 5 * time.Millisecond, LongestPause: 20 * time.Millisecond, Undecided: 1000, Claim: 200 * time.Millisecond}
}

func item(key string, r api.VerificationRequest) client.BatchItem {
	if r.Purpose == "" {
		r.Purpose = "account"
	}
	return client.BatchItem{Key: key, Request: r}
}

// ended waits for the end of a batch.
func (b *bank) ended(c *client.Client, id jitsuin.ID) (done client.Batch) {
	b.t.Helper()
	await(b.t, "the end of a batch", func() bool {
		got, err := c.Batch(b.t.Context(), id)
		done = got
		return err == nil && got.Waiting == 0
	})
	return done
}

// told gives the types of the events that a tenant has, each with the key or batch that it tells of.
func (b *bank) told(c *client.Client) (all []string) {
	b.t.Helper()
	page, err := c.EventsAfter(b.t.Context(), "", 0)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range page.Events {
		var d client.VerificationDone
		if err := e.Decode(&d); err != nil {
			b.t.Fatal(err)
		}
		all = append(all, strings.TrimSpace(e.Type+" "+d.Key+" "+d.SubIndication))
	}
	return all
}

func TestABatchIsJudgedLater(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, quickQueue)
		c, hanako := b.clientOf(b.tenant), b.Agency.Resident("霧島　花子")
		good := b.signed(hanako)
		good.Purpose = "account"
		early, err := b.verifyWith(b.tenant, "early-act", good)
		if err != nil {
			t.Fatal(err)
		}
		altered := good
		altered.Document = []byte("something else")
		items := []client.BatchItem{item("act-good", good), item("act-altered", altered), item("early-act", good), item("act-garbage", api.VerificationRequest{Signature: []byte("no signature")})}
		made, err := c.VerifyLater(t.Context(), "batch-01", items)
		if err != nil || made.Total != 4 || len(made.Items) != 4 {
			t.Fatalf("%+v, %v", made, err)
		}
		again, err := c.VerifyLater(t.Context(), "batch-01", items)
		if err != nil || again.ID != made.ID {
			t.Errorf("repeated: %+v, %v", again, err)
		}
		done := b.ended(c, made.ID)
		if v, err := c.Verification(t.Context(), done.Items[0].Verification); err != nil || v.Report.Verdict != signature.Passed || v.Items != nil || done.Items[0].Items == nil || *done.Items[0].Items != hanako.Items {
			t.Errorf("the good one: %+v, %+v, %v", v, done.Items[0], err)
		}
		if e := done.Items[1]; e.Verdict != string(signature.Failed) || e.SubIndication != string(signature.HashFailure) {
			t.Errorf("the altered one: %+v", e)
		}
		if e := done.Items[2]; e.Verification != early.ID {
			t.Errorf("an act that was there before: %+v, want %s", e, early.ID)
		}
		if e := done.Items[3]; e.State != client.StateJudged || e.Verdict != string(signature.Malformed) {
			t.Errorf("garbage: %+v", e)
		}
		want := []string{"batch.done", "verification.done act-altered HASH_FAILURE", "verification.done act-garbage FORMAT_FAILURE", "verification.done act-good", "verification.done early-act"}
		told := b.told(c)
		if last := told[len(told)-1]; last != "batch.done" {
			t.Errorf("the last event is %s", last)
		}
		if slices.Sort(told); !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		other := b.clientOf(b.Register("tenant:other", origin))
		for _, id := range []jitsuin.ID{made.ID, jitsuin.NewID()} {
			if _, err := other.Batch(t.Context(), id); jitsuin.CodeOf(err) != "batch-unknown" || jitsuin.KindOf(err) != jitsuin.NotFound {
				t.Errorf("another tenant: %v", err)
			}
		}
		for range 2 {
			if err := c.AcknowledgeBatch(t.Context(), "", made.ID); err != nil {
				t.Error(err)
			}
		}
		if got, err := c.Batch(t.Context(), made.ID); err != nil || got.Items[0].Items != nil || got.Items[0].Verdict != string(signature.Passed) {
			t.Errorf("after the receipt: %+v, %v", got, err)
		}
		if err := other.AcknowledgeBatch(t.Context(), "", made.ID); jitsuin.CodeOf(err) != "batch-unknown" {
			t.Errorf("another tenant's receipt: %v", err)
		}
		reused := slices.Clone(items)
		reused[0].Request.Purpose = "contract"
		if _, err := c.VerifyLater(t.Context(), "batch-01", reused); jitsuin.CodeOf(err) != "idempotency-key-reused" {
			t.Errorf("another batch under the key: %v", err)
		}
		next, err := c.VerifyLater(t.Context(), "batch-02", reused[:1])
		if err != nil {
			t.Fatal(err)
		}
		if e := b.ended(c, next.ID).Items[0]; e.State != client.StateFailed || e.Problem == nil || e.Problem.Code != "idempotency-key-reused" {
			t.Errorf("another act under a key: %+v", e)
		}
	})
}

func TestBatchesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) { quickQueue(c); c.Queue.MostItems = 3 })
	c, good := b.clientOf(b.tenant), b.signed(b.Agency.Resident("霧島　花子"))
	large := api.VerificationRequest{Document: make([]byte, 12<<20), Signature: []byte{1}}
	if err := platform.CheckBatch(api.BatchRequest{Items: []api.BatchItem{item("key-0001", large), item("key-0002", large), item("key-0003", large)}}, time.Now()); jitsuin.CodeOf(err) != "batch-too-large" {
		t.Errorf("too much: %v", err)
	}
	for name, bad := range map[string]struct {
		items []client.BatchItem
		code  string
	}{
		"none":                  {[]client.BatchItem{}, "request-form"},
		"a key twice":           {[]client.BatchItem{item("key-0001", good), item("key-0001", good)}, "item-twice"},
		"a key that is none":    {[]client.BatchItem{item("key~0001", good)}, "request-form"},
		"nothing to check":      {[]client.BatchItem{item("key-0001", good), item("key-0002", api.VerificationRequest{Document: nil})}, "signature-missing"},
		"a purpose of no kind":  {[]client.BatchItem{item("key-0001", api.VerificationRequest{Signature: []byte{1}, Purpose: "login"})}, "purpose-kind"},
		"more than a share":     {[]client.BatchItem{item("key-0001", good), item("key-0002", good), item("key-0003", good), item("key-0004", good)}, "queue-full"},
		"more than a batch has": {slices.Repeat([]client.BatchItem{item("key-0001", good)}, 101), "request-form"},
	} {
		if _, err := c.VerifyLater(t.Context(), "", bad.items); jitsuin.CodeOf(err) != bad.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.Accredit(minister.Suspended)
	if _, err := c.VerifyLater(t.Context(), "", []client.BatchItem{item("key-0001", good)}); jitsuin.CodeOf(err) != "accreditation-suspended" {
		t.Errorf("while suspended: %v", err)
	}
	if n := b.count(`SELECT COUNT(*) FROM queued_checks`); n != 0 {
		t.Errorf("%d checks wait", n)
	}
}

// What waits lies in the database as nobody can read it, survives restarts and a suspension, and is gone when it was judged.
func TestWhatWaitsIsKeptAndThenGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, quickQueue)
		c, hanako := b.clientOf(b.tenant), b.Agency.Resident("霧島　花子")
		canary := []byte("a canary that sits in no book")
		b.Status.Down.Store(true)
		made, err := c.VerifyLater(t.Context(), "", []client.BatchItem{item("act-0001", api.VerificationRequest{Document: canary, Signature: hanako.Sign.Over(t, canary)})})
		if err != nil {
			t.Fatal(err)
		}
		tries := func() int { return b.count(`SELECT tries FROM queued_checks`) }
		await(t, "tries without a status", func() bool { return tries() >= 2 })
		b.Accredit(minister.Suspended)
		b.Stop() // a try that is under way comes to its end
		stopped, err := store.OpenReadOnly(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		var rests int
		err = stopped.View(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(`SELECT tries FROM queued_checks`).Scan(&rests) })
		if stopped.Close(); err != nil {
			t.Fatal(err)
		}
		b.Status.Down.Store(false)
		b.canary(url, canary)
		b.StartPlatform(url, quickQueue)
		time.Sleep(60 * time.Millisecond)
		if got, err := c.Batch(t.Context(), made.ID); err != nil || got.Items[0].Problem != nil || got.Waiting != 1 || got.Items[0].State != client.StateWaiting || tries() != rests {
			t.Errorf("while suspended: %+v, %+v, %v, %d tries, were %d", got, got.Items[0].Problem, err, tries(), rests)
		}
		b.Accredit(minister.InForce)
		done := b.ended(c, made.ID)
		if e := done.Items[0]; e.Verdict != string(signature.Passed) || e.Key != "act-0001" {
			t.Errorf("%+v", e)
		}
		if err := c.AcknowledgeBatch(t.Context(), "", made.ID); err != nil {
			t.Error(err)
		}
		if n := b.count(`SELECT COUNT(*) FROM queued_checks WHERE LENGTH(sealed) > 0`); n != 0 {
			t.Error("something of it is still there")
		}
		if told := b.told(c); !slices.Equal(told, []string{"verification.done act-0001", "batch.done"}) {
			t.Errorf("told %q", told)
		}
	})
}

// canary looks for bytes in every file of an SQLite database, which must have some.
func (b *bank) canary(url string, bytesOf []byte) {
	b.t.Helper()
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return
	}
	all, err := filepath.Glob(path + "*")
	if err != nil || len(all) == 0 {
		b.t.Fatalf("no database at %s: %v", path, err)
	}
	for _, f := range all {
		if raw, err := os.ReadFile(f); err != nil || bytes.Contains(raw, bytesOf) || bytes.Contains(raw, []byte("YSBjYW5hcnkgdGhhdCBzaXRz")) {
			b.t.Errorf("%s holds the document: %v", filepath.Base(f), err)
		}
	}
}

func TestAnUndecidedCheckIsToldAsItIs(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) { quickQueue(c); c.Queue.Undecided = 3 })
	c := b.clientOf(b.tenant)
	b.Status.Down.Store(true)
	made, err := c.VerifyLater(t.Context(), "", []client.BatchItem{item("act-0001", b.signed(b.Agency.Resident("霧島　花子")))})
	if err != nil {
		t.Fatal(err)
	}
	if e := b.ended(c, made.ID).Items[0]; e.State != client.StateJudged || e.SubIndication != string(signature.TryLater) || e.Key != "act-0001" {
		t.Errorf("%+v", e)
	}
	if n := b.count(`SELECT COUNT(*) FROM checks`); n != 4 {
		t.Errorf("%d checks, want the first and three more", n)
	}
}

func TestACheckDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) { quickQueue(c); c.Queue.Longest = 100 * time.Millisecond })
	c := b.clientOf(b.tenant)
	b.Agency.LinksDown.Store(true)
	made, err := c.VerifyLater(t.Context(), "", []client.BatchItem{item("act-0001", b.signed(b.Agency.Resident("霧島　花子")))})
	if err != nil {
		t.Fatal(err)
	}
	e := b.ended(c, made.ID).Items[0]
	if e.State != client.StateFailed || e.Problem == nil || e.Problem.Code != "links-unavailable" {
		t.Errorf("%+v", e)
	}
}

// Each tenant has its turn, whoever was first and however much they brought.
func TestTheQueueIsFair(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, func(c *platform.Config) { c.Queue = platform.QueueConfig{Pause: time.Hour, LongestPause: time.Hour} })
		b.Status.Down.Store(true)
		good := b.signed(b.Agency.Resident("霧島　花子"))
		names := []string{"tenant:bank", "tenant:first", "tenant:second"}
		for i, name := range names {
			tenant := b.tenant
			if i > 0 {
				tenant = b.Register(name, origin)
			}
			var items []client.BatchItem
			for n := range []int{20, 1, 3}[i] {
				items = append(items, item(fmt.Sprint("act-000", n), good))
			}
			if _, err := b.clientOf(tenant).VerifyLater(t.Context(), "", items); err != nil {
				t.Fatal(err)
			}
		}
		await(t, "a try of each", func() bool { return b.count(`SELECT COUNT(*) FROM queued_checks WHERE tries = 1`) == 24 })
		b.Accredit(minister.Suspended) // the queue rests, and the test takes its place
		b.exec(`UPDATE queued_checks SET next_try = 0`)
		turns, err := b.Platform.ClaimTurns(t.Context(), 9)
		if want := "[tenant:bank tenant:first tenant:second tenant:bank tenant:second tenant:bank tenant:second tenant:bank tenant:bank]"; err != nil || fmt.Sprint(turns) != want {
			t.Errorf("%v, %v, want %s", turns, err, want)
		}
	})
}

// Every crash between two steps: a commit that is lost, or done without its answer, at each commit in turn. Each item is
// judged and told once.
func TestBatchesThroughFaults(t *testing.T) {
	t.Parallel()
	for _, outcome := range []store.Fault{store.CommitLost, store.CommitPersisted} {
		var armed atomic.Int64
		b := open(t, "sqlite::memory:", func(c *platform.Config) {
			quickQueue(c)
			c.Queue.Claim = 50 * time.Millisecond
			c.Store = append(c.Store, store.WithFaults(func() store.Fault {
				if armed.Load() > 0 && armed.Add(-1) == 0 {
					return outcome
				}
				return store.NoFault
			}))
		})
		c, good := b.clientOf(b.tenant), b.signed(b.Agency.Resident("霧島　花子"))
		var want []string
		for k := range int64(8) {
			key, id := fmt.Sprint("act-000", k), client.NewRequestID()
			want = append(want, "verification.done "+key, "batch.done")
			armed.Store(k + 1) // the batch's own commit first; the client repeats it
			made, err := c.VerifyLater(t.Context(), id, []client.BatchItem{item(key, good)})
			if err != nil {
				t.Fatal(err)
			}
			if e := b.ended(c, made.ID).Items[0]; e.Verdict != string(signature.Passed) {
				t.Errorf("commit %d: %+v", k+1, e)
			}
		}
		armed.Store(0)
		if told := b.told(c); !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if n := b.count(`SELECT COUNT(*) FROM checks`); n != 8 {
			t.Errorf("%d checks were made of 8 items", n)
		}
	}
}
