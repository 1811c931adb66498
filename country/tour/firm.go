package tour

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/rules"
)

// firm is the securities firm seen from outside (its customers' requests) and, for the reports, from
// its back office (the tenant's own client of the platform).
type firm struct {
	id       string
	origin   string
	browser  *http.Client
	platform *client.Client
}

func newFirm(f country.Folder) (*firm, error) {
	d, err := f.Directory()
	if err != nil {
		return nil, err
	}
	here, err := d.Lookup(country.Securities)
	if err != nil {
		return nil, err
	}
	there, err := d.Lookup(country.Platform)
	if err != nil {
		return nil, err
	}
	tenant, err := f.Identity(country.TenantFirm)
	if err != nil {
		return nil, err
	}
	c, err := client.New(there.Origin, country.Platform, tenant.ID, tenant.Key)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	return &firm{id: country.Securities, origin: here.Origin, browser: &http.Client{Jar: jar}, platform: c}, err
}

// post sends JSON as the customer's browser does. A refusal is the *jitsuin.Error that the firm meant.
func (f *firm) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, f.origin+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(httpapi.HeaderIdempotencyKey, string(jitsuin.NewID()))
	resp, err := f.browser.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return httpapi.DecodeProblem(resp)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(out)
}

func refused(err error) string {
	return fmt.Sprintf("refused: %s", jitsuin.KindOf(err))
}

// verify has a signed document verified through the platform, as the firm's back office does, and
// keeps the report.
func (s *story) verify(ctx context.Context, step, report string, content, sig []byte, want string, what Text) error {
	v, err := s.firm.platform.Verify(ctx, "", client.VerificationRequest{Document: content, Signature: sig, Purpose: string(rules.PurposeAccount)})
	if err != nil {
		return err
	}
	got := strings.TrimSpace(string(v.Report.Verdict) + " " + string(v.Report.SubIndication))
	s.rec.step(step, s.firm.id, what, want, got)
	if v.User != nil {
		if s.user == "" {
			s.user = v.User.ID
		}
		s.rec.step(step, s.firm.id, Text{"同じ人と分かる", "recognised as the same person"}, "same person", same(v.User.ID, s.user))
	}
	if v.Items != nil {
		s.rec.step(step, s.firm.id, Text{"受け取った4情報は住民票のもの", "the four items are those of the certificate"}, "[]", fmt.Sprint(v.Items.Differences(s.itemsInCertificate)))
	}
	return s.rec.saveJSON("reports/"+report+".json", v)
}

// tryLogin logs in at the firm with the card and gives the customer number there.
func (s *story) tryLogin(ctx context.Context) (customer, got string) {
	var ch client.Challenge
	if err := s.firm.call(ctx, http.MethodPost, "/login/start", struct{}{}, &ch); err != nil {
		return "", refused(err)
	}
	var answer client.LoginRequest
	err := s.withCard(ctx, func(c *holder.Card) error {
		_, now, err := s.today(ctx)
		if err != nil {
			return err
		}
		a, err := c.Login(ctx, ch.Challenge.ToSign(), holder.Act{PINs: pins(country.AuthPIN), At: now})
		if err == nil {
			answer = client.LoginRequest{Challenge: ch.ID, Certificate: a.Certificate.Raw, Signature: a.Signature, DigestAlg: a.DigestAlg}
		}
		return err
	})
	if err != nil {
		return "", "card: " + err.Error()
	}
	var in struct {
		Customer string `json:"customer"`
	}
	if err := s.firm.call(ctx, http.MethodPost, "/login/finish", answer, &in); err != nil {
		return "", refused(err)
	}
	return in.Customer, "logged in"
}
