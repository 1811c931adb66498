package platform_test

import (
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// Who may use the routes about the accreditation.
func init() {
	for _, route := range []string{"GET /v1/accreditation", "POST /v1/accreditation/application", "POST /v1/accreditation/audits"} {
		access[route] = operators
	}
}

// J-LIS may know of a suspension before the platform does. What nobody was told then is no answer that stays: the same request works
// as soon as J-LIS serves the platform again, by OCSP and by lists alike.
func TestWhatJLISDoesNotServeIsNotDecided(t *testing.T) {
	t.Parallel()
	for _, validity := range []string{platform.ValidityOCSP, platform.ValidityCRL} {
		t.Run(validity, func(t *testing.T) {
			b := open(t, "sqlite::memory:", func(c *platform.Config) { c.Validity = validity })
			request := b.signed(b.Agency.Resident("霧島　花子"))
			b.Status.Denied.Store(true)
			for range 2 { // lists are not fetched again at once
				_, err := b.verifyWith(b.tenant, "request-0001", request)
				code(t, err, jitsuin.Unavailable, "status-denied")
			}
			if n := b.count(`SELECT COUNT(*) FROM checks`); n != 0 {
				t.Errorf("%d checks were decided", n)
			}
			b.Status.Denied.Store(false)
			if validity == platform.ValidityCRL {
				return // a list that could not be had is asked for again after some seconds
			}
			if v, err := b.verifyWith(b.tenant, "request-0001", request); err != nil || v.Report.Verdict != signature.Passed {
				t.Errorf("served again: %+v %v", v.Report.Reasons, err)
			}
			b.Status.Down.Store(true) // that is another matter: the report says so, as ever
			if v, err := b.verifyWith(b.tenant, "request-0002", request); err != nil || v.Report.SubIndication != signature.TryLater {
				t.Errorf("the status origin is down: %+v %v", v.Report.Reasons, err)
			}
		})
	}
}

// A suspension stops every act that a tenant asks for with one code, and none of it is used up: the same requests work afterwards.
func TestNothingIsUsedUpByASuspension(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		request := b.signed(hanako)
		first, err := b.verifyWith(b.tenant, "request-0001", request)
		if err != nil {
			t.Fatal(err)
		}
		var c api.Challenge
		if err := b.once(b.tenant, "/v1/login-challenges", "", api.ChallengeRequest{Origin: origin, Purpose: "login"}, &c); err != nil {
			t.Fatal(err)
		}
		signed, err := c.Challenge.ToSign().Sign(hanako.Auth.Cert, hanako.Auth.Key)
		if err != nil {
			t.Fatal(err)
		}
		answer := api.LoginRequest{Challenge: c.ID, Certificate: signed.Certificate.Raw, Signature: signed.Signature, DigestAlg: signed.DigestAlg}
		b.Accredit(minister.Suspended)
		for _, key := range []string{"request-0001", "request-0002"} {
			_, err := b.verifyWith(b.tenant, key, request)
			code(t, err, jitsuin.Unavailable, "accreditation-suspended")
		}
		code(t, b.once(b.tenant, "/v1/logins", "", answer, nil), jitsuin.Unavailable, "accreditation-suspended")
		b.Accredit(minister.InForce)
		if again, err := b.verifyWith(b.tenant, "request-0001", request); err != nil || again.ID != first.ID {
			t.Errorf("the answer of before: %v %v", again.ID, err)
		}
		if v, err := b.verifyWith(b.tenant, "request-0002", request); err != nil || v.ID == first.ID || v.User.ID != first.User.ID {
			t.Errorf("asked while suspended: %+v %v", v.User, err)
		}
		var in api.Login
		if err := b.once(b.tenant, "/v1/logins", "", answer, &in); err != nil || in.Report.Verdict != signature.Passed {
			t.Errorf("the challenge was used up: %+v %v", in.Report.Reasons, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM checks WHERE sort = 'document'`); n != 2 {
			t.Errorf("%d checks", n)
		}
	})
}
