package jlis

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// telephone is one in the tests: its keys, fresh and on P-384 because those are quickly made.
type telephone map[jitsuin.CertKind]*ecdsa.PrivateKey

func newTelephone(t testing.TB, kinds ...jitsuin.CertKind) telephone {
	t.Helper()
	p := telephone{}
	for _, kind := range kinds {
		var err error
		p[kind], err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		must(t, err)
	}
	return p
}

func (p telephone) public(t testing.TB) map[jitsuin.CertKind][]byte {
	t.Helper()
	out := map[jitsuin.CertKind][]byte{}
	for kind, key := range p {
		var err error
		out[kind], err = x509.MarshalPKIXPublicKey(key.Public())
		must(t, err)
	}
	return out
}

// applies makes an application for a telephone, signed with a certificate and its key.
func (p telephone) applies(t testing.TB, of record, key crypto.Signer, now time.Time) api.PhoneRequest {
	t.Helper()
	r := api.PhoneRequest{Model: rules.Android, PublicKeys: p.public(t), Proofs: map[jitsuin.CertKind][]byte{}}
	leaf, err := cert.Parse(of.DER)
	must(t, err)
	filled, err := form.Fill(api.PhoneForm(jitsuin.NewID(), r.Model, r.PublicKeys), parse(t, of.DER), nil, jitsuin.DateOf(now))
	must(t, err)
	document, err := filled.PDF()
	must(t, err)
	r.Document, err = (&pades.Signer{Certificate: leaf, Key: key}).Sign(t.Context(), document, pades.Options{At: now, Name: parse(t, of.DER).Name})
	must(t, err)
	p.prove(t, &r)
	return r
}

func (p telephone) prove(t testing.TB, r *api.PhoneRequest) {
	t.Helper()
	for kind, key := range p {
		digest := sha512.Sum384(api.PhoneProof(kind, r.Document))
		var err error
		r.Proofs[kind], err = key.Sign(rand.Reader, digest[:], crypto.SHA384)
		must(t, err)
	}
}

// enrol does with an application what a running Agency does.
func (d *desk) enrol(r api.PhoneRequest) (api.PhoneIssued, error) {
	d.Helper()
	id, err := d.acceptPhone(d.Context(), r)
	if err == nil {
		err = d.issue(d.Context(), id)
	}
	if err == nil {
		err = d.awaitPhone(d.Context(), id)
	}
	if err != nil {
		return api.PhoneIssued{}, err
	}
	out, err := d.phoneIssued(d.Context(), id)
	must(d, err)
	return out.Body, nil
}

// applied is an application of somebody who holds the first pair of keys.
func (d *desk) applied(subject jitsuin.ID, p telephone) api.PhoneRequest {
	d.Helper()
	return p.applies(d, d.living(subject)[jitsuin.SignCert], sharedKeys(d).resident[0], d.Clock.Now())
}

// onPhone gives the certificates on somebody's telephone that are in force or suspended.
func (d *desk) onPhone(subject jitsuin.ID) map[jitsuin.CertKind]record {
	d.Helper()
	out := map[jitsuin.CertKind]record{}
	d.view(func(tx *store.Tx) error {
		for _, kind := range jitsuin.CertKinds {
			have, err := onPhoneInForce(tx, subject, kind, d.Clock.Now())
			if err != nil {
				return err
			}
			if len(have) > 1 {
				d.Errorf("%d certificates of the kind %s on telephones of one person", len(have), kind)
			}
			if len(have) == 1 {
				out[kind] = have[0]
			}
		}
		return nil
	})
	return out
}

// said is what the status feed said last of a certificate.
func (d *desk) said(r record) (last api.StatusEvent) {
	d.Helper()
	for _, e := range d.statusEvents() {
		if e.Serial == r.Serial.String() && e.Kind == r.Kind {
			last = e
		}
	}
	return last
}

// ocsp is what the node answers of a certificate.
func (d *desk) ocsp(r record) (cert.State, jitsuin.RevocationReason) {
	d.Helper()
	d.feedNode()
	a := (*d.node.sets.Load())[d.authority[r.Kind].keyID()].Lookup(r.Serial)
	return a.State, a.Reason
}

