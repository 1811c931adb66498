package status_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/status"
	"pgregory.net/rapid"
)

var codec = sync.OnceValue(func() *cert.SerialCodec {
	c, err := cert.NewSerialCodec([]byte("sixteen octets!!"))
	if err != nil {
		panic(err)
	}
	return c
})

func serial(t testing.TB, ordinal uint64) cert.Serial {
	t.Helper()
	s, err := codec().Encode(1, ordinal)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func issue(t testing.TB, s *status.Set, ordinal uint64, town jitsuin.MunicipalityCode) {
	t.Helper()
	apply(t, s, status.Event{Serial: serial(t, ordinal), Kind: jitsuin.SignCert, Type: status.Issued, Version: 1,
		At: certtest.Now.AddDate(0, -1, 0), NotAfter: certtest.Now.AddDate(4, 0, 0), Municipality: town})
}

func apply(t testing.TB, s *status.Set, e status.Event) {
	t.Helper()
	if err := s.Apply(e); err != nil {
		t.Fatal(err)
	}
}

func event(t testing.TB, ordinal uint64, version uint16, kind status.EventType, at time.Time) status.Event {
	e := status.Event{Serial: serial(t, ordinal), Kind: jitsuin.SignCert, Type: kind, Version: version, At: at}
	if kind == status.Revoked {
		e.Reason = jitsuin.ReasonAffiliationChanged
	}
	return e
}

func TestTheLifeOfACertificate(t *testing.T) {
	s := status.NewSet(jitsuin.SignCert, codec())
	is := func(want cert.State, reason jitsuin.RevocationReason) {
		t.Helper()
		if a := s.Lookup(serial(t, 7)); a.State != want || a.Reason != reason {
			t.Fatalf("want %s %s, got %+v", want, reason, a)
		}
	}
	is(cert.Unknown, "")
	issue(t, s, 7, "91201")
	is(cert.Good, "")
	now := certtest.Now
	apply(t, s, event(t, 7, 2, status.Held, now))
	is(cert.Revoked, jitsuin.ReasonCertificateHold)
	apply(t, s, event(t, 7, 3, status.Released, now.Add(time.Hour)))
	is(cert.Good, "")
	apply(t, s, event(t, 7, 2, status.Held, now)) // again: nothing
	is(cert.Good, "")
	apply(t, s, event(t, 7, 4, status.Revoked, now.Add(2*time.Hour)))
	is(cert.Revoked, jitsuin.ReasonAffiliationChanged)
	if a := s.Lookup(serial(t, 7)); !a.RevokedAt.Equal(now.Add(2*time.Hour)) || a.Municipality != "91201" ||
		!a.NotAfter.Equal(jitsuin.DateOf(now.AddDate(4, 0, 0)).LastSecond()) {
		t.Errorf("%+v", a)
	}
	for at, want := range map[time.Duration]cert.State{-time.Second: cert.Good, 0: cert.Revoked, time.Hour - time.Second: cert.Revoked,
		time.Hour: cert.Good, 2*time.Hour - time.Second: cert.Good, 2 * time.Hour: cert.Revoked} {
		if a := s.LookupAt(serial(t, 7), now.Add(at)); a.State != want {
			t.Errorf("%v after the hold: want %s, got %s", at, want, a.State)
		}
	}
}

// A certificate that was on hold when it was revoked was not good in between, whoever asks later.
func TestARevocationAfterAHoldCountsFromTheHold(t *testing.T) {
	s := status.NewSet(jitsuin.SignCert, codec())
	issue(t, s, 7, "91201")
	held, revoked := certtest.Now, certtest.Now.Add(2*time.Hour)
	apply(t, s, event(t, 7, 2, status.Held, held))
	apply(t, s, event(t, 7, 3, status.Revoked, revoked))
	a := s.Lookup(serial(t, 7))
	if !a.RevokedAt.Equal(held) || a.Reason != jitsuin.ReasonAffiliationChanged {
		t.Errorf("%+v", a)
	}
	answer := cert.Status{State: a.State, RevokedAt: a.RevokedAt, Reason: a.Reason, NextUpdate: revoked.Add(time.Hour)}
	if st := cert.JudgeAt(answer, held.Add(time.Hour)); st.State != cert.Revoked {
		t.Errorf("while it was on hold the certificate was %s", st.State)
	}
	for e := range s.Snapshot("", revoked, time.Time{}).All() {
		if !e.RevokedAt.Equal(held) || e.Reason != jitsuin.ReasonAffiliationChanged {
			t.Errorf("the list says %+v", e)
		}
	}
	if a := s.LookupAt(serial(t, 7), revoked.Add(-time.Second)); a.Reason != jitsuin.ReasonCertificateHold {
		t.Errorf("before the revocation the reason was %s", a.Reason)
	}
	apply(t, s, event(t, 7, 3, status.Revoked, revoked)) // again: nothing
}

func TestEventsThatCannotBe(t *testing.T) {
	s := status.NewSet(jitsuin.SignCert, codec())
	issue(t, s, 7, "91201")
	now := certtest.Now
	apply(t, s, event(t, 7, 2, status.Revoked, now))
	bad := func(want jitsuin.Kind, e status.Event) {
		t.Helper()
		if err := s.Apply(e); jitsuin.KindOf(err) != want || err == nil {
			t.Errorf("want %v, got %v", want, err)
		}
	}
	bad(jitsuin.Conflict, event(t, 7, 3, status.Released, now))
	bad(jitsuin.Conflict, event(t, 7, 3, status.Revoked, now))
	bad(jitsuin.Conflict, event(t, 8, 1, status.Revoked, now))
	bad(jitsuin.Conflict, event(t, 1<<31, 1, status.Held, now))
	bad(jitsuin.Invalid, event(t, 1<<40, 1, status.Issued, now))
	forged := event(t, 7, 9, status.Revoked, now)
	forged.Serial[9] ^= 1
	bad(jitsuin.Invalid, forged)
	other := event(t, 7, 9, status.Revoked, now)
	other.Kind = jitsuin.AuthCert
	bad(jitsuin.Invalid, other)
	if a := s.Lookup(forged.Serial); a.State != cert.Unknown {
		t.Error("a serial number with wrong check bits:", a.State)
	}
}

// The set behaves as a map of lists of changes does, whatever happens.
func TestTheSetIsAMapOfWhatHappened(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := status.NewSet(jitsuin.SignCert, codec())
		version, state := map[uint64]uint16{}, map[uint64]status.EventType{}
		dead := map[cert.Serial]bool{}
		for i := range rapid.IntRange(1, 60).Draw(r, "events") {
			o := rapid.Uint64Range(0, 5).Draw(r, "ordinal") * 40_000
			kind := rapid.SampledFrom([]status.EventType{status.Issued, status.Revoked, status.Held, status.Released}).Draw(r, "type")
			e := event(t, o, version[o]+1, kind, certtest.Now.Add(time.Duration(i)*time.Second))
			e.NotAfter, e.Municipality = certtest.Now.AddDate(1, 0, 0), "92301"
			was := state[o]
			may := kind == status.Issued && was == "" || kind == status.Revoked && was != "" && was != status.Revoked ||
				kind == status.Held && (was == status.Issued || was == status.Released) || kind == status.Released && was == status.Held
			if err := s.Apply(e); (err == nil) != may {
				r.Fatalf("%s after %q: %v", kind, was, err)
			}
			if may {
				state[o], version[o] = kind, version[o]+1
				dead[e.Serial] = kind == status.Revoked || kind == status.Held
			}
		}
		count := 0
		for sn, d := range dead {
			if got := s.Lookup(sn).State; (got == cert.Revoked) != d || got == cert.Unknown {
				r.Fatalf("%v: %s", sn, got)
			}
			if d {
				count++
			}
		}
		if l := s.Snapshot("", certtest.Now.Add(time.Hour), time.Time{}); l.Len() != count {
			r.Fatalf("the snapshot has %d entries, want %d", l.Len(), count)
		}
	})
}

