package console

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/signature"
)

// declarations are what a resident of the sandbox fills into the firm's form beside what the certificate says.
var declarations = map[string]string{"occupation": "employee", "purpose": "retirement", "foreign_pep": "no", "confirmed": "confirmed"}

// customer is a resident as the securities firm sees them: a browser of their own, which is led to the holder and back.
type customer struct {
	firm    string // origin
	browser *http.Client
}

// marked sends the act's id along, so that the messages of the act can be found.
type marked struct{ *http.Transport }

func (m marked) RoundTrip(r *http.Request) (*http.Response, error) {
	if id := httpapi.RequestID(r.Context()); id != "" {
		r = r.Clone(r.Context())
		r.Header.Set(httpapi.HeaderRequestID, id)
	}
	return m.Transport.RoundTrip(r)
}

func (r *acting) customer() (*customer, error) {
	i, err := r.Directory.Lookup(country.Securities)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	c := &customer{firm: i.Origin, browser: &http.Client{Jar: jar, Transport: marked{&http.Transport{Proxy: nil}}}}
	c.browser.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(next.URL.String(), c.firm+"/") { // to the holder, where the console answers itself
			return http.ErrUseLastResponse
		}
		return nil
	}
	return c, err
}

func (c *customer) close() { c.browser.CloseIdleConnections() }

const maxPage = 16 << 20

// visit asks for a page as a browser does and gives it with where it was found.
func (c *customer) visit(ctx context.Context, method, address string) (page []byte, at *http.Response, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept-Language", "en")
	resp, err := c.browser.Do(req)
	if err != nil {
		return nil, nil, jitsuin.Errorf(jitsuin.Unavailable, "callee-unreachable", "the securities firm does not answer: %w", err)
	}
	defer resp.Body.Close()
	if page, err = io.ReadAll(io.LimitReader(resp.Body, maxPage)); err == nil && resp.StatusCode >= 400 {
		err = jitsuin.Errorf(jitsuin.Unavailable, "firm-page", "%s answered %s", resp.Request.URL.Path, resp.Status)
	}
	return page, resp, err
}

// answer has the person's holder answer a request with their card, and gives where the browser is led.
func (r *acting) answer(ctx context.Context, requestURI string, card jitsuin.ID, pin jitsuin.PIN, inputs map[string]string) (string, error) {
	way, err := r.folder.Remote(country.Country, country.Holder)
	if err != nil {
		return "", err
	}
	defer way.Close()
	// Not the holder's own type: a PIN in it would be sent as asterisks.
	asked := map[string]any{"request_uri": requestURI, "card": card, "pin": pin.Reveal(), "inputs": inputs}
	var answered struct {
		ReturnURL string `json:"return_url"`
		Refusal   string `json:"refusal"`
	}
	if err := way.Call(ctx, http.MethodPost, "/sandbox/answers", "", asked, &answered); err != nil {
		return "", err
	}
	if answered.ReturnURL == "" {
		return "", jitsuin.Errorf(jitsuin.Unavailable, "answer-not-taken", "the firm did not take the holder's answer: %s", answered.Refusal)
	}
	return answered.ReturnURL, nil
}

// outcomes of the firm are told by its pages: firm.STEM.OUTCOME.title is their heading. firmSaid is an outcome that
// is no success; it carries the stem, so that the console explains it in the firm's own words.
func firmSaid(stem, outcome string) error {
	kind := jitsuin.Denied
	switch outcome {
	case "revoked":
		kind = jitsuin.Revoked
	case "expired", "not-yet-valid", "late":
		kind = jitsuin.Expired
	case "unavailable", "holder-failed":
		kind = jitsuin.Unavailable
	}
	return jitsuin.Errorf(kind, "firm-"+outcome, "the securities firm answers: %s", web.Text(web.EN, stem+outcome+".title")).At(stem + outcome)
}

// heading gives which of the texts STEM*.title is the heading of a page of the firm, "" for none.
func heading(page []byte, stem string) string {
	_, rest, _ := strings.Cut(string(page), "<h1>")
	title, _, _ := strings.Cut(rest, "</h1>")
	title = html.UnescapeString(strings.TrimSpace(title))
	for key, text := range web.Catalogue() {
		if word, ok := strings.CutPrefix(key, stem); ok && text.EN == title {
			return strings.TrimSuffix(word, ".title")
		}
	}
	return ""
}

// passing is a step that leaves nothing to go on with: after a restart the whole way through the firm is begun anew.
func passing[T any](ctx context.Context, r *acting, name string, do func(context.Context) (T, error)) (T, error) {
	r.file.Steps = slices.DeleteFunc(r.file.Steps, func(s actStep) bool { return s.Name == name })
	r.at = name
	start := time.Now()
	out, err := do(ctx)
	if err != nil {
		return out, err
	}
	r.file.Steps = append(r.file.Steps, actStep{name, time.Since(start).Round(time.Millisecond)})
	return out, r.save(ctx)
}