func TestCertificatesOnATelephoneRestOnTheCard(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, newWorld(t, url))
		subject := d.holder(hanako, 0)
		onCard := d.living(subject)
		issued, err := d.enrol(d.applied(subject, newTelephone(t, jitsuin.CertKinds[:]...)))
		must(t, err)
		if len(issued.Certificates) != 2 || len(issued.Authorities) != 2 {
			t.Fatalf("issued: %+v", issued)
		}
		for _, i := range issued.Certificates {
			c, err := cert.Parse(i.Certificate)
			must(t, err)
			if kind, ok := cert.KindOf(c); !ok || kind != i.Kind || !cert.OnPhone(c) || !c.NotAfter.Equal(onCard[i.Kind].NotAfter) {
				t.Errorf("%s: kind %s, until %v, the card's until %v", i.Kind, kind, c.NotAfter, onCard[i.Kind].NotAfter)
			}
			if _, err := cert.ValidatePath(t.Context(), c, cert.PathOptions{Anchors: anchors(d), At: d.Clock.Now()}); err != nil {
				t.Errorf("%s: %v", i.Kind, err)
			}
		}
		phone := d.onPhone(subject)
		if len(phone) != 2 || len(d.living(subject)) != 2 || len(d.statusEvents()) != 4 || len(d.delivered()) != 1 {
			t.Fatalf("%d on the telephone, %d on the card, %d events, %d deliveries", len(phone), len(d.living(subject)), len(d.statusEvents()), len(d.delivered()))
		}
		move := entered(subject, moved)
		move.Cause = jitsuin.CauseMoveWithin
		d.change(move)
		card, there := d.said(onCard[jitsuin.SignCert]), d.said(phone[jitsuin.SignCert])
		if there.State != api.StateRevoked || !there.RevokedAt.Equal(*card.RevokedAt) || there.Reason != jitsuin.ReasonCessationOfOperation {
			t.Errorf("after the move the card's ended so: %+v; the telephone's so: %+v", card, there)
		}
		if left := d.onPhone(subject); len(left) != 1 || left[jitsuin.AuthCert].Serial != phone[jitsuin.AuthCert].Serial {
			t.Errorf("after the move there is %v", left)
		}
		death := entered(subject, moved)
		death.Cause, death.State = jitsuin.CauseDeath, jitsuin.Dead
		d.change(death)
		if n := len(d.onPhone(subject)); n != 0 {
			t.Errorf("%d certificates outlive the card", n)
		}
		if told := len(sent[api.Revoked](d, api.TopicToTown(asagiri), api.TypeRevoked)); told != 2 {
			t.Errorf("the town was told of %d ends; those of a telephone are not its business", told)
		}
	})
}

func TestOnePersonHasOneTelephone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, newWorld(t, url))
		subject := d.holder(hanako, 0)
		old := d.applied(subject, newTelephone(t, jitsuin.CertKinds[:]...))
		first, err := d.enrol(old)
		must(t, err)
		had := d.onPhone(subject)
		fresh := newTelephone(t, jitsuin.CertKinds[:]...)
		second, err := d.enrol(d.applied(subject, fresh))
		must(t, err)
		now := d.onPhone(subject)
		if len(now) != 2 || now[jitsuin.SignCert].MadeFor != string(second.Application) || now[jitsuin.AuthCert].MadeFor != string(second.Application) {
			t.Errorf("in force: %v", now)
		}
		for kind, r := range had {
			if e := d.said(r); e.State != api.StateRevoked || e.Reason != jitsuin.ReasonSuperseded {
				t.Errorf("the old telephone's %s: %+v", kind, e)
			}
		}
		if len(d.living(subject)) != 2 {
			t.Error("a telephone ended a certificate on the card")
		}
		again, err := d.enrol(old) // the old telephone repeats what it sent
		if err != nil || again.Application != first.Application || len(d.onPhone(subject)) != 2 || d.onPhone(subject)[jitsuin.SignCert].Serial != now[jitsuin.SignCert].Serial {
			t.Errorf("the old application again: %+v %v", again, err)
		}
		_, err = d.enrol(d.applied(subject, fresh)) // a new application with the same keys
		refusedWith(t, "keys certified before", err, jitsuin.Denied, refusedKey)
		if n := d.count(`SELECT COUNT(*) FROM certificate WHERE state = 'intended'`); n != 0 {
			t.Errorf("%d intents are left", n)
		}
	})
}

