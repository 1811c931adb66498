package jlis

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	chip "github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/jlis/signer"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
)

// The fault matrix: the story of a new card and of its certificates' end is told once for every
// commit and every answer of the signer in it, and in each telling that one step either fails and
// is lost, or fails and was done all the same. After each failure the Agency starts again with the
// same folders and database.

// tale is one telling.
type tale struct {
	t     *testing.T
	w     *world
	cards *shelf
	vault *vault
	d     *desk

	commits, answers int // how many there were
	failCommit       int // which one fails, counted from 1; 0 none
	failAnswer       int
	kept             bool // the failing step was done all the same
	failures         int
}

var errFault = errors.New("a fault injected by the test")

func (y *tale) fault() store.Fault {
	y.commits++
	if y.commits != y.failCommit {
		return store.NoFault
	}
	y.failures++
	if y.kept {
		return store.CommitPersisted
	}
	return store.CommitLost
}

// vault is a signer like the process of an HSM: it outlives every crash of the Agency.
type vault struct {
	keys    map[string]crypto.Signer
	journal []signer.Receipt
}

func (v *vault) Public(key string) (crypto.PublicKey, error) { return v.keys[key].Public(), nil }
func (v *vault) NewEpoch(uint32) (uint32, error)             { return 0, errFault }

func (v *vault) Last() signer.Receipt {
	if len(v.journal) == 0 {
		return signer.Receipt{Epoch: 1}
	}
	return v.journal[len(v.journal)-1]
}

func (v *vault) Since(counter uint64) ([]signer.Receipt, error) { return v.journal[counter:], nil }

func (v *vault) Sign(_ context.Context, key string, purpose signer.Purpose, tbs []byte) ([]byte, signer.Receipt, error) {
	digest := sha256.Sum256(tbs)
	v.journal = append(v.journal, signer.Receipt{Epoch: 1, Counter: uint64(len(v.journal)) + 1, Digest: digest})
	if purpose == signer.Face {
		sig, err := contents.Sign(v.keys[key], tbs)
		return sig, v.Last(), err
	}
	sig, err := v.keys[key].Sign(rand.Reader, digest[:], crypto.SHA256)
	return sig, v.Last(), err
}

// brittle is a vault whose one answer fails.
type brittle struct {
	*vault
	tale *tale
}

func (b brittle) Sign(ctx context.Context, key string, p signer.Purpose, tbs []byte) ([]byte, signer.Receipt, error) {
	b.tale.answers++
	if b.tale.answers != b.tale.failAnswer {
		return b.vault.Sign(ctx, key, p, tbs)
	}
	b.tale.failures++
	if b.tale.kept {
		if _, _, err := b.vault.Sign(ctx, key, p, tbs); err != nil {
			return nil, signer.Receipt{}, err
		}
	}
	return nil, signer.Receipt{}, jitsuin.Errorf(jitsuin.Unavailable, "signer-gone", "%w", errFault)
}

// start opens the Agency on the same folders, as often as it takes.
func (y *tale) start() {
	y.t.Helper()
	for try := 0; ; try++ {
		a, err := New(y.t.Context(), y.w.config)
		if err == nil {
			a.cardNumber = sampleNumber
			y.d = &desk{y.t, a, 1}
			y.t.Cleanup(func() { a.Close() })
			return
		}
		if try == 3 || jitsuin.KindOf(err) != jitsuin.Unavailable {
			y.t.Fatalf("start: %v", err)
		}
	}
}

// do does a step until it succeeds; after a failure the Agency is started again first.
func (y *tale) do(what string, step func() error) {
	y.t.Helper()
	for try := 0; ; try++ {
		err := step()
		if err == nil {
			return
		}
		if try == 3 || jitsuin.KindOf(err) != jitsuin.Unavailable {
			y.t.Fatalf("%s: %v", what, err)
		}
		y.d.Close()
		y.start()
		y.whole(what)
	}
}