// sign opens an account at the securities firm: the firm draws a form, the holder fills it in from the certificate
// and has the card sign it, the firm has it verified. Somebody who has an account already is told so.
func (r *acting) sign(ctx context.Context, p *person) error {
	c, err := r.customer()
	if err != nil {
		return err
	}
	defer c.close()
	form, err := passing(ctx, r, "firm-form", func(ctx context.Context) (client.MadeRequest, error) {
		page, _, err := c.post(ctx, "/applications")
		if err != nil {
			return client.MadeRequest{}, err
		}
		var start client.MadeRequest
		return start, json.Unmarshal(page, &start)
	})
	if err != nil {
		return err
	}
	back, err := passing(ctx, r, "card-sign", func(ctx context.Context) (string, error) {
		return r.answer(ctx, form.URI, p.Card.ID, country.SignPassword, declarations)
	})
	if err != nil {
		return err
	}
	_, err = passing(ctx, r, "firm-account", func(ctx context.Context) (string, error) {
		page, _, err := c.visit(ctx, http.MethodGet, back)
		if err != nil || heading(page, "firm.opened.") != "" {
			return "", err
		}
		switch outcome := heading(page, "firm.outcome."); outcome {
		case "known":
			r.file.add("firm-known")
			return outcome, nil
		case "":
			return "", jitsuin.Errorf(jitsuin.Unavailable, "firm-undecided", "the firm has not decided yet")
		default:
			return outcome, firmSaid("firm.outcome.", outcome)
		}
	})
	return err
}

// post begins something at the firm with no more than the browser's cookies.
func (c *customer) post(ctx context.Context, path string) (page []byte, at *http.Response, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.firm+path, bytes.NewReader([]byte("{}")))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.browser.Do(req)
	if err != nil {
		return nil, nil, jitsuin.Errorf(jitsuin.Unavailable, "callee-unreachable", "the securities firm does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return nil, nil, httpapi.DecodeProblem(resp)
	}
	page, err = io.ReadAll(io.LimitReader(resp.Body, maxPage))
	return page, resp, err
}

// login logs in at the firm with the authentication key.
func (r *acting) login(ctx context.Context, p *person) error {
	c, err := r.customer()
	if err != nil {
		return err
	}
	defer c.close()
	return r.enter(ctx, c, p)
}

// enter is a login of a browser, which then has a session.
func (r *acting) enter(ctx context.Context, c *customer, p *person) error {
	uri, err := passing(ctx, r, "firm-asks", func(ctx context.Context) (string, error) {
		_, at, err := c.post(ctx, "/login")
		if err != nil {
			return "", err
		}
		to, err := url.Parse(at.Header.Get("Location"))
		if err != nil || to.Query().Get("request_uri") == "" {
			return "", jitsuin.Errorf(jitsuin.Unavailable, "firm-page", "the firm does not lead to the holder")
		}
		return to.Query().Get("request_uri"), nil
	})
	if err != nil {
		return err
	}
	back, err := passing(ctx, r, "card-answer", func(ctx context.Context) (string, error) {
		return r.answer(ctx, uri, p.Card.ID, country.AuthPIN, nil)
	})
	if err != nil {
		return err
	}
	_, err = passing(ctx, r, "firm-login", func(ctx context.Context) (bool, error) {
		_, at, err := c.visit(ctx, http.MethodGet, back)
		if err != nil {
			return false, err
		}
		if outcome := at.Request.URL.Query().Get("outcome"); outcome != "" && web.Has("firm.login."+outcome+".title") {
			return false, firmSaid("firm.login.", outcome)
		}
		if at.Request.URL.Path != "/account" {
			return false, jitsuin.Errorf(jitsuin.Unavailable, "firm-page", "the firm does not show the account")
		}
		return true, nil
	})
	return err
}

// again logs in, takes the customer's copy of the application by which the account was opened, and has its signature
// verified once more.
func (r *acting) again(ctx context.Context, p *person) error {
	c, err := r.customer()
	if err != nil {
		return err
	}
	defer c.close()
	if err := r.enter(ctx, c, p); err != nil {
		return err
	}
	copied, err := passing(ctx, r, "firm-copy", func(ctx context.Context) (l signedLetter, err error) {
		l.Document, _, err = c.visit(ctx, http.MethodGet, c.firm+"/account/application.pdf")
		if err == nil && !bytes.Contains(l.Document, []byte("/ByteRange")) { // one of before is signed beside
			l.Signature, _, err = c.visit(ctx, http.MethodGet, c.firm+"/account/application.p7s")
		}
		return l, err
	})
	if err != nil {
		return err
	}
	report, err := passing(ctx, r, "verify-again", func(ctx context.Context) (signature.Report, error) {
		report, err := r.verify(ctx, copied)
		if err == nil && report.Verdict == signature.Indeterminate {
			err = client.Refusal(report)
		}
		return report, err
	})
	if err != nil {
		return err
	}
	if report.Verdict == signature.Passed {
		r.file.add("again-good")
	} else {
		r.file.add("again-refused", "verdict", strings.TrimSpace(string(report.Verdict)+" "+string(report.SubIndication)))
	}
	r.file.add("login-good")
	return nil
}
