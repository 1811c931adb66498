package tour

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/country"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

func (s *story) login(ctx context.Context) error {
	// Only somebody with an account gets in, so being let in says that who logs in is who signed.
	customer, got := s.tryLogin(ctx)
	s.customer = customer
	s.rec.step("login", s.firm.id, Text{"利用者証明用電子証明書で、契約した本人としてログイン", "login with the authentication certificate, as the one who signed"}, "logged in", got)
	return s.checkRecord(ctx)
}

func same(a, b string) string {
	if a != "" && a == b {
		return "same person"
	}
	return "another person"
}

// move moves the resident to the other municipality: the signature certificate dies everywhere,
// the login lives on.
func (s *story) move(ctx context.Context) error {
	today, _, err := s.today(ctx)
	if err != nil {
		return err
	}
	_, err = s.from.api.Record(ctx, town.ChangeRequest{Subject: s.resident.Subject, Cause: jitsuin.CauseMoveOut, OccurredOn: today, Clerk: clerk, Destination: s.to.code}, "")
	if err != nil {
		return err
	}
	s.rec.step("move", s.from.town, Text{"転出届を受け付けた", "moving-out recorded"}, "moving", s.stateAt(ctx, s.from))
	address := s.addressIn(s.to.code)
	if err := s.untilCertificate(ctx, today, address); err != nil {
		return err
	}
	act := time.Now()
	s.items.Address = address
	s.rec.step("move", s.to.town, Text{"転入届を受け付けた", "moving-in recorded"}, "present", s.stateAt(ctx, s.to))
	took, err := s.untilRevoked(ctx, act)
	if err != nil {
		return err
	}
	s.rec.tell(Text{fmt.Sprintf("届出から%v後に、署名用電子証明書は失効しました。", took), fmt.Sprintf("%v after the clerk's act the signature certificate was dead.", took)})
	s.rec.step("move", s.firm.id, Text{fmt.Sprintf("届出から失効確認まで%.0f秒以内", s.soon.Seconds()), fmt.Sprintf("from the clerk's act to the refusal in under %v", s.soon)}, "true", fmt.Sprint(took < s.soon))
	if err := s.verify(ctx, "move", "moved", s.contract, s.signature, "TOTAL-FAILED REVOKED", Text{"同じ契約書を再び検証: 失効のため通らない", "the same contract again: refused, the certificate is revoked"}); err != nil {
		return err
	}
	if err := s.checkStatus(ctx, "move", jitsuin.SignCert, "revoked affiliationChanged"); err != nil {
		return err
	}
	if err := s.checkStatus(ctx, "move", jitsuin.AuthCert, "good"); err != nil {
		return err
	}
	if err := s.loginHolds(ctx, "move"); err != nil {
		return err
	}
	return s.collect(ctx, "move")
}

func (s *story) loginHolds(ctx context.Context, step string) error {
	customer, got := s.tryLogin(ctx)
	s.rec.step(step, s.firm.id, Text{"ログインはそのまま使える", "the login lives on"}, "logged in, same person", got+", "+same(customer, s.customer))
	return nil
}