// event applies an event as a follower does: exactly once, with a cursor of its own.
func (y *tale) event(n int, apply func(tx *store.Tx) error) {
	y.t.Helper()
	y.do(fmt.Sprintf("event %d", n), func() error {
		return y.d.DB.Update(y.t.Context(), func(tx *store.Tx) error {
			r, err := tx.Exec(`INSERT INTO feed_cursors (source, topic, epoch, n, hash) VALUES ('test', 'test', 1, $1, $2)
				ON CONFLICT (source, topic) DO UPDATE SET n = excluded.n WHERE feed_cursors.n < excluded.n`, n, []byte{})
			if err != nil {
				return err
			}
			if fresh, err := r.RowsAffected(); fresh == 0 || err != nil {
				return err
			}
			return apply(tx)
		})
	})
}

func (y *tale) tell() {
	y.t.Helper()
	d := func() *desk { return y.d }
	subject := jitsuin.NewID()
	y.event(1, func(tx *store.Tx) error { return d().applyChange(tx, entered(subject, hanako), feed.Event{}) })
	y.event(2, func(tx *store.Tx) error {
		return applyHighWater(tx, jukinet.HighWater{Municipality: asagiri, Position: jitsuin.Position{Epoch: 1, N: 1}})
	})
	app := d().newCard(subject, hanako, jitsuin.SignCert, jitsuin.AuthCert)
	y.event(3, func(tx *store.Tx) error { return takeIn(tx, app, d().Clock.Now()) })
	y.do("issue", func() error { return d().issue(y.t.Context(), app.ID) })
	y.whole("issued")
	var handle host.Handle
	y.do("receive", func() (err error) {
		handle, err = d().receive(y.t.Context(), d().delivered()[0].Card, "municipality:91201")
		return err
	})
	again := d().reissue(subject, hanako, d().delivered()[0].Card, map[jitsuin.CertKind]int{jitsuin.SignCert: 0})
	y.event(4, func(tx *store.Tx) error { return takeIn(tx, again, d().Clock.Now()) })
	y.do("issue again", func() error { return d().issue(y.t.Context(), again.ID) })
	y.whole("issued again")
	y.telephone(subject)
	y.event(5, func(tx *store.Tx) error {
		c := entered(subject, moved)
		c.Cause = jitsuin.CauseMoveWithin
		return d().applyChange(tx, c, feed.Event{})
	})
	day := jitsuin.DateOf(time.Now()).AddDays(5)
	y.event(6, func(tx *store.Tx) error {
		c := entered(subject, moved)
		c.Cause, c.State, c.OccurredOn = jitsuin.CauseMoveOut, jitsuin.Abroad, day
		return d().applyChange(tx, c, feed.Event{})
	})
	y.do("the day of departure", func() error { return d().fireRevocations(y.t.Context(), day.Start()) })
	y.do("a list", func() error {
		d().feedNode()
		u := d().authority[jitsuin.SignCert]
		_, err := d().node.lists.get(y.t.Context(), u, (*d().node.sets.Load())[u.keyID()], "")
		return err
	})
	y.whole("the end")
	y.end(subject, handle)
}

