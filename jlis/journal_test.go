package jlis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

func TestARestoredDatabaseStopsSigningUntilSomebodyHasLooked(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "jlis.db")
	w := newWorld(t, file)
	d := newDesk(t, w)
	subject := d.resident(hanako)
	card := d.held(subject)
	must(t, d.Close())
	backup, err := os.ReadFile(file)
	must(t, err)

	d = &desk{t, w.open(t), d.n} // after the backup a certificate is issued
	if d.apply(d.reissue(subject, hanako, card, map[jitsuin.CertKind]int{jitsuin.AuthCert: 0})).State != appDelivered {
		t.Fatal(d.refused())
	}
	lost := d.living(subject)[jitsuin.AuthCert]
	must(t, d.Close())
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		os.Remove(name)
	}
	must(t, os.WriteFile(file, backup, 0o600))

	d = &desk{t, w.open(t), d.n}
	if err := d.journalAlarm(); jitsuin.CodeOf(err) != "journal-ahead" {
		t.Fatalf("readyz says %v", err)
	}
	app := d.reissue(subject, hanako, card, map[jitsuin.CertKind]int{jitsuin.AuthCert: 1})
	must(t, d.DB.Update(t.Context(), func(tx *store.Tx) error { return takeIn(tx, app, d.Clock.Now()) }))
	if err := d.issue(t.Context(), app.ID); jitsuin.CodeOf(err) != "journal-ahead" {
		t.Fatalf("issuing: %v", err)
	}
	if len(d.living(subject)) != 0 {
		t.Fatal("it was issued all the same")
	}
	if _, err := d.ReconcileJournal(t.Context(), ""); jitsuin.KindOf(err) != jitsuin.Conflict {
		t.Fatalf("nobody reconciled: %v", err)
	}
	unknown, err := d.ReconcileJournal(t.Context(), "an operator")
	must(t, err)
	if len(unknown) != 1 || unknown[0].Digest != lost.Digest {
		t.Fatalf("unknown signatures: %+v", unknown)
	}
	if unknown[0].Serial != [16]byte{} || unknown[0].Key != "auth-1" || unknown[0].Purpose != signer.Certificate {
		t.Errorf("the account for a person: %+v", unknown[0])
	}
	var says string
	must(t, d.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT body FROM feed_outbox WHERE topic = $1 AND subject = $2`, api.TopicStatus, lost.Serial.String()).Scan(&says)
	}))
	if !strings.Contains(says, `"state":"revoked"`) {
		t.Errorf("the status nodes are told of the lost certificate: %s", says)
	}
	must(t, d.issue(t.Context(), app.ID))
	now := d.living(subject)[jitsuin.AuthCert]
	if epoch, _, ok := d.codecs[jitsuin.AuthCert].Decode(now.Serial); !ok || epoch < 2 || now.Serial == lost.Serial {
		t.Errorf("the serial number is of epoch %d", epoch)
	}
	must(t, d.Close())
	d = &desk{t, w.open(t), d.n}
	if err := d.journalAlarm(); err != nil {
		t.Errorf("after the next start: %v", err)
	}
}

func TestALostJournalStopsSigningForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	d := newDesk(t, w)
	must(t, d.Close())
	journal := filepath.Join(w.config.State, "signer", "signatures.jsonl")
	whole, err := os.ReadFile(journal)
	must(t, err)
	must(t, os.Remove(journal))
	d = newDesk(t, w)
	if err := d.journalAlarm(); jitsuin.CodeOf(err) != "journal-behind" {
		t.Fatalf("readyz says %v", err)
	}
	if _, err := d.ReconcileJournal(t.Context(), "an operator"); jitsuin.KindOf(err) != jitsuin.Conflict {
		t.Fatalf("a lost journal was reconciled: %v", err)
	}
	must(t, d.Close())
	must(t, os.WriteFile(journal, whole, 0o600))
	d = newDesk(t, w)
	if err := d.journalAlarm(); err != nil {
		t.Fatalf("with the journal back: %v", err)
	}
}

func TestTheJournalOfAnotherAuthorityIsForeign(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	d := newDesk(t, w)
	must(t, d.DB.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Exec(`UPDATE signature_account SET through = 0`); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE signature SET digest = $1 WHERE counter = 1`, make([]byte, 32))
		return err
	}))
	must(t, d.Close())
	d = newDesk(t, w)
	if err := d.journalAlarm(); jitsuin.CodeOf(err) != "journal-differs" {
		t.Fatalf("readyz says %v", err)
	}
}

// What somebody signed with the keys behind the Agency's back is seen at the next start.
func TestAStrangeSignatureIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	d := newDesk(t, w)
	tbs := append([]byte{}, d.all[0].cert.RawTBSCertificate...)
	tbs[len(tbs)-1] ^= 1
	if _, _, err := d.signer.Sign(t.Context(), "sign-1", signer.Certificate, tbs); err != nil {
		t.Fatal(err)
	}
	must(t, d.Close())
	if err := newDesk(t, w).journalAlarm(); jitsuin.CodeOf(err) != "journal-ahead" {
		t.Fatalf("readyz says %v", err)
	}
}

// journalAlarm gives why nothing is signed, and sees to it that /readyz says so too.
func (d *desk) journalAlarm() error {
	d.Helper()
	_, stopped := d.journal.get()
	if _, wrong := d.API.Unready(d.Context())["journal of signatures"]; wrong != (stopped != nil) {
		d.Error("/readyz and the journal disagree")
	}
	return stopped
}