func TestSnapshotsByTownAndAfterExpiry(t *testing.T) {
	s := status.NewSet(jitsuin.SignCert, codec())
	for o := range uint64(300) {
		town := jitsuin.MunicipalityCode("91201")
		if o%3 == 0 {
			town = "92301"
		}
		issue(t, s, o*1000, town)
		apply(t, s, event(t, o*1000, 2, status.Revoked, certtest.Now.Add(time.Duration(o)*time.Minute)))
	}
	late := certtest.Now.AddDate(1, 0, 0)
	expired := jitsuin.DateOf(certtest.Now.AddDate(4, 0, 0)).LastSecond()
	for _, c := range []struct {
		town       jitsuin.MunicipalityCode
		asOf, drop time.Time
		want       int
	}{{"", late, time.Time{}, 300}, {"92301", late, time.Time{}, 100}, {"91201", late, time.Time{}, 200}, {"93999", late, time.Time{}, 0},
		{"", certtest.Now.Add(9 * time.Minute), time.Time{}, 10}, {"", late, expired, 300}, {"", late, expired.Add(time.Second), 0}} {
		if l := s.Snapshot(c.town, c.asOf, c.drop); l.Len() != c.want {
			t.Errorf("%+v: %d entries", c, l.Len())
		}
	}
	var order []string
	for e := range s.Snapshot("", late, time.Time{}).All() {
		order = append(order, string(e.Serial))
	}
	if !slices.IsSorted(order) {
		t.Error("a list must be in the order of serial numbers")
	}
}

func TestReadersAndOneWriter(t *testing.T) {
	s := status.NewSet(jitsuin.SignCert, codec())
	for o := range uint64(2000) {
		issue(t, s, o, "91201")
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			for range 3000 {
				if a := s.Lookup(serial(t, rand.Uint64N(2000))); a.State == cert.Unknown {
					t.Error("an issued certificate is unknown")
				}
			}
			s.Snapshot("91201", certtest.Now.Add(time.Hour), time.Time{})
		})
	}
	for o := range uint64(1000) {
		apply(t, s, event(t, o*2, 2, status.Revoked, certtest.Now))
	}
	group.Wait()
	if s.Changes("91201") != 1000 || s.Changes("") != 1000 {
		t.Error("changes are miscounted")
	}
}
