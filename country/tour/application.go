package tour

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	platform "github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
)

// declarations are what the resident fills in beside what the certificate says.
var declarations = map[string]string{"occupation": "employee", "purpose": "retirement", "foreign_pep": "no", "confirmed": "confirmed"}

// asked is a request of the firm as the resident's holder has it: checked, with the form.
type asked struct {
	number string
	claims platform.RequestClaims
	form   form.Form
}

// ask begins an application at the firm, and fetches request and form as the holder does.
func (s *story) ask(ctx context.Context) (a asked, err error) {
	var start struct {
		Number string `json:"number"`
		platform.MadeRequest
	}
	if err := s.firm.call(ctx, http.MethodPost, "/applications", struct{}{}, &start); err != nil {
		return a, err
	}
	raw, err := fetch(ctx, s.firm.browser, start.URI)
	if err != nil {
		return a, err
	}
	d, err := s.folder.Directory()
	if err != nil {
		return a, err
	}
	keyOf := func(instance string) (*ecdsa.PublicKey, error) {
		i, err := d.Lookup(instance)
		if err != nil {
			return nil, err
		}
		for _, k := range i.Keys {
			if key, ok := k.Key.(*ecdsa.PublicKey); ok {
				return key, nil
			}
		}
		return nil, errors.New("no key")
	}
	a.number = start.Number
	if a.claims, err = platform.OpenRequest(string(raw), keyOf, time.Now()); err != nil {
		return a, err
	}
	if raw, err = fetch(ctx, s.firm.browser, a.claims.Documents[0].HRef); err != nil {
		return a, err
	}
	if sum := sha256.Sum256(raw); !bytes.Equal(sum[:], a.claims.Documents[0].SHA256) {
		return a, errors.New("the form is not the one that the request names")
	}
	a.form, err = form.Parse(raw)
	return a, err
}

func fetch(ctx context.Context, c *http.Client, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", address, resp.Status)
	}
	return raw, err
}

// fillIn makes the application from the certificate that will sign it.
func (s *story) fillIn(a asked, today jitsuin.Date) ([]byte, error) {
	items, err := cert.ItemsOf(s.certs[jitsuin.SignCert])
	if err != nil {
		return nil, err
	}
	filled, err := form.Fill(a.form, items.FourItems, declarations, today)
	if err != nil {
		return nil, err
	}
	return filled.PDF()
}

// openAccount sends the signed application to the firm, as the holder does, and comes back with the browser to
// see what became of it.
func (s *story) openAccount(ctx context.Context, a asked, document, sig []byte) error {
	answer := platform.HolderAnswer{Txn: a.claims.Txn, State: a.claims.State, Certificate: s.certs[jitsuin.SignCert].Raw, Signature: sig,
		Documents: []platform.AnswerDocument{{Name: a.claims.Documents[0].Name, MediaType: "application/pdf", Content: document}}}
	var taken platform.AnswerTaken
	if err := s.firm.call(ctx, http.MethodPost, "/answers", answer, &taken); err != nil {
		s.accepted(refused(err))
		return nil
	}
	page, err := fetch(ctx, s.firm.browser, taken.ReturnURL)
	if err != nil {
		return err
	}
	got := "not opened"
	if bytes.Contains(page, []byte("TOTAL-PASSED")) && bytes.Contains(page, []byte(a.number)) {
		got = "opened"
	}
	s.accepted(got)
	return nil
}

func (s *story) accepted(got string) {
	s.rec.step("verify", s.firm.id, Text{"証券会社が申込書を確かめ、口座を開いた", "the firm verified the application and opened the account"}, "opened", got)
}

// checkRecord reads the confirmation record that the firm made, as the customer who is logged in may.
func (s *story) checkRecord(ctx context.Context) error {
	var record struct {
		Entries []struct {
			Members []struct {
				Key   string     `json:"key"`
				Value rules.Text `json:"value"`
			} `json:"members"`
		} `json:"entries"`
	}
	if err := s.firm.call(ctx, http.MethodGet, "/me/record", nil, &record); err != nil {
		return err
	}
	got := "no record"
	if len(record.Entries) > 0 {
		for _, m := range record.Entries[0].Members {
			if m.Key == "name" {
				got = m.Value.JA
			}
		}
	}
	s.rec.step("login", s.firm.id, Text{"確認記録に本人の氏名がある", "the confirmation record (確認記録) has the resident's name"}, s.itemsInCertificate.Name, got)
	return s.rec.saveJSON("reports/confirmation-record.json", record)
}
