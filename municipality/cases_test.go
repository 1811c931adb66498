package municipality_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/municipality/api"
)

const clerk = "窓口 一郎"

func TestWhoMayApply(t *testing.T) {
	t.Parallel()
	born := func(years int) jitsuin.Date { d := today(); d.Year -= years; return d.AddDays(0) }
	hanako, child := resident(t, 1, "見本　花子", grown), resident(t, 2, "見本　一子", born(15).AddDays(1))
	teen, twin := resident(t, 3, "見本　二郎", born(15)), resident(t, 4, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako, child, teen, twin)
	ctx := t.Context()
	apply := func(change func(*api.NewApplication)) (api.Application, error) {
		n := api.NewApplication{Type: api.NewCard, Items: hanako.Items, Kinds: bothKinds, Clerk: clerk}
		change(&n)
		return w.counter.Apply(ctx, n, "")
	}
	for _, c := range []struct {
		name   string
		change func(*api.NewApplication)
		kind   jitsuin.Kind
		code   string
	}{
		{"the day before 15", func(n *api.NewApplication) { n.Items = child.Items }, jitsuin.Denied, "under-age"},
		{"nobody with such items", func(n *api.NewApplication) { n.Items.Name, n.Items.BirthDate = "架空　人", day(1999, 9, 9) }, jitsuin.NotFound, "resident-unknown"},
		{"an unknown resident named", func(n *api.NewApplication) { n.Subject = jitsuin.NewID() }, jitsuin.NotFound, "resident-unknown"},
		{"two residents of that name and birth", func(n *api.NewApplication) { n.Items.Address = "試験県見本市" }, jitsuin.Conflict, "resident-ambiguous"},
		{"the same kind twice", func(n *api.NewApplication) { n.Kinds = []jitsuin.CertKind{jitsuin.AuthCert, jitsuin.AuthCert} }, jitsuin.Invalid, "certificate-kind"},
		{"an unknown kind", func(n *api.NewApplication) { n.Kinds = []jitsuin.CertKind{"seal"} }, jitsuin.Invalid, "certificate-kind"},
		{"no kind", func(n *api.NewApplication) { n.Kinds = nil }, jitsuin.Invalid, "certificate-kind"},
		{"a new card for a card", func(n *api.NewApplication) { n.Card = jitsuin.NewID() }, jitsuin.Invalid, "card-given"},
		{"a re-issue without a card", func(n *api.NewApplication) { n.Type = api.Reissue }, jitsuin.Invalid, "card-missing"},
		{"a form without a name", func(n *api.NewApplication) { n.Items.Name = "" }, jitsuin.Invalid, "four-items"},
	} {
		_, err := apply(c.change)
		if jitsuin.KindOf(err) != c.kind || jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: got %v (%q), want %v %q", c.name, err, jitsuin.CodeOf(err), c.kind, c.code)
		}
	}
	if _, err := apply(func(n *api.NewApplication) { n.Items = teen.Items }); err != nil {
		t.Errorf("on the 15th birthday: %v", err)
	}
	if _, err := apply(func(n *api.NewApplication) { n.Items, n.Kinds = child.Items, bothKinds[1:] }); err != nil {
		t.Errorf("the authentication certificate of a child: %v", err)
	}
	// One open case for each kind: another one for the other kind is possible.
	_, err := apply(func(n *api.NewApplication) { n.Kinds = bothKinds[:1] })
	w.must(err)
	_, err = apply(func(*api.NewApplication) {})
	wantError(t, err, jitsuin.Conflict, "case-open")
	if _, err = apply(func(n *api.NewApplication) { n.Kinds = bothKinds[1:] }); err != nil {
		t.Errorf("a case of the other kind: %v", err)
	}
}

