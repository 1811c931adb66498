//go:build unix

package country_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/backup"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister"
	office "github.com/jitsuin/jitsuin/minister/api"
	town "github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// drill is a country that was backed up while it ran and in which more has happened since:
//
//   - the mover went from one town to another, so the signature certificate from before the backup died, and
//     had a new one written into the card;
//   - the dead died;
//   - the new one got a card;
//   - the visitor was seen by the platform for the first time, and so was a stranger whose card is as new.
type drill struct {
	country.Folder              // stopped
	archive                     string
	key                         *age.X25519Identity
	listen                      string
	mover, dead, visitor, fresh country.Cardholder
	from, to                    jitsuin.MunicipalityCode
	before                      jitsuin.FourItems // of the mover, before the move
	moverSig                    []byte            // made before the move, with the certificate that died then
	reissue, application        town.Application
	lost                        map[jitsuin.CertKind][]byte // certificates issued since, of fresh
	seen, stranger              client.Verification
	given                       map[string]string
}

// newDrill makes the country, backs it up under way, and lets the lost time happen.
func newDrill(t *testing.T) *drill {
	t.Helper()
	d := &drill{Folder: country.Folder(filepath.Join(t.TempDir(), "data")), listen: listen(t), lost: map[jitsuin.CertKind][]byte{}}
	d.archive = filepath.Join(t.TempDir(), "country.backup")
	var err error
	if d.key, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	l := live(t, country.Options{Data: string(d.Folder), Listen: d.listen, Seed: 1})
	all := country.Holders(t, d.Folder)
	d.mover, d.dead, d.visitor = all[0], all[1], all[4]
	d.from, d.to = d.mover.Town, all[len(all)-1].Town
	d.moverSig = l.signature(t, string(d.mover.Card))
	if v := l.verify(t, d.moverSig); v.Report.Verdict != signature.Passed {
		t.Fatalf("before the move: %v", v.Report.Reasons)
	}
	if _, err := backup.Take(t.Context(), backup.Options{Data: string(d.Folder), Out: d.archive, Recipients: []age.Recipient{d.key.Recipient()}}); err != nil {
		t.Fatal(err)
	}
	d.lostTime(t, l)
	view := country.Settle(t, d.Folder)
	d.isRead(t, l)
	l.stop()
	if said := l.log.String(); strings.Contains(said, "is not stated") {
		t.Fatal(said)
	}
	country.CheckInvariants(t, d.Folder, view)
	d.given = country.Given(t, d.Folder)
	return d
}

// isRead waits until the office has read what the platform did last, so that it states it when it is stopped.
func (d *drill) isRead(t *testing.T, l *living) {
	t.Helper()
	r, err := d.Remote(country.Official, country.Minister)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var head, read string
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		look(t, d.Folder, country.Platform, func(db *store.DB) error {
			return db.View(t.Context(), func(tx *store.Tx) error {
				last, _, err := feed.LastOf(tx, audit.Topic)
				head = last.Position.String()
				return err
			})
		})
		logs, err := office.Client{Remote: r}.Witnessed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, log := range logs {
			if read = log.Read; log.Verifier == country.Platform && read == head {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the platform's log goes to %s, the office has read %s\n%s", head, read, l.log)
		}
	}
}

// lostTime is what happens between the backup and the disaster.
func (d *drill) lostTime(t *testing.T, l *living) {
	t.Helper()
	country.Change(t, d.Folder, d.from, town.ChangeRequest{Subject: d.mover.Subject, Cause: jitsuin.CauseMoveOut, Destination: d.to})
	d.before = d.mover.Items
	d.mover.Items.Address = "架空県見本町1丁目2番3号"
	country.Change(t, d.Folder, d.to, town.ChangeRequest{Subject: d.mover.Subject, Cause: jitsuin.CauseMoveIn, Address: d.mover.Items.Address})
	d.mover.Town = d.to
	d.reissue = country.ReissueFor(t, d.Folder, d.mover)
	country.Change(t, d.Folder, d.dead.Town, town.ChangeRequest{Subject: d.dead.Subject, Cause: jitsuin.CauseDeath})
	facts, err := d.Facts()
	if err != nil {
		t.Fatal(err)
	}
	guide, _ := facts.Sample().Find(people.Guide)
	d.fresh = country.Cardholder{Subject: guide.ID, Town: guide.Municipality, Items: guide.Items}
	d.application = country.NewCardFor(t, d.Folder, guide.Municipality, guide.ID, guide.Items)
	d.fresh.Card = d.application.Card
	for _, c := range d.application.Certificates {
		d.lost[c.Kind] = c.Certificate
	}
	d.seen, d.stranger = l.sign(t, string(d.visitor.Card)), l.sign(t, string(d.fresh.Card))
	for _, v := range []client.Verification{d.seen, d.stranger} {
		if v.Report.Verdict != signature.Passed || v.User == nil {
			t.Fatalf("somebody whom the platform sees first: %v", v.Report.Reasons)
		}
	}
}

