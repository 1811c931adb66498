package platform

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/matching"
	"github.com/jitsuin/jitsuin/platform/records"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
)

// keepEvidence drafts the record that the law asks for after an accepted check.
func (c *check) keepEvidence(in api.VerificationRequest, reading rules.Reading) error {
	leaf, err := cert.Parse(c.leaf)
	if err != nil {
		return err
	}
	apart, err := signature.Apart(signedFile(in))
	if err != nil {
		return err
	}
	c.record, err = records.New(records.Check{Verification: c.entry.id, Tenant: c.entry.tenant, Reading: reading, At: c.entry.checkedAt, Leaf: leaf,
		Digest: c.entry.digest, Signature: apart, Status: c.status, Document: signedData(in)}, in.Record)
	return err
}

// signedData gives the signed data as they were sent, nil where only a digest was.
func signedData(in api.VerificationRequest) []byte {
	if in.Document != nil || in.DocumentDigest != nil {
		return in.Document
	}
	return in.Signature // holds them
}

// keep stores the record, with its line in the operation log.
func (c *check) keep(ctx context.Context, tx *store.Tx, user string) error {
	if c.record == nil {
		return nil
	}
	if err := records.Put(tx, c.record, user); err != nil {
		return err
	}
	return audit.Record(ctx, tx, c.entry.checkedAt, audit.Line{Act: "record-made", Subject: string(c.record.ID()), Tenant: c.entry.tenant,
		Detail: map[string]string{"verification": string(c.entry.id), "purpose": c.entry.purpose}})
}

// addRecord adds to an answer what is known of the record without looking into it.
func addRecord(tx *store.Tx, e entry, v *api.Verification) error {
	h, ok, err := records.OfCheck(tx, e.tenant, e.id)
	if err != nil || !ok || h.Entries == 0 {
		return err
	}
	v.Record = &api.Record{ID: h.ID, Kind: string(h.Kind), KeepUntil: h.KeepUntil, Law: h.Law, Complete: h.Complete, CompleteBy: h.CompleteBy}
	if !h.Complete {
		v.Record.Missing, err = records.Missing(tx, e.tenant, h.ID)
	}
	return err
}

// answer gives a tenant's check as the answer to the request in, with the four items and the comparison that it asked
// for. leaf is the certificate where the check was made just now; else it is read from the request again, which is
// the same to the octet. Neither items nor customer record are kept for this.
func (p *Platform) answer(ctx context.Context, tenant string, id jitsuin.ID, in api.VerificationRequest, leaf []byte) (api.Verification, error) {
	v, err := p.verification(ctx, tenant, id)
	if err != nil || v.Report.Verdict != signature.Passed || in.At != nil || v.Report.Format == signature.FormatTST { // not accepted, see newCheck
		return v, err
	}
	items, err := p.itemsIn(ctx, in, leaf, v.CheckedAt)
	if err != nil {
		return v, err
	}
	v.Items = &items
	if in.CustomerRecord == nil {
		return v, nil
	}
	c, err := matching.Compare(items, *in.CustomerRecord)
	v.Comparison = &c
	return v, err
}

// itemsIn reads who signed from the certificate of a request that passed.
func (p *Platform) itemsIn(ctx context.Context, in api.VerificationRequest, leaf []byte, at time.Time) (jitsuin.FourItems, error) {
	if leaf == nil {
		input, err := inputOf(in)
		if err != nil {
			return jitsuin.FourItems{}, err
		}
		found, err := signature.Verify(ctx, input, signature.Policy{At: at, Kind: jitsuin.SignCert}) // decides nothing: that was done
		if err != nil {
			return jitsuin.FourItems{}, err
		}
		signer, err := onlySigner(found)
		if err != nil {
			return jitsuin.FourItems{}, err
		}
		leaf = signer.Raw
	}
	c, err := cert.Parse(leaf)
	if err != nil {
		return jitsuin.FourItems{}, err
	}
	items, err := cert.ItemsOf(c)
	return items.FourItems, err
}