func TestTheIdentityCheckRefusesWithWhatDisagrees(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := newWorld(t, database, hanako)
		for _, c := range []struct {
			name   string
			form   func(*jitsuin.FourItems)
			doc    func(*api.Document)
			code   string
			fields []string
		}{
			{"a miswritten form", func(f *jitsuin.FourItems) { f.Address, f.Sex = "試験県見本市九丁目", jitsuin.Male }, nil, "form-differs", []string{"address", "sex"}},
			{"an expired document", nil, func(d *api.Document) { d.Expires = today().AddDays(-1) }, "document-expired", []string{"document.expires"}},
			{"a document with an old name and address", nil, func(d *api.Document) { d.Items.Name, d.Items.Address = "旧姓　花子", "旧住所" }, "document-differs", []string{"name", "address"}},
			{"a document with another birth", nil, func(d *api.Document) { d.Items.BirthDate = day(1980, 2, 18) }, "document-differs", []string{"birth_date"}},
			{"another face", nil, func(d *api.Document) { d.FaceMatches = false }, "face-differs", []string{"document.face_matches"}},
		} {
			form, doc := hanako.Items, licence(hanako.Items)
			if c.form != nil {
				c.form(&form)
			}
			if c.doc != nil {
				c.doc(doc)
			}
			a, err := w.counter.Apply(t.Context(), api.NewApplication{Type: api.NewCard, Items: form, Kinds: bothKinds, Clerk: clerk}, "")
			w.must(err)
			a, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, Document: doc})
			w.must(err)
			if a.State != api.Refused || a.Code != c.code || !slices.Equal(a.Fields, c.fields) || a.Reason == "" {
				t.Errorf("%s: %+v", c.name, a)
			}
			_, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, Document: licence(hanako.Items)})
			wantError(t, err, jitsuin.Conflict, "case-state")
		}
		a := w.applied(hanako, bothKinds...)
		_, err := w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk})
		wantError(t, err, jitsuin.Invalid, "evidence")
		_, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, Document: &api.Document{Items: hanako.Items, FaceMatches: true}})
		wantError(t, err, jitsuin.Invalid, "document-incomplete")
		// A document on its last day, and the resident has not moved since the application.
		last := licence(hanako.Items)
		last.Expires = today()
		if a, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, Document: last}); err != nil || a.State != api.Notified {
			t.Errorf("the last day of a document: %+v %v", a, err)
		}
		eventually(t, "J-LIS is told", func() bool { _, ok := w.application(a.ID); return ok })
		if n := len(w.agency.events()); n != 1 {
			t.Errorf("J-LIS was told of refused cases: %d events", n)
		}
	})
}

func TestInquiryLetter(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := newWorld(t, database, hanako)
		ctx := t.Context()
		a := w.applied(hanako, bothKinds...)
		_, err := w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, ReplyCode: "AAAA-BBBB-CCCC"})
		wantError(t, err, jitsuin.Conflict, "inquiry-missing")
		first, err := w.counter.SendInquiry(ctx, a.ID, clerk)
		w.must(err)
		if first.Address != hanako.Items.Address || first.Name != hanako.Items.Name || first.ReplyBy != today().AddDays(30) {
			t.Errorf("the letter: %+v", first)
		}
		second, err := w.counter.SendInquiry(ctx, a.ID, clerk)
		w.must(err)
		_, err = w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, ReplyCode: first.ReplyCode})
		wantError(t, err, jitsuin.Invalid, "reply-code-wrong") // replaced by the second letter
		a, err = w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, ReplyCode: " " + second.ReplyCode[:6] + " " + second.ReplyCode[6:]})
		w.must(err)
		if a.State != api.Notified {
			t.Fatalf("the reply: %+v", a)
		}
	})
}