// whole checks what must hold at any time: all of an application's certificates or none, and the
// status feed says of each certificate that exists, and of no other, what the record says.
func (y *tale) whole(when string) {
	y.t.Helper()
	d := y.d
	known := map[string]api.StatusEvent{}
	born := map[string]int{}
	for _, e := range d.statusEvents() {
		was := known[e.Serial].State
		if e.State == api.StateGood && e.ReleasedAt == nil {
			born[e.Serial]++
		} else if born[e.Serial] != 1 || was == api.StateRevoked || was == e.State || (e.State == api.StateGood) != (was == api.StateHeld) && e.State != api.StateRevoked {
			y.t.Errorf("%s: %s becomes %s after it was %s, issued %d times", when, e.Serial, e.State, was, born[e.Serial])
		}
		known[e.Serial] = e
	}
	all, err := d.certificates(y.t.Context(), `WHERE profile IN ('sign', 'auth', 'phone-sign', 'phone-auth') AND state = 'issued'`)
	must(y.t, err)
	perApplication := map[string]int{}
	for _, r := range all {
		perApplication[r.MadeFor]++
		revoked := d.count(`SELECT COUNT(*) FROM revocation WHERE kind = $1 AND serial = $2`, string(r.Kind), r.Serial.String())
		held := d.count(`SELECT COUNT(*) FROM suspension WHERE kind = $1 AND serial = $2 AND released_at = 0`, string(r.Kind), r.Serial.String())
		e, ok := known[r.Serial.String()]
		if (e.State == api.StateHeld) != (held == 1) {
			y.t.Errorf("%s: the status feed says %s of %s, which is suspended %d times", when, e.State, r.Serial, held)
		}
		if !ok || born[r.Serial.String()] != 1 || (e.State == api.StateRevoked) != (revoked == 1) {
			y.t.Errorf("%s: the status feed does not say what the record says of %s", when, r.Serial)
		}
		delete(known, r.Serial.String())
	}
	if len(known) > 0 {
		y.t.Errorf("%s: the status feed knows %d certificates that do not exist", when, len(known))
	}
	for id, n := range perApplication {
		if app := d.state(jitsuin.ID(id)); n != len(app.Kinds) {
			y.t.Errorf("%s: %d of %d certificates of an application exist", when, n, len(app.Kinds))
		}
	}
}

// end checks what the whole tale must have come to, whatever failed in it.
func (y *tale) end(subject jitsuin.ID, handle host.Handle) {
	y.t.Helper()
	y.started()
	d := y.d
	delivered := d.delivered()
	if len(delivered) != 2 || len(d.refused()) != 0 || len(delivered[0].Certificates) != 2 || len(delivered[1].Certificates) != 1 {
		y.t.Fatalf("delivered: %+v, refused: %+v", delivered, d.refused())
	}
	if n := len(d.living(subject)); n != 0 {
		y.t.Errorf("%d certificates are left", n)
	}
	if n := len(d.onPhone(subject)); n != 0 {
		y.t.Errorf("%d certificates are left on the telephone", n)
	}
	reasons := map[jitsuin.RevocationReason]int{}
	for _, r := range sent[api.Revoked](d, api.TopicToTown(asagiri), api.TypeRevoked) {
		reasons[r.Reason]++
	}
	if len(reasons) != 3 || reasons[jitsuin.ReasonSuperseded] != 1 || reasons[jitsuin.ReasonAffiliationChanged] != 1 || reasons[jitsuin.ReasonCessationOfOperation] != 1 {
		y.t.Errorf("the town was told of %v", reasons)
	}
	if a, b := d.count(`SELECT COUNT(*) FROM certificate`), d.count(`SELECT COUNT(*) FROM (SELECT DISTINCT kind, serial FROM certificate) x`); a != b {
		y.t.Errorf("%d certificates have %d serial numbers", a, b)
	}
	y.checkChip(handle, delivered[0])
}

// started starts everything once more and checks what a start comes to.
func (y *tale) started() {
	y.t.Helper()
	must(y.t, y.d.Close())
	y.start()
	if _, stopped := y.d.journal.get(); stopped != nil {
		y.t.Errorf("the journal: %v", stopped)
	}
	if n := y.d.count(`SELECT COUNT(*) FROM certificate WHERE state = 'issued' AND profile IN ('ca', 'ocsp')`); n != 4 || len(y.d.authority) != 2 {
		y.t.Errorf("%d certificates of our own", n)
	}
	last := y.d.signer.Last().Counter
	if n := y.d.count(`SELECT COUNT(*) FROM signature WHERE counter <= $1`, last); uint64(n) != last {
		y.t.Errorf("%d of %d signatures are accounted for", n, last)
	}
}

