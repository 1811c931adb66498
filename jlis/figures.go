package jlis

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

// counters are raised as things happen.
type counters struct {
	signatures *prometheus.CounterVec
	lists      *prometheus.CounterVec
	ocsp       *prometheus.CounterVec
	ocspSigned prometheus.Observer
	published  prometheus.Observer
}

const (
	wentWell = "ok"
	failed   = "failed"
)

func newCounters(s *metrics.Set) counters {
	c := counters{
		signatures: s.Counter("jlis_signatures_total", "Signatures asked of the CA's signer, by purpose and outcome.", "purpose", "outcome"),
		lists:      s.Counter("jlis_crl_made_total", "Revocation lists that were to be made, by outcome.", "outcome"),
		ocsp:       s.Counter("jlis_ocsp_answers_total", "OCSP requests by what was answered.", "result"),
		ocspSigned: s.Histogram("jlis_ocsp_signing_seconds", "Time to sign an OCSP response that was not in the cache.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .5, 2}).WithLabelValues(),
		published: s.Histogram("jlis_revocation_published_seconds", "Time in civil time from the recording of a revocation until the status origin knew it.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 5, 15, 60, 300, 900}).WithLabelValues(),
	}
	for _, outcome := range []string{wentWell, failed} { // 0 from the beginning, so that the first failure is a rise
		for _, p := range []signer.Purpose{signer.Certificate, signer.CRL, signer.Terminal} {
			c.signatures.WithLabelValues(string(p), outcome)
		}
		c.lists.WithLabelValues(outcome)
	}
	return c
}

func outcomeOf(err error) string {
	if err != nil {
		return failed
	}
	return wentWell
}

var (
	signingStopped = metrics.NewGauge("jlis_signing_stopped", "1 for the reason for which nothing is signed: the journal of signatures does not fit the database.", "reason")
	signerCounter  = metrics.NewGauge("jlis_signer_signatures", "How many signatures the signer's journal counts, of all keys since it was made.")
	signerEpoch    = metrics.NewGauge("jlis_signer_epoch", "The signer's epoch; it rises at every restore.")
	serialNext     = metrics.NewGauge("jlis_serials_given", "Serial numbers given, by kind of certificate and epoch.", "kind", "epoch")
	appsOpen       = metrics.NewGauge("jlis_applications_open", "Applications that have not come to their end, by state.", "state")
	appsAge        = metrics.NewGauge("jlis_applications_oldest_seconds", "Age of the oldest application that has not come to its end, by state.", "state")
	dueCount       = metrics.NewGauge("jlis_revocations_due", "Revocations that the law puts on a later day and that wait for it.")
	listAge        = metrics.NewGauge("jlis_crl_age_seconds", "Age in civil time of the newest complete revocation list, by CA key. Lists are made when they are asked for.", "authority")
	listLeft       = metrics.NewGauge("jlis_crl_left_seconds", "For how long in civil time the newest complete revocation list still holds, by CA key; negative where it has ended.", "authority")
	caLeft         = metrics.NewGauge("jlis_ca_left_seconds", "For how long in civil time a CA certificate is still valid.", "authority")
	setIssued      = metrics.NewGauge("jlis_status_certificates", "Certificates that the status origin knows, by CA key.", "authority")
	setChanges     = metrics.NewGauge("jlis_status_changes", "Changes of status that the status origin knows, by CA key.", "authority")
	caughtUp       = metrics.NewGauge("jlis_status_caught_up", "1 while the status origin answers: it has read the record of revocations to its end, a moment ago.")
)

// stopReasons are the codes for which checkJournal stops signing.
var stopReasons = []string{"journal-ahead", "journal-behind", "journal-differs"}

// figures adds what is J-LIS's own.
func (a *Agency) figures() {
	a.Metrics.Read("signer", a.readSigner)
	a.Metrics.Read("applications", a.readApplications)
	a.Metrics.Read("authorities", a.readCAs)
	if a.node != nil {
		a.Metrics.Read("status", a.node.readFigures)
	}
}

func (a *Agency) readSigner(ctx context.Context, w *metrics.Writer) error {
	_, stopped := a.journal.get()
	for _, reason := range stopReasons {
		w.Bool(signingStopped, jitsuin.CodeOf(stopped) == reason, reason)
	}
	last := a.signer.Last()
	w.Set(signerCounter, float64(last.Counter))
	w.Set(signerEpoch, float64(last.Epoch))
	type head struct {
		kind, epoch string
		next        float64
	}
	var heads []head
	err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
		heads, err = store.Collect(func(s store.Scanner) (h head, err error) { return h, s.Scan(&h.kind, &h.epoch, &h.next) })(
			tx.Query(`SELECT kind, epoch, next FROM serial_head`))
		return err
	})
	for _, h := range heads {
		w.Set(serialNext, h.next, h.kind, h.epoch)
	}
	return err
}

func (a *Agency) readApplications(ctx context.Context, w *metrics.Writer) error {
	type open struct {
		state  string
		count  float64
		oldest int64
	}
	var all []open
	var due float64
	err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Collect(func(s store.Scanner) (o open, err error) { return o, s.Scan(&o.state, &o.count, &o.oldest) })(
			tx.Query(`SELECT state, COUNT(*), MIN(received_at) FROM application WHERE state IN ($1, $2, $3) GROUP BY state`, appWaiting, appIntended, appIssued))
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT COUNT(*) FROM revocation_due`).Scan(&due)
	})
	if err != nil {
		return err
	}
	w.Set(dueCount, due)
	states := map[string]open{appWaiting: {}, appIntended: {}, appIssued: {}}
	for _, o := range all {
		states[o.state] = o
	}
	for state, o := range states {
		age := time.Duration(0)
		if o.count > 0 {
			age = max(0, time.Since(store.Time(o.oldest)))
		}
		w.Set(appsOpen, o.count, state)
		w.Set(appsAge, age.Seconds(), state)
	}
	return nil
}

// readCAs gives the figures of the CA keys and their complete lists.
func (a *Agency) readCAs(ctx context.Context, w *metrics.Writer) error {
	now := a.Clock.Now()
	return a.DB.View(ctx, func(tx *store.Tx) error {
		for _, u := range a.all {
			w.Set(caLeft, u.cert.NotAfter.Sub(now).Seconds(), u.name)
			var this, next int64
			err := tx.QueryRow(`SELECT this_update, next_update FROM crl WHERE authority = $1 AND scope = '' AND der IS NOT NULL
				ORDER BY number DESC LIMIT 1`, u.name).Scan(&this, &next)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			w.Set(listAge, now.Sub(store.Time(this)).Seconds(), u.name)
			w.Set(listLeft, store.Time(next).Sub(now).Seconds(), u.name)
		}
		return nil
	})
}

func (n *node) readFigures(_ context.Context, w *metrics.Writer) error {
	w.Bool(caughtUp, n.ready() == nil)
	sets := *n.sets.Load()
	for _, u := range n.agency.all {
		if set := sets[u.keyID()]; set != nil {
			issued, changes := set.Count()
			w.Set(setIssued, float64(issued), u.name)
			w.Set(setChanges, float64(changes), u.name)
		}
	}
	contact := time.Time{}
	if ms := n.contact.Load(); ms > 0 {
		contact = time.UnixMilli(ms)
	}
	n.agency.ReadMemory(w, n.follower, n.agency.Self.ID, api.TopicStatus, contact)
	return nil
}