func TestWrongReplyCodesAreLimited(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	ctx := t.Context()
	a := w.applied(hanako, bothKinds...)
	letter, err := w.counter.SendInquiry(ctx, a.ID, clerk)
	w.must(err)
	for range 4 {
		_, err = w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, ReplyCode: "AAAA-AAAA-AAAA"})
		wantError(t, err, jitsuin.Invalid, "reply-code-wrong")
	}
	a, err = w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, ReplyCode: "AAAA-AAAA-AAAA"})
	w.must(err)
	if a.State != api.Refused || a.Code != "reply-code-locked" {
		t.Fatalf("the fifth wrong code: %+v", a)
	}
	_, err = w.counter.Check(ctx, a.ID, api.Check{Clerk: clerk, ReplyCode: letter.ReplyCode})
	wantError(t, err, jitsuin.Conflict, "case-state")
}

func TestALateReplyIsRefused(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	for days, want := range map[int]api.ApplicationState{0: api.Notified, 1: api.Refused} {
		a := w.applied(hanako, bothKinds[days])
		letter, err := w.counter.SendInquiry(t.Context(), a.ID, clerk)
		w.must(err)
		w.town.Clock.Set(time.Until(letter.ReplyBy.AddDays(days).Start().Add(time.Hour)))
		a, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, ReplyCode: letter.ReplyCode})
		w.must(err)
		if a.State != want || want == api.Refused && a.Code != "inquiry-expired" {
			t.Errorf("%d days after the last: %+v", days, a)
		}
	}
}

// rsaKey is made once; making it is slow.
var rsaKey = func() func(t testing.TB) []byte {
	var der []byte
	return func(t testing.TB) []byte {
		if der == nil {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			if der, err = x509.MarshalPKIXPublicKey(&key.PublicKey); err != nil {
				t.Fatal(err)
			}
		}
		return der
	}
}()

func (w *world) reissue(r municipality.ImportLine, cardID jitsuin.ID) api.Application {
	w.t.Helper()
	a, err := w.counter.Apply(w.t.Context(), api.NewApplication{Type: api.Reissue, Items: r.Items, Kinds: bothKinds[:1], Card: cardID, Clerk: clerk}, "")
	w.must(err)
	a, err = w.counter.Check(w.t.Context(), a.ID, api.Check{Clerk: clerk, Document: licence(r.Items)})
	w.must(err)
	return a
}