// nextRecordEnd gives the first instant at which a record is no longer kept, or the present where traces of one that was
// destroyed are still to be cleaned away.
func (p *Platform) nextRecordEnd(ctx context.Context) (due time.Time, ok bool, err error) {
	var first string
	var unclean bool
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		if first, err = records.NextEnd(tx); err != nil {
			return err
		}
		unclean, err = records.Unclean(tx)
		return err
	})
	switch {
	case err != nil:
		return time.Time{}, false, err
	case unclean:
		return p.Clock.Now(), true, nil
	case first == "":
		return time.Time{}, false, nil
	}
	last, err := jitsuin.ParseDate(first)
	return last.AddDays(1).Start(), true, err
}

// recordEnds lists when records of the vaults end.
func (p *Platform) recordEnds(ctx context.Context) (all []clock.Due, err error) {
	var days []string
	var counts []int
	err = p.DB.View(ctx, func(tx *store.Tx) error { days, counts, err = records.Ends(tx); return err })
	for i, day := range days {
		last, err := jitsuin.ParseDate(day)
		if err != nil {
			return nil, err
		}
		all = append(all, clock.Due{At: last.AddDays(1).Start(), Count: counts[i]})
	}
	return all, err
}

// destroyedAtATime bounds one transaction.
const destroyedAtATime = 100

// dropRecords destroys the records whose last day is over and that nobody holds, each with its certificate and its line
// in the operation log, and then has the database cleaned of them. The log of checks stays.
func (p *Platform) dropRecords(ctx context.Context, now time.Time) error {
	for {
		var due []records.Ended
		err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
			due, err = records.Due(tx, jitsuin.DateOf(now), destroyedAtATime)
			return err
		})
		if err != nil || len(due) == 0 {
			return orClean(err, func() error { return p.cleanUp(ctx, now) })
		}
		err = p.DB.Update(ctx, func(tx *store.Tx) error {
			for _, e := range due {
				if err := p.destroy(ctx, tx, e, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

func orClean(err error, clean func() error) error {
	if err != nil {
		return err
	}
	return clean()
}

func (p *Platform) destroy(ctx context.Context, tx *store.Tx, e records.Ended, now time.Time) error {
	d, ok, err := records.Destroy(tx, e, now)
	if err != nil || !ok || d.ID == "" {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Line{Who: p.Self.ID, Act: "record-destroyed", Subject: string(d.Record), Tenant: d.Tenant,
		Detail: map[string]string{"certificate": string(d.ID), "rule": d.Rule, "kept_until": d.KeptUntil.String()}})
}

// cleanUp rids the files of the database of what was destroyed, and notes in the certificates that it was done.
func (p *Platform) cleanUp(ctx context.Context, now time.Time) error {
	unclean := false
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) { unclean, err = records.Unclean(tx); return err })
	if err != nil || !unclean {
		return err
	}
	if err := p.DB.Scrub(ctx, records.Tables...); err != nil {
		return err
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error { return records.Cleaned(tx, now, p.Clock.Now()) })
}

// beginOld gives records of earlier releases their first entry. Those did not erase what they deleted, so the file is
// written anew once.
func (p *Platform) beginOld(ctx context.Context) error {
	for found := false; ; found = true {
		var old []records.Check
		err := p.DB.View(ctx, func(tx *store.Tx) (err error) { old, err = records.Old(tx); return err })
		switch {
		case err != nil:
			return err
		case len(old) == 0 && found:
			return p.DB.Rewrite(ctx)
		case len(old) == 0:
			return nil
		}
		drafts := make([]*records.Draft, len(old))
		for i, c := range old {
			if drafts[i], err = records.New(c, nil); err != nil {
				return err
			}
		}
		err = p.DB.Update(ctx, func(tx *store.Tx) error {
			for _, d := range drafts {
				if err := records.Begin(tx, d); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