// untilCertificate records the moving-in as soon as the moving-out certificate has reached the town.
func (s *story) untilCertificate(ctx context.Context, today jitsuin.Date, address string) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := s.to.api.Record(ctx, town.ChangeRequest{Subject: s.resident.Subject, Cause: jitsuin.CauseMoveIn, OccurredOn: today, Clerk: clerk, Address: address}, "")
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if k := jitsuin.KindOf(err); k != jitsuin.NotFound && k != jitsuin.Conflict {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// untilRevoked asks the status origin until it says revoked, and tells how long after the act.
func (s *story) untilRevoked(ctx context.Context, act time.Time) (time.Duration, error) {
	for {
		der, err := s.authority.ocsp(ctx, jitsuin.SignCert, s.certs[jitsuin.SignCert])
		if err != nil {
			return 0, err
		}
		r, err := cert.ParseOCSPResponse(der)
		if err != nil {
			return 0, err
		}
		_, now, err := s.today(ctx)
		if err != nil {
			return 0, err
		}
		took := time.Since(act)
		st := r.Status(s.certs[jitsuin.SignCert], s.authority.ca[jitsuin.SignCert], cert.OCSPCheck{Times: cert.Times{At: now, Now: now}})
		if st.State == cert.Revoked || took > 10*time.Second {
			return took.Round(time.Millisecond), nil
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (s *story) stateAt(ctx context.Context, c counter) string {
	r, err := c.api.Resident(ctx, s.resident.Subject)
	if err != nil {
		return jitsuin.CodeOf(err)
	}
	return string(r.State)
}

// reissue makes a new signature certificate in the card that the resident has brought.
func (s *story) reissue(ctx context.Context) error {
	today, _, err := s.today(ctx)
	if err != nil {
		return err
	}
	app, err := s.to.api.Apply(ctx, town.NewApplication{Type: town.Reissue, Subject: s.resident.Subject, Items: s.items, Kinds: []jitsuin.CertKind{jitsuin.SignCert}, Card: s.card, Clerk: clerk}, "")
	if err != nil {
		return err
	}
	app, err = s.to.api.Check(ctx, app.ID, town.Check{Clerk: clerk, Document: document(s.items, today)})
	if err != nil {
		return err
	}
	s.rec.step("reissue", s.to.town, Text{"再発行の申請、本人確認", "re-issue applied for, identity checked"}, string(town.Checked), string(app.State))
	done, err := s.renewInCard(ctx, app.ID)
	if err != nil {
		return err
	}
	s.rec.step("reissue", s.to.town, Text{"鍵はカードの中で作られ、公開鍵だけが送られた", "the pair was made in the card, only the public key was sent"}, string(town.Done), string(done.State))
	for _, c := range done.Certificates {
		if c.Kind == jitsuin.SignCert {
			if s.certs[c.Kind], err = cert.Parse(c.Certificate); err != nil {
				return err
			}
		}
	}
	if err := s.rec.save("resident/sign-reissued.pem", pemOf(s.certs[jitsuin.SignCert])); err != nil {
		return err
	}
	s.itemsInCertificate = s.items
	if err := s.checkStatus(ctx, "reissue", jitsuin.SignCert, "good"); err != nil {
		return err
	}
	if err := s.signAgain(ctx, "reissue", "reissued", "TOTAL-PASSED"); err != nil {
		return err
	}
	return s.collect(ctx, "reissue")
}

// signAgain signs the contract with the card as it is now and has it verified.
func (s *story) signAgain(ctx context.Context, step, report, want string) error {
	_, now, err := s.today(ctx)
	if err != nil {
		return err
	}
	sig, err := s.signWithCard(ctx, s.contract, now)
	if err != nil {
		return err
	}
	return s.verify(ctx, step, report, s.contract, sig, want, Text{"署名し直した契約書を検証", "the contract signed again is verified"})
}

// minor corrects the address in a way that the law calls minor: nothing is revoked.
func (s *story) minor(ctx context.Context) error {
	today, _, err := s.today(ctx)
	if err != nil {
		return err
	}
	items := s.items
	items.Address = strings.TrimSuffix(items.Address, "号") + "号　実印荘"
	// Case 6 of the seven: the name of a building (rules.MinorCases).
	_, err = s.to.api.Record(ctx, town.ChangeRequest{Subject: s.resident.Subject, Cause: jitsuin.CauseMinorCorrection, OccurredOn: today, Clerk: clerk, MinorRule: 6, Items: &items}, "")
	if err != nil {
		return err
	}
	s.items = items
	s.rec.step("minor", s.to.town, Text{"建物の名称を補った（軽微な修正）", "the name of the building was added (minor correction)"}, "present", s.stateAt(ctx, s.to))
	if err := s.noticeArrived(ctx); err != nil {
		return err
	}
	for _, kind := range jitsuin.CertKinds {
		if err := s.checkStatus(ctx, "minor", kind, "good"); err != nil {
			return err
		}
	}
	if err := s.signAgain(ctx, "minor", "minor", "TOTAL-PASSED"); err != nil {
		return err
	}
	return s.collect(ctx, "minor")
}

// death ends both certificates.
func (s *story) death(ctx context.Context) error {
	today, now, err := s.today(ctx)
	if err != nil {
		return err
	}
	sig, err := s.signWithCard(ctx, s.contract, now)
	if err != nil {
		return err
	}
	if _, err = s.to.api.Record(ctx, town.ChangeRequest{Subject: s.resident.Subject, Cause: jitsuin.CauseDeath, OccurredOn: today, Clerk: clerk}, ""); err != nil {
		return err
	}
	act := time.Now()
	s.rec.step("death", s.to.town, Text{"死亡届を受け付けた", "death recorded"}, "dead", s.stateAt(ctx, s.to))
	if _, err := s.untilRevoked(ctx, act); err != nil {
		return err
	}
	for _, kind := range jitsuin.CertKinds {
		if err := s.checkStatus(ctx, "death", kind, "revoked cessationOfOperation"); err != nil {
			return err
		}
	}
	if err := s.verify(ctx, "death", "dead", s.contract, sig, "TOTAL-FAILED REVOKED", Text{"署名は通らない", "the signature does not pass"}); err != nil {
		return err
	}
	_, got := s.tryLogin(ctx)
	s.rec.step("death", s.firm.id, Text{"ログインもできない", "no login either"}, "refused: revoked", got)
	return s.collect(ctx, "death")
}

// noticeArrived waits until J-LIS has applied everything that the new municipality has recorded, so
// that "nothing was revoked" is more than "nothing was revoked yet".
func (s *story) noticeArrived(ctx context.Context) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		there, err := country.CaughtUp(ctx, s.folder, s.to.code)
		if err != nil || there {
			return err
		}
		if time.Now().After(deadline) {
			return jitsuin.Errorf(jitsuin.Unavailable, "notice-late", "J-LIS has not applied the notice after 10 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *recorder) summary() {
	if r.bad == 0 {
		fmt.Fprintf(r.out, "\n%s\n", r.paint("1;32", fmt.Sprintf(Text{"%d項目すべて期待どおりでした。", "All %d expectations held."}.in(r.lang), r.n)))
		return
	}
	fmt.Fprintf(r.out, "\n%s\n", r.paint("1;31", fmt.Sprintf(Text{"%d項目のうち%d項目が期待と違いました。", "Of %d expectations %d did not hold."}.in(r.lang), r.n, r.bad)))
}