func (y *tale) checkChip(handle host.Handle, d api.Delivered) {
	y.t.Helper()
	if len(y.cards.chips) != 1 {
		y.t.Errorf("%d chips were made", len(y.cards.chips))
	}
	ch, err := y.cards.Open(y.t.Context(), handle)
	must(y.t, err)
	j, err := reader.SelectJPKI(y.t.Context(), ch)
	must(y.t, err)
	der, err := j.Certificate(y.t.Context(), jitsuin.AuthCert)
	must(y.t, err)
	for _, i := range d.Certificates {
		if i.Kind == jitsuin.AuthCert && !bytes.Equal(i.Certificate, der) {
			y.t.Error("the chip holds another certificate than was delivered")
		}
	}
	text, err := reader.Select(y.t.Context(), ch, chip.AIDText)
	must(y.t, err)
	must(y.t, text.VerifyFile(y.t.Context(), chip.FileTextA, "123456789018"))
	files := map[uint16][]byte{}
	for _, id := range []uint16{chip.FileTextMyNumber, chip.FileTextAuthentic, chip.FileTextCVC} {
		files[id], err = text.ReadFile(y.t.Context(), id, 4096)
		must(y.t, err)
	}
	items, err := contents.ItemsFile(hanako)
	must(y.t, err)
	anchor, err := y.d.FaceAnchor()
	must(y.t, err)
	if err := anchor.VerifyText(files[chip.FileTextMyNumber], items, files[chip.FileTextAuthentic], files[chip.FileTextCVC]); err != nil {
		y.t.Errorf("the chip's four items: %v", err)
	}
}

// newTale prepares a telling on the database of a new world.
func newTale(t *testing.T, failCommit, failAnswer int, kept bool) *tale {
	t.Helper()
	w := newWorld(t, "")
	w.config.Database = w.in("jlis.db")
	y := &tale{t: t, w: w, cards: &shelf{chips: map[jitsuin.ID]*chip.Chip{}, handles: map[host.Handle]jitsuin.ID{}, tokens: map[string]host.Handle{}},
		failCommit: failCommit, failAnswer: failAnswer, kept: kept}
	keys := sharedKeys(t)
	y.vault = &vault{keys: map[string]crypto.Signer{"sign-1": keys.resident[4], "auth-1": keys.resident[5], terminalKey: keys.authority,
		faceRootKey: keys.resident[3], faceKey: keys.resident[2]}}
	w.config.Cards, w.config.Signer = y.cards, brittle{y.vault, y}
	w.config.Store = []store.Option{store.WithFaults(y.fault)}
	return y
}

// since goes on from where another tale has closed its Agency.
func (y *tale) since(other *tale) {
	y.t.Helper()
	must(y.t, os.RemoveAll(y.w.config.State))
	must(y.t, os.CopyFS(y.w.config.State, os.DirFS(other.w.config.State)))
	database, err := os.ReadFile(other.w.config.Database)
	must(y.t, err)
	must(y.t, os.WriteFile(y.w.config.Database, database, 0o600))
	y.vault.journal = slices.Clone(other.vault.journal)
	fails, answers := y.failCommit, y.failAnswer
	y.failCommit, y.failAnswer = 0, 0
	y.start()
	y.commits, y.answers, y.failCommit, y.failAnswer = 0, 0, fails, answers
}