func TestReissueTakesOnlyTheKeysAskedFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		hanako := resident(t, 1, "見本　花子", grown)
		w := newWorld(t, database, hanako)
		ctx, cardID := t.Context(), jitsuin.NewID()
		a := w.reissue(hanako, cardID)
		if a.State != api.Checked {
			t.Fatalf("a re-issue waits for its keys: %+v", a)
		}
		small, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		w.must(err)
		p256, err := x509.MarshalPKIXPublicKey(&small.PublicKey)
		w.must(err)
		good := rsaKey(t)
		for _, c := range []struct {
			name string
			keys map[jitsuin.CertKind][]byte
			code string
		}{
			{"no key", map[jitsuin.CertKind][]byte{}, "keys-differ"},
			{"the key of another kind", map[jitsuin.CertKind][]byte{jitsuin.AuthCert: good}, "keys-differ"},
			{"a key too many", map[jitsuin.CertKind][]byte{jitsuin.SignCert: good, jitsuin.AuthCert: good}, "keys-differ"},
			{"no key at all", map[jitsuin.CertKind][]byte{jitsuin.SignCert: []byte("key")}, "key-refused"},
			{"a key that no card has", map[jitsuin.CertKind][]byte{jitsuin.SignCert: p256}, "key-refused"},
		} {
			_, err := w.counter.SubmitKeys(ctx, a.ID, api.Keys{PublicKeys: c.keys})
			if jitsuin.KindOf(err) != jitsuin.Invalid || jitsuin.CodeOf(err) != c.code {
				t.Errorf("%s: %v (%q)", c.name, err, jitsuin.CodeOf(err))
			}
		}
		keys := api.Keys{PublicKeys: map[jitsuin.CertKind][]byte{jitsuin.SignCert: good}}
		a, err = w.counter.SubmitKeys(ctx, a.ID, keys)
		w.must(err)
		if a.State != api.Notified {
			t.Fatalf("③ %+v", a)
		}
		_, err = w.counter.SubmitKeys(ctx, a.ID, keys)
		w.must(err) // the terminal begins again
		eventually(t, "J-LIS is told", func() bool { _, ok := w.application(a.ID); return ok })
		told, _ := w.application(a.ID)
		if told.Type != jlis.Reissue || told.Card != cardID || string(told.PublicKeys[jitsuin.SignCert]) != string(good) {
			t.Errorf("③ %+v", told)
		}
		_, err = w.counter.Complete(ctx, a.ID, clerk)
		wantError(t, err, jitsuin.Conflict, "case-state")

		// J-LIS refuses; the reason reaches the counter, and the case no longer stands in the way.
		w.send(w.agency, jlis.TopicToTown(town), string(a.ID), jlis.TypeRefused, jlis.Refused{Application: a.ID, Subject: a.Subject,
			Code: "four-items-differ", Reason: "the items differ", Fields: []string{"address"}})
		a = w.state(a.ID, api.Refused)
		if a.Code != "four-items-differ" || !slices.Equal(a.Fields, []string{"address"}) {
			t.Errorf("refused: %+v", a)
		}

		// Once more; the certificate comes, and later lapses.
		b := w.reissue(hanako, cardID)
		_, err = w.counter.SubmitKeys(ctx, b.ID, keys)
		w.must(err)
		w.deliver(jlis.Delivered{Application: b.ID, Subject: hanako.Subject, Card: cardID, Certificates: []jlis.Issued{{Kind: jitsuin.SignCert, Certificate: []byte{1}, NotAfter: time.Now()}}})
		w.state(b.ID, api.Delivered)
		b, err = w.counter.Complete(ctx, b.ID, clerk)
		w.must(err)
		if b.State != api.Done {
			t.Fatalf("⑥ %+v", b)
		}
		at := time.Now().UTC().Truncate(time.Microsecond)
		w.send(w.agency, jlis.TopicToTown(town), string(hanako.Subject), jlis.TypeRevoked, jlis.Revoked{Subject: hanako.Subject, Kind: jitsuin.SignCert,
			EffectiveAt: at.Add(-time.Hour), RecordedAt: at})
		eventually(t, "the lapse is noted", func() bool {
			b, err = w.counter.Application(ctx, b.ID, "", 0)
			w.must(err)
			return b.Certificates[0].RevokedAt != nil && b.Certificates[0].RevokedAt.Equal(at.Add(-time.Hour)) && b.Certificates[0].RecordedAt.Equal(at)
		})
		_, err = w.counter.Apply(ctx, api.NewApplication{Type: api.Reissue, Items: hanako.Items, Kinds: bothKinds, Card: jitsuin.NewID(), Clerk: clerk}, "")
		wantError(t, err, jitsuin.Conflict, "card-differs")
	})
}

func TestLongPollAnswersWhenTheCaseChanges(t *testing.T) {
	t.Parallel()
	hanako := resident(t, 1, "見本　花子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), hanako)
	a := w.applied(hanako, bothKinds...)
	unchanged, err := w.counter.Application(t.Context(), a.ID, api.Received, 20*time.Millisecond)
	w.must(err)
	if unchanged.State != api.Received {
		t.Fatalf("%+v", unchanged)
	}
	got := make(chan api.ApplicationState, 1)
	go func() {
		c, _ := w.counter.Application(t.Context(), a.ID, api.Received, 30*time.Second)
		got <- c.State
	}()
	_, err = w.counter.SendInquiry(t.Context(), a.ID, clerk)
	w.must(err)
	if s := <-got; s != api.InquirySent {
		t.Errorf("the waiting terminal got %q", s)
	}
	_, err = w.counter.Application(t.Context(), jitsuin.NewID(), "", 0)
	wantError(t, err, jitsuin.NotFound, "application-unknown")
}
