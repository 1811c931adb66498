package tour

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/holder"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// story is the state of one tour.
type story struct {
	rec       *recorder
	soon      time.Duration
	folder    country.Folder
	sample    people.Country
	authority authority
	firm      *firm
	from, to  counter // the counters of the old and the new municipality

	resident town.Resident
	items    jitsuin.FourItems // as the register has them now
	card     jitsuin.ID
	certs    map[jitsuin.CertKind]*x509.Certificate

	given     bool   // the contract was given by the caller
	contract  []byte // else the application
	signature []byte
	user      string // the resident at the platform, for the firm
	customer  string // the resident at the firm
	// itemsInCertificate are those of the signature certificate in the card: minor corrections and
	// moves do not reach it.
	itemsInCertificate jitsuin.FourItems
}

const clerk = "窓口 例子"

func newStory(ctx context.Context, f country.Folder, rec *recorder, contract []byte) (*story, error) {
	facts, err := f.Facts()
	if err != nil {
		return nil, err
	}
	s := &story{rec: rec, folder: f, sample: facts.Sample(), certs: map[jitsuin.CertKind]*x509.Certificate{}, contract: contract, given: contract != nil}
	if s.authority.jlis, err = f.Remote(country.Verifier, country.JLIS); err != nil {
		return nil, err
	}
	if s.authority.status, err = f.Remote(country.Verifier, country.Status); err != nil {
		return nil, err
	}
	if err := s.authority.load(ctx); err != nil {
		return nil, err
	}
	if s.firm, err = newFirm(f); err != nil {
		return nil, err
	}
	return s, s.choose(ctx)
}

// choose finds somebody of full age who has no card yet, and a municipality to move to.
func (s *story) choose(ctx context.Context) error {
	now, err := country.CivilNow(ctx, s.folder)
	if err != nil {
		return err
	}
	today := jitsuin.DateOf(now.Now)
	candidates := s.sample.Residents
	if guide, ok := s.sample.Find(people.Guide); ok {
		candidates = append([]people.Resident{guide}, candidates...)
	}
	for _, p := range candidates {
		if p.Items.BirthDate.After(today.AddDays(-20*366)) || p.Nationality != "JP" || p.AdultWard || p.Persona != "" && p.Persona != people.Guide {
			continue
		}
		c, err := newCounter(s.folder, p.Municipality)
		if err != nil {
			return err
		}
		r, err := c.api.Resident(ctx, p.ID)
		if err != nil || r.State != jitsuin.Present || r.Card != "" || r.Municipality != p.Municipality {
			continue
		}
		for _, m := range s.sample.Municipalities {
			if m.Code != p.Municipality {
				s.from, s.resident, s.items = c, r, r.Items
				s.to, err = newCounter(s.folder, m.Code)
				return err
			}
		}
	}
	return jitsuin.Errorf(jitsuin.Conflict, "nobody-left", "nobody of full age without a card is left in this country").
		WithHint("make a new one: jitsuin up --reset")
}

func (s *story) play(ctx context.Context) error {
	for _, chapter := range []struct {
		title Text
		play  func(context.Context) error
	}{
		{Text{"①〜③ 申請と本人確認", "①–③ Application and identity check"}, s.apply},
		{Text{"④〜⑥ 発行と交付", "④–⑥ Issue and hand-over"}, s.receive},
		{Text{"契約に署名する", "Signing a contract"}, s.sign},
		{Text{"ログイン", "Logging in"}, s.login},
		{Text{"別の市区町村へ引っ越す", "Moving to another municipality"}, s.move},
		{Text{"署名用電子証明書の再発行", "A new signature certificate"}, s.reissue},
		{Text{"軽微な修正", "A minor correction"}, s.minor},
		{Text{"死亡", "Death"}, s.death},
	} {
		s.rec.chapter(chapter.title)
		if err := chapter.play(ctx); err != nil {
			return fmt.Errorf("%s: %w", chapter.title.EN, err)
		}
	}
	return nil
}

func document(items jitsuin.FourItems, today jitsuin.Date) *town.Document {
	return &town.Document{Type: "driving-licence", Number: "000000000001", Expires: today.AddDays(365), Items: items, FaceMatches: true}
}

func (s *story) today(ctx context.Context) (jitsuin.Date, time.Time, error) {
	c, err := country.CivilNow(ctx, s.folder)
	return jitsuin.DateOf(c.Now), c.Now, err
}

// apply is steps ① to ③, and one application that is refused because it disagrees with the register.
func (s *story) apply(ctx context.Context) error {
	today, _, err := s.today(ctx)
	if err != nil {
		return err
	}
	s.rec.tell(Text{fmt.Sprintf("住民: %s（%s）", s.items.Name, s.items.Address), fmt.Sprintf("Resident: %s (%s)", s.items.Name, s.items.Address)})
	wrong := s.items
	wrong.Address += "の隣"
	bad, err := s.from.api.Apply(ctx, town.NewApplication{Type: town.NewCard, Subject: s.resident.Subject, Items: wrong, Kinds: jitsuin.CertKinds[:], Clerk: clerk}, "")
	got := fmt.Sprint(bad.State)
	if err == nil && bad.State == town.Received {
		bad, err = s.from.api.Check(ctx, bad.ID, town.Check{Clerk: clerk, Document: document(s.items, today)})
		got = fmt.Sprintf("%s %v", bad.State, bad.Fields)
	}
	if err != nil {
		got = jitsuin.CodeOf(err)
	}
	s.rec.step("apply", s.from.town, Text{"住所の違う申請書は受け付けない", "a form with another address is refused"}, "refused [address]", got)

	app, err := s.from.api.Apply(ctx, town.NewApplication{Type: town.NewCard, Subject: s.resident.Subject, Items: s.items, Kinds: jitsuin.CertKinds[:], Clerk: clerk}, "")
	if err != nil {
		return err
	}
	s.rec.step("apply", s.from.town, Text{"① 申請書を受け付けた", "① application taken in"}, string(town.Received), string(app.State))
	app, err = s.from.api.Check(ctx, app.ID, town.Check{Clerk: clerk, Document: document(s.items, today)})
	if err != nil {
		return err
	}
	s.rec.step("check", s.from.town, Text{"②③ 住民票・写真付き書類と一致、J-LISへ通知", "②③ register and photo document agree, J-LIS is told"}, string(town.Notified), string(app.State))
	s.from.application = app.ID
	return nil
}