func TestWhatIsNoApplicationForATelephone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	subject := d.holder(hanako, 0)
	p := newTelephone(t, jitsuin.CertKinds[:]...)
	good := d.applied(subject, p)
	try := func(what string, kind jitsuin.Kind, code string, change func(*api.PhoneRequest)) {
		t.Helper()
		r := d.applied(subject, p)
		change(&r)
		_, err := d.enrol(r)
		refusedWith(t, what, err, kind, code)
	}
	try("another kind of telephone than was signed", jitsuin.Invalid, "phone-form", func(r *api.PhoneRequest) { r.Model = rules.IPhone })
	try("other keys than were signed", jitsuin.Invalid, "phone-form", func(r *api.PhoneRequest) {
		other := newTelephone(t, jitsuin.CertKinds[:]...)
		r.PublicKeys = other.public(t)
		other.prove(t, r)
	})
	try("a key less than was signed", jitsuin.Invalid, "phone-form", func(r *api.PhoneRequest) { delete(r.PublicKeys, jitsuin.AuthCert) })
	try("keys that nobody has shown to have", jitsuin.Invalid, "phone-proof", func(r *api.PhoneRequest) { r.Proofs = nil })
	try("proofs of another application", jitsuin.Invalid, "phone-proof", func(r *api.PhoneRequest) { r.Proofs = good.Proofs })
	try("proofs crossed", jitsuin.Invalid, "phone-proof", func(r *api.PhoneRequest) {
		r.Proofs[jitsuin.SignCert], r.Proofs[jitsuin.AuthCert] = r.Proofs[jitsuin.AuthCert], r.Proofs[jitsuin.SignCert]
	})
	try("an altered document", jitsuin.Invalid, "consent-signature", func(r *api.PhoneRequest) { r.Document[len(r.Document)/2] ^= 1 })

	only := newTelephone(t, jitsuin.AuthCert)
	_, err := d.enrol(d.applied(subject, only))
	refusedWith(t, "without a key for signatures", err, jitsuin.Denied, refusedForm)
	_, err = d.enrol(good)
	must(t, err)
	next := newTelephone(t, jitsuin.CertKinds[:]...)
	_, err = d.enrol(next.applies(t, d.onPhone(subject)[jitsuin.SignCert], p[jitsuin.SignCert], d.Clock.Now()))
	refusedWith(t, "signed with a telephone", err, jitsuin.Denied, "phone-card")
	before := d.onPhone(subject)
	if e := d.said(before[jitsuin.SignCert]); e.State != api.StateGood {
		t.Errorf("a refused application ended the telephone: %+v", e)
	}
}

// A card with the authentication certificate alone, as of a child, brings no telephone, and an application for more than the card has is refused.
func TestATelephoneGetsNoMoreThanTheCardHas(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	subject := d.resident(hanako)
	if got := d.apply(d.reissue(subject, hanako, d.held(subject), map[jitsuin.CertKind]int{jitsuin.SignCert: 0})); got.State != appDelivered {
		t.Fatal(got.State)
	}
	_, err := d.enrol(d.applied(subject, newTelephone(t, jitsuin.CertKinds[:]...)))
	refusedWith(t, "a kind that the card has not", err, jitsuin.Denied, refusedMissing)
	issued, err := d.enrol(d.applied(subject, newTelephone(t, jitsuin.SignCert)))
	if err != nil || len(issued.Certificates) != 1 || issued.Certificates[0].Kind != jitsuin.SignCert {
		t.Errorf("with what the card has: %+v %v", issued, err)
	}
}

// telephone has the person enrol one, lose the card and find it.
func (y *tale) telephone(subject jitsuin.ID) {
	y.t.Helper()
	request := y.d.applied(subject, newTelephone(y.t, jitsuin.CertKinds[:]...))
	y.do("enrol a telephone", func() error {
		_, err := y.d.enrol(request)
		return err
	})
	y.whole("enrolled")
	ctx := httpapi.WithIdempotencyKey(y.t.Context(), string(jitsuin.NewID()))
	y.do("report a loss", func() error {
		_, err := y.d.reportLost(ctx, &lostIn{Body: api.LostCard{Items: hanako, Cause: "lost"}})
		return err
	})
	y.whole("suspended")
	town := httpapi.WithCaller(httpapi.WithIdempotencyKey(y.t.Context(), string(jitsuin.NewID())), httpapi.Caller{ID: "municipality:91201", Role: "municipality"})
	y.do("find the card", func() error {
		out, err := y.d.resumeCertificates(town, &resumeIn{Body: api.Resumption{Subject: subject}})
		if err == nil && out.Body.Certificates != 4 {
			y.t.Errorf("%d certificates came back", out.Body.Certificates)
		}
		return err
	})
	y.whole("found")
}