func TestEveryCommitAndEverySignatureMayFail(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		t.Setenv("TMPDIR", "/dev/shm") // every commit is synced: thousands altogether
	}
	first := newTale(t, 0, 0, false)
	first.start()
	startCommits, startAnswers := first.commits, first.answers
	must(t, first.d.Close())
	plain := newTale(t, 0, 0, false)
	plain.since(first)
	plain.tell()
	if startCommits < 13 || startAnswers != 6 || plain.commits < 30 || plain.answers < 9 {
		t.Fatalf("%d and %d commits, %d and %d signatures", startCommits, plain.commits, startAnswers, plain.answers)
	}
	t.Logf("first start: %d commits, %d signatures; the tale: %d, %d", startCommits, startAnswers, plain.commits, plain.answers)
	once := func(name string, failCommit, failAnswer int, kept bool, tell func(*tale)) {
		t.Run(fmt.Sprintf("%s, commit %d signature %d, kept %v", name, failCommit, failAnswer, kept), func(t *testing.T) {
			y := newTale(t, failCommit, failAnswer, kept)
			tell(y)
			if y.failures != 1 {
				t.Errorf("%d faults happened", y.failures)
			}
		})
	}
	matrix := func(name string, commits, answers int, tell func(*tale)) {
		for _, kept := range []bool{false, true} {
			for n := range commits {
				once(name, n+1, 0, kept, tell)
			}
			for n := range answers {
				once(name, 0, n+1, kept, tell)
			}
		}
	}
	matrix("first start", startCommits, startAnswers, func(y *tale) { y.start(); y.started() })
	matrix("tale", plain.commits, plain.answers, func(y *tale) { y.since(first); y.tell() })
}

// shelf is a card host whose chips have made their keys already: one image, copied for each order.
type shelf struct {
	mu      sync.Mutex
	chips   map[jitsuin.ID]*chip.Chip
	handles map[host.Handle]jitsuin.ID
	tokens  map[string]host.Handle
}

var _ host.Cards = (*shelf)(nil)

// prepared is the memory of a chip with two pending keys, made once.
var prepared = sync.OnceValues(func() (*cardtest.Memory, error) {
	keys, err := ring()
	if err != nil {
		return nil, err
	}
	memory := &cardtest.Memory{}
	c, err := chip.New(memory, chip.Blank{Serial: cardtest.Serial, TerminalAuthority: &keys.authority.PublicKey, Keys: keys.batch})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	j, err := reader.SelectJPKI(ctx, reader.Local(c))
	if err != nil {
		return nil, err
	}
	terminal, err := keys.production()
	if err != nil {
		return nil, err
	}
	if err := j.Authenticate(ctx, terminal); err != nil {
		return nil, err
	}
	for _, kind := range jitsuin.CertKinds {
		if _, err := j.GenerateKey(ctx, kind); err != nil {
			return nil, err
		}
	}
	return memory, nil
})

func (s *shelf) Create(_ context.Context, o host.Order) (host.Handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.tokens[o.Token]; ok {
		return h, nil
	}
	if s.chips[o.ID] != nil {
		return "", jitsuin.Errorf(jitsuin.Conflict, "card-exists", "there is a card with this identifier")
	}
	memory, err := prepared()
	if err != nil {
		return "", err
	}
	if s.chips[o.ID], err = chip.Open(memory.Copy()); err != nil {
		return "", err
	}
	h := host.Handle(o.ID) + "." + host.Handle(jitsuin.NewID())
	s.tokens[o.Token], s.handles[h] = h, o.ID
	return h, nil
}

func (s *shelf) Open(_ context.Context, h host.Handle) (reader.Card, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.chips[s.handles[h]]
	if c == nil {
		return nil, jitsuin.Errorf(jitsuin.Denied, "stale-handle", "this handle opens no card")
	}
	return reader.Local(c), nil
}

func (s *shelf) Transfer(_ context.Context, h host.Handle, to host.Custodian, token string) (host.Handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if next, ok := s.tokens[token]; ok {
		return next, nil
	}
	id, ok := s.handles[h]
	if !ok {
		return "", jitsuin.Errorf(jitsuin.Denied, "stale-handle", "this handle opens no card")
	}
	next := host.Handle(id) + "." + host.Handle(jitsuin.NewID())
	delete(s.handles, h)
	s.handles[next], s.tokens[token] = id, next
	return next, nil
}

func (s *shelf) Info(context.Context, host.Handle) (host.Info, error)         { return host.Info{}, errFault }
func (s *shelf) Lend(context.Context, host.Handle) (i host.Handle, err error) { return i, errFault }
func (s *shelf) Retract(context.Context, host.Handle) error                   { return errFault }