// receive is steps ④ to ⑥.
func (s *story) receive(ctx context.Context) error {
	app, err := s.from.await(ctx, town.Ready)
	if err != nil {
		return err
	}
	s.rec.step("issue", country.JLIS, Text{"④⑤ カードと電子証明書ができ、市区町村に届いた", "④⑤ chip and certificates are made and have reached the municipality"}, string(town.Ready), string(app.State))
	done, err := s.handOver(ctx, s.from, app)
	if err != nil {
		return err
	}
	s.card = done.Card
	if err := holder.CardsIn(string(s.folder)).SetLabel(s.card, s.items.Name); err != nil {
		return err
	}
	s.rec.step("handover", s.from.town, Text{"⑥ 暗証番号を設定し、交付した", "⑥ PINs set, card handed over"}, string(town.Done), string(done.State))
	for _, c := range done.Certificates {
		if s.certs[c.Kind], err = cert.Parse(c.Certificate); err != nil {
			return err
		}
		if err := s.rec.save("resident/"+string(c.Kind)+".pem", pemOf(s.certs[c.Kind])); err != nil {
			return err
		}
		if err := s.rec.save("ca/"+string(c.Kind)+".pem", pemOf(s.authority.ca[c.Kind])); err != nil {
			return err
		}
	}
	items, err := cert.ItemsOf(s.certs[jitsuin.SignCert])
	if err != nil {
		return err
	}
	s.rec.step("issue", country.JLIS, Text{"署名用証明書の生年月日は住民票と同じ", "the date of birth in the signature certificate is the register's"}, s.items.BirthDate.String(), items.BirthDate.String())
	s.itemsInCertificate = s.items
	for _, kind := range jitsuin.CertKinds {
		if err := s.checkStatus(ctx, "issue", kind, "good"); err != nil {
			return err
		}
	}
	return s.collect(ctx, "before")
}

// checkStatus asks the status origin itself about the certificate of a kind.
func (s *story) checkStatus(ctx context.Context, step string, kind jitsuin.CertKind, want string) error {
	der, err := s.authority.ocsp(ctx, kind, s.certs[kind])
	if err != nil {
		return err
	}
	r, err := cert.ParseOCSPResponse(der)
	if err != nil {
		return err
	}
	_, now, err := s.today(ctx)
	if err != nil {
		return err
	}
	st := r.Status(s.certs[kind], s.authority.ca[kind], cert.OCSPCheck{Times: cert.Times{At: now, Now: now}})
	got := string(st.State)
	if st.State == cert.Revoked {
		got += " " + string(st.Reason)
	}
	s.rec.step(step, country.Status, Text{"OCSPの答え（" + kindJA(kind) + "）", "OCSP says of the " + string(kind) + " certificate"}, want, got)
	return nil
}

func kindJA(k jitsuin.CertKind) string {
	if k == jitsuin.SignCert {
		return "署名用"
	}
	return "利用者証明用"
}

func (s *story) sign(ctx context.Context) error {
	today, now, err := s.today(ctx)
	if err != nil {
		return err
	}
	a, err := s.ask(ctx)
	if err != nil {
		return fmt.Errorf("begin the application: %w", err)
	}
	application, err := s.fillIn(a, today)
	if err != nil {
		return fmt.Errorf("fill in the application: %w", err)
	}
	if err := s.wrongPIN(ctx); err != nil {
		return err
	}
	sig, err := s.signWithCard(ctx, application, now)
	if err != nil {
		return err
	}
	s.rec.step("sign", "holder", Text{"カードの中の鍵で申込書に署名した", "the key in the card signed the application"}, "CMS", kindOfFile(sig))
	if err := s.openAccount(ctx, a, application, sig); err != nil {
		return fmt.Errorf("open the account: %w", err)
	}
	if s.signature = sig; !s.given {
		s.contract = application
	} else if s.signature, err = s.signWithCard(ctx, s.contract, now); err != nil {
		return err
	}
	if err := s.rec.save("contract.pdf", s.contract); err != nil {
		return err
	}
	if err := s.rec.save("contract.p7s", s.signature); err != nil {
		return err
	}
	if err := s.verify(ctx, "verify", "contract", s.contract, s.signature, "TOTAL-PASSED", Text{"相手方がプラットフォームで検証", "the counterparty verifies through the platform"}); err != nil {
		return err
	}
	altered := append(bytes.Clone(s.contract), '\n')
	return s.verify(ctx, "verify", "altered", altered, s.signature, "TOTAL-FAILED HASH_FAILURE", Text{"改ざんした契約書は通らない", "an altered contract does not pass"})
}

func kindOfFile(b []byte) string {
	if len(b) > 2 && b[0] == 0x30 {
		return "CMS"
	}
	return fmt.Sprintf("%d bytes", len(b))
}