// copy gives the stopped country anew, so that each disaster begins from the same one.
func (d *drill) copy(t *testing.T) country.Folder {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	err := filepath.WalkDir(string(d.Folder), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(string(d.Folder), path)
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.OpenFile(filepath.Join(to, rel), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errorsJoin(err, out.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	return country.Folder(to)
}

func errorsJoin(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// restore puts the backup back, all of it or one instance.
func (d *drill) restore(t *testing.T, f country.Folder, only string) []backup.Result {
	t.Helper()
	_, results, err := backup.Restore(t.Context(), backup.RestoreOptions{From: d.archive, Data: string(f), Only: only, Identities: []age.Identity{d.key}, By: "an operator"})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// loseDatabase is what a broken disk does to one actor: the database is gone, and what else is named.
func loseDatabase(t *testing.T, f country.Folder, id string, also ...string) {
	t.Helper()
	for _, name := range append([]string{"db.sqlite", "db.sqlite-wal", "db.sqlite-shm"}, also...) {
		if err := os.RemoveAll(f.Path("actors", strings.ReplaceAll(id, ":", "-"), name)); err != nil {
			t.Fatal(err)
		}
	}
}

// start runs a restored country.
func (d *drill) start(t *testing.T, f country.Folder) *living {
	t.Helper()
	return live(t, country.Options{Data: string(f), Listen: d.listen})
}

// isRevoked fails the test unless a signature of before does not pass because its certificate is revoked.
func (l *living) isRevoked(t *testing.T, what string, sig []byte) {
	t.Helper()
	v := l.verify(t, sig)
	for deadline := time.Now().Add(20 * time.Second); v.Report.SubIndication == signature.TryLater && time.Now().Before(deadline); v = l.verify(t, sig) {
		time.Sleep(20 * time.Millisecond) // the status origin answers nobody before it has caught up
	}
	if v.Report.Verdict != signature.Failed || v.Report.SubIndication != signature.Revoked {
		t.Errorf("%s: %s %s %v", what, v.Report.Verdict, v.Report.SubIndication, v.Report.Reasons)
	}
}

// loginFails fails the test unless a login with a card is refused for a certificate that is not good.
func (l *living) loginFails(t *testing.T, what string, card jitsuin.ID, why signature.SubIndication) {
	t.Helper()
	in, err := l.login(t, string(card))
	if err != nil || in.Report.Verdict == signature.Passed || in.Report.SubIndication != why {
		t.Errorf("%s: %s %s %v, %v", what, in.Report.Verdict, in.Report.SubIndication, in.Report.Reasons, err)
	}
}

// after plays new acts, stops the country and compares its books; no number may have been given twice.
func (d *drill) after(t *testing.T, l *living) {
	t.Helper()
	tourOf(t.Context(), t, string(l.Folder))
	view := country.Settle(t, l.Folder)
	l.stop()
	country.CheckInvariants(t, l.Folder, view)
	d.nothingTwice(t, l.Folder)
}

func (d *drill) nothingTwice(t *testing.T, f country.Folder) {
	t.Helper()
	again := 0
	for number, is := range country.Given(t, f) {
		if was, before := d.given[number]; before {
			again++
			if was != is {
				t.Errorf("%s was given twice", number)
			}
		}
	}
	if again == 0 {
		t.Error("nothing of before is there any more: the comparison compares nothing")
	}
}

func TestRestoreDrills(t *testing.T) {
	t.Parallel()
	d := newDrill(t)
	t.Run("the certification authority alone", d.agency)
	t.Run("the certification authority with its journal", d.agencyWithJournal)
	t.Run("the registry network alone", d.network)
	t.Run("a municipality that people left", func(t *testing.T) { d.municipality(t, d.from) })
	t.Run("a municipality that people came to", func(t *testing.T) { d.municipality(t, d.to) })
	t.Run("a municipality that gave a card", func(t *testing.T) { d.municipality(t, d.fresh.Town) })
	t.Run("the platform alone", d.platform)
	t.Run("the time-stamping authority alone", d.timeAuthority)
	t.Run("the whole country over itself", d.overItself)
}

// agency: J-LIS loses its database. Its state folder, with the journal of signatures, is still there.
func (d *drill) agency(t *testing.T) {
	f := d.copy(t)
	loseDatabase(t, f, country.JLIS)
	found := d.restore(t, f, country.JLIS)[0].Recovery
	if found == nil || found.Dead[jitsuin.SignCert] != 2 || found.Dead[jitsuin.AuthCert] != 1 || found.Nameless != 0 || len(found.Unknown) < 3 {
		t.Errorf("the account of what is lost: %+v", found)
	}
	l := d.start(t, f)
	l.isRevoked(t, "a signature from before the move", d.moverSig)
	l.loginFails(t, "the dead", d.dead.Card, signature.Revoked)
	l.loginFails(t, "the card issued since", d.fresh.Card, signature.Revoked)
	for kind, der := range d.lost {
		if says, err := country.AskOCSP(t.Context(), t, f, kind, der); err != nil || !strings.HasPrefix(says, "revoked") {
			t.Errorf("OCSP of a lost %s certificate: %q, %v", kind, says, err)
		}
	}
	// The applications of that time are taken up again, and the residents come once more.
	country.FinishCase(t, f, d.to, d.reissue.ID)
	again := country.FinishCase(t, f, d.fresh.Town, d.application.ID)
	if again.Card == d.fresh.Card || again.Card == "" {
		t.Errorf("the second card is %q", again.Card)
	}
	for _, card := range []jitsuin.ID{again.Card, d.mover.Card} {
		if v := l.sign(t, string(card)); v.Report.Verdict != signature.Passed {
			t.Errorf("with the new certificate: %s %v", v.Report.Verdict, v.Report.Reasons)
		}
	}
	view := country.Settle(t, f)
	for kind, der := range d.lost {
		if !view.ListsOf(t, kind, der) {
			t.Errorf("a lost %s certificate is on no list", kind)
		}
	}
	d.after(t, l)
}

// agencyWithJournal: J-LIS loses everything. Nobody knows any more which certificates were issued since.
func (d *drill) agencyWithJournal(t *testing.T) {
	f := d.copy(t)
	loseDatabase(t, f, country.JLIS, "state")
	d.restore(t, f, country.JLIS)
	l := d.start(t, f)
	l.isRevoked(t, "a signature from before the move", d.moverSig)
	if in, err := l.login(t, string(d.fresh.Card)); err != nil || in.Report.Verdict == signature.Passed {
		t.Errorf("the card issued since: %s, %v", in.Report.Verdict, err)
	}
	country.FinishCase(t, f, d.to, d.reissue.ID)
	country.FinishCase(t, f, d.fresh.Town, d.application.ID)
	d.after(t, l)
	// The same disaster once more, with the same backup: what was given meanwhile is not given again.
	before := country.Given(t, f)
	loseDatabase(t, f, country.JLIS, "state")
	time.Sleep(1100 * time.Millisecond) // epochs count seconds
	d.restore(t, f, country.JLIS)
	l = d.start(t, f)
	country.FinishCase(t, f, d.fresh.Town, d.application.ID)
	l.stop()
	for number, is := range country.Given(t, f) {
		if was := before[number]; was != "" && was != is {
			t.Errorf("%s was given again after the second restore", number)
		}
	}
}

// network: the registry network goes back. It reads the towns' notices again before it tells J-LIS anything.
func (d *drill) network(t *testing.T) {
	f := d.copy(t)
	loseDatabase(t, f, country.Jukinet)
	d.restore(t, f, country.Jukinet)
	l := d.start(t, f)
	l.isRevoked(t, "a signature from before the move", d.moverSig)
	l.loginFails(t, "the dead", d.dead.Card, signature.Revoked)
	country.Settle(t, f)
	// Nobody was taken back to where they were: the certificates issued since are as good as before.
	for _, card := range []jitsuin.ID{d.mover.Card, d.fresh.Card} {
		if v := l.sign(t, string(card)); v.Report.Verdict != signature.Passed {
			t.Errorf("a certificate issued after the backup: %s %v", v.Report.Verdict, v.Report.Reasons)
		}
	}
	d.after(t, l)
}

// municipality: a town goes back. It gets the changes of the lost time back from the network, and the cases from
// J-LIS; nobody's certificate changes by it.
func (d *drill) municipality(t *testing.T, code jitsuin.MunicipalityCode) {
	f := d.copy(t)
	loseDatabase(t, f, country.Town(code))
	d.restore(t, f, country.Town(code))
	l := d.start(t, f)
	l.isRevoked(t, "a signature from before the move", d.moverSig)
	l.loginFails(t, "the dead", d.dead.Card, signature.Revoked)
	country.Settle(t, f)
	for _, card := range []jitsuin.ID{d.mover.Card, d.fresh.Card} {
		if v := l.sign(t, string(card)); v.Report.Verdict != signature.Passed {
			t.Errorf("a certificate issued after the backup: %s %v", v.Report.Verdict, v.Report.Reasons)
		}
	}
	if code == d.mover.Town { // the case of the re-issue is open again; the card takes the same certificate once more
		country.FinishCase(t, f, code, d.reissue.ID)
	}
	r, err := country.CounterOf(t, f, d.fresh.Town).Resident(t.Context(), d.fresh.Subject)
	if err != nil || r.Card != d.fresh.Card {
		t.Errorf("the card given since is %q, %v", r.Card, err)
	}
	tourOf(t.Context(), t, string(f))
	view := country.Settle(t, f)
	l.stop()
	country.CheckInvariants(t, f, view, "feeds")
	d.nothingTwice(t, f)
}

// platform: the platform loses the checks since, and the person whom it saw first since.
func (d *drill) platform(t *testing.T) {
	f := d.copy(t)
	loseDatabase(t, f, country.Platform)
	d.restore(t, f, country.Platform)
	l := d.start(t, f)
	l.isRevoked(t, "a signature from before the move", d.moverSig)
	c, _ := l.tenant(t)
	if _, err := c.Verification(t.Context(), d.seen.ID); jitsuin.KindOf(err) != jitsuin.NotFound {
		t.Errorf("a check that is lost: %v", err)
	}
	if v := l.sign(t, string(d.visitor.Card)); v.User == nil || !v.User.New || v.User.ID != d.seen.User.ID {
		t.Errorf("the visitor, of whom nothing is left, but whose id follows from the seed: %+v", v.User)
	}
	if v := l.sign(t, string(d.fresh.Card)); v.User == nil || !v.User.New || v.User.ID == d.stranger.User.ID {
		t.Errorf("the stranger, of whom nothing is left: %+v", v.User)
	}
	d.isWitnessed(t, f)
	d.after(t, l)
	d.lostLines(t, f)
}

// isWitnessed waits until the office has looked at the platform's log since the restore: at a start it asks again with growing pauses.
func (d *drill) isWitnessed(t *testing.T, f country.Folder) {
	t.Helper()
	for n, deadline := 0, time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		look(t, f, country.Minister, func(db *store.DB) error {
			return db.View(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(`SELECT COUNT(*) FROM witness_statement WHERE verifier = $1 AND finding = $2`, country.Platform, audit.FindingLost).Scan(&n)
			})
		})
		if n > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the office has not found that lines are lost")
		}
	}
}

// lostLines reads the platform's operation log with what its witness has stated: it must be whole, begin one new epoch, and name
// what was lost with the database.
func (d *drill) lostLines(t *testing.T, f country.Folder) {
	t.Helper()
	directory, err := f.Directory()
	if err != nil {
		t.Fatal(err)
	}
	expect := audit.Expect{Verifier: country.Platform, Keys: audit.DirectoryKeys(directory)}
	look(t, f, country.Minister, func(db *store.DB) error {
		return db.View(t.Context(), func(tx *store.Tx) (err error) {
			expect.Statements, err = minister.Statements(tx, country.Platform)
			return err
		})
	})
	look(t, f, country.Platform, func(db *store.DB) error {
		r, err := audit.CheckDatabase(t.Context(), db, expect)
		if err != nil {
			return err
		}
		if r.Fault != nil || len(r.Epochs) != 1 || r.Epochs[0].Lost == 0 || !r.Incomplete() {
			t.Errorf("the operation log: %v, %+v", r.Fault, r.Epochs)
		}
		if len(r.Findings) != 1 || r.Findings[0].Finding != audit.FindingLost {
			t.Errorf("the witness found %+v", r.Findings)
		}
		return nil
	})
}

// look opens the database of an actor, to read.
func look(t *testing.T, f country.Folder, id string, do func(*store.DB) error) {
	t.Helper()
	s, err := country.ReadSettings(f.ConfigPath(id))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.OpenReadOnly(t.Context(), s.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := do(db); err != nil {
		t.Error(err)
	}
}

// timeAuthority: the time-stamping authority loses everything, and its account of the numbers since with
// it. The numbers are random, so none is given again; what was stamped since is as good as before.
func (d *drill) timeAuthority(t *testing.T) {
	f := d.copy(t)
	stamp := func() *tsp.Token {
		t.Helper()
		url, err := f.TimeAuthority()
		if err != nil {
			t.Fatal(err)
		}
		token, err := (&tsp.Client{URL: url}).Stamp(t.Context(), crypto.SHA256, make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	l := d.start(t, f)
	before := stamp()
	l.stop()
	root := anchor(t, f.Path("anchors", "time", "tsa.cer"))
	loseDatabase(t, f, country.TSA, "state")
	d.restore(t, f, country.TSA)
	l = d.start(t, f)
	after := stamp()
	if before.Info.Serial.Cmp(after.Info.Serial) == 0 || after.Info.Time.Before(before.Info.Time) {
		t.Errorf("numbers %s and %s", before.Info.Serial, after.Info.Serial)
	}
	for _, token := range []*tsp.Token{before, after} {
		p := signature.Policy{TimeAnchors: []*x509.Certificate{root}, At: after.Info.Time.Add(time.Second)}
		r, err := signature.Verify(t.Context(), signature.Input{Signature: token.DER, Digest: make([]byte, 32), DigestHash: crypto.SHA256}, p)
		if err != nil || r.Verdict != signature.Passed {
			t.Errorf("%v, %v", r, err)
		}
	}
	l.stop()
}

// overItself: everything goes back to the backup, where the country is; the chips do not.
func (d *drill) overItself(t *testing.T) {
	f := d.copy(t)
	d.restore(t, f, "")
	l := d.start(t, f)
	country.Settle(t, f)
	// The move is lost everywhere, so the certificate of then is good again, and every book says so.
	if v := l.verify(t, d.moverSig); v.Report.Verdict != signature.Passed {
		t.Errorf("the move is lost: %s %v", v.Report.Verdict, v.Report.Reasons)
	}
	l.loginFails(t, "the card issued since", d.fresh.Card, signature.Revoked)
	for kind, der := range d.lost {
		if says, err := country.AskOCSP(t.Context(), t, f, kind, der); err != nil || !strings.HasPrefix(says, "revoked") {
			t.Errorf("OCSP of a lost %s certificate: %q, %v", kind, says, err)
		}
	}
	// What is in the mover's chip is of the time that is lost; the counter puts a new certificate in.
	was := d.mover
	was.Town, was.Items = d.from, d.before
	country.ReissueFor(t, f, was)
	if v := l.sign(t, string(was.Card)); v.Report.Verdict != signature.Passed {
		t.Errorf("with the new certificate: %s %v", v.Report.Verdict, v.Report.Reasons)
	}
	all, err := holder.CardsIn(string(f)).List(context.Background())
	if err != nil || len(all) != country.FirstCards+1 {
		t.Errorf("%d chips, %v", len(all), err)
	}
	d.after(t, l)
}

// TestABackupUnderWay takes a backup while residents stand at every counter, and puts the whole country back
// into a fresh folder. The copy is one cut: all books agree as they were at that moment, and what was under way
// goes on from there.
func TestABackupUnderWay(t *testing.T) {
	data, at := filepath.Join(t.TempDir(), "data"), listen(t)
	archive := filepath.Join(t.TempDir(), "country.backup")
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	l := live(t, country.Options{Data: data, Listen: at, Quick: true, Seed: 2})
	crowd := country.NewCrowd(t, l.Folder, 25, 1)
	crowd.Work(4)
	time.Sleep(1500 * time.Millisecond) // somewhere in the middle of their acts
	m, err := backup.Take(t.Context(), backup.Options{Data: data, Out: archive, Recipients: []age.Recipient{key.Recipient()}, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("commits waited %v for the cut", m.Pause)
	crowd.Finish(t) // nobody was disturbed
	country.Settle(t, l.Folder)
	l.stop()
	given := country.Given(t, l.Folder)

	fresh := country.Folder(filepath.Join(t.TempDir(), "fresh"))
	if _, _, err := backup.Restore(t.Context(), backup.RestoreOptions{From: archive, Data: string(fresh), Identities: []age.Identity{key}, By: "an operator"}); err != nil {
		t.Fatal(err)
	}
	l = live(t, country.Options{Data: string(fresh), Quick: true})
	country.Settle(t, fresh)
	d := &drill{given: given}
	d.after(t, l)
}
