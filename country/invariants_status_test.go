package country

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
)

// StatusView is what the status origin says of every certificate.
type StatusView struct {
	ocsp  map[string]string
	lists map[jitsuin.CertKind]*cert.CRL
}

// Settle waits until a running country has done all that there is to do, and asks the status
// origin, as a verifier, about every certificate.
func Settle(t testing.TB, f Folder) StatusView {
	t.Helper()
	a := openAudit(t, f)
	defer a.close()
	deadline := time.Now().Add(30 * time.Second)
	// One look takes a while, in which something may go on behind its back: what it looked at first is only at rest if all is the same the next time.
	for before := ""; ; time.Sleep(50 * time.Millisecond) {
		why, standing := a.busy()
		if why == "" && standing == before {
			break
		}
		if before = standing; why != "" {
			before = ""
		}
		if time.Now().After(deadline) {
			t.Fatalf("the country does not come to rest: %s", why)
		}
	}
	for {
		view, err := a.ask()
		if err == nil {
			return view
		}
		if time.Now().After(deadline) {
			t.Fatalf("the status origin: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// busy names something that is still under way, and gives how far everything has come.
func (a *audit) busy() (why, standing string) {
	for _, id := range a.ids {
		if n := a.count(id, "feed_outbox"); n > 0 {
			return fmt.Sprintf("%s has %d events to number", id, n), ""
		}
		if n := a.count(id, "feed_parked"); n > 0 {
			return fmt.Sprintf("%s has parked %d events", id, n), ""
		}
		standing += fmt.Sprintf("%s %v\n", id, a.pairs(id, `SELECT topic, epoch || '.' || n FROM feed_heads`))
		heads, behind := map[string]map[string]string{}, ""
		a.each(id, func(scan func(...any)) {
			var source, topic, at string
			scan(&source, &topic, &at)
			if heads[source] == nil {
				heads[source] = a.pairs(source, `SELECT topic, epoch || '.' || n FROM feed_heads`)
			}
			if head := heads[source][topic]; head != "" && head != at {
				behind = fmt.Sprintf("%s has read %s %s up to %s of %s", id, source, topic, at, head)
			}
		}, `SELECT source, topic, epoch || '.' || n FROM feed_cursors`)
		if behind != "" {
			return behind, ""
		}
		if roleOf(id) == "municipality" {
			if n := a.count(id, "counter_case WHERE due = 1 OR state = 'notified'"); n > 0 {
				return fmt.Sprintf("%s has %d cases under way", id, n), ""
			}
		}
	}
	if n := a.count(JLIS, "application WHERE state IN ('waiting', 'intended', 'issued')"); n > 0 {
		return fmt.Sprintf("J-LIS works on %d applications", n), ""
	}
	return "", standing
}

func (a *audit) ask() (StatusView, error) {
	view := StatusView{map[string]string{}, map[jitsuin.CertKind]*cert.CRL{}}
	r, err := a.f.Remote(Verifier, Status)
	if err != nil {
		return view, err
	}
	defer r.Close()
	ca := map[string]*x509.Certificate{}
	for _, kind := range jitsuin.CertKinds {
		der, err := os.ReadFile(a.f.Path("anchors", string(kind)+".cer"))
		if err != nil {
			return view, err
		}
		if ca[string(kind)], err = cert.Parse(der); err != nil {
			return view, err
		}
		raw, err := askStatus(a.t.Context(), r, http.MethodGet, "/crl/"+string(kind), nil)
		if err != nil {
			return view, err
		}
		if view.lists[kind], err = cert.ParseCRL(raw); err != nil {
			return view, err
		}
		if err := view.lists[kind].Verify(ca[string(kind)], cert.Algorithms{}); err != nil {
			return view, err
		}
	}
	now, err := CivilNow(a.t.Context(), a.f)
	if err != nil {
		return view, err
	}
	for _, c := range a.readCertificates() {
		if !c.visible() {
			continue
		}
		if view.ocsp[c.id()], err = askOCSP(a.t.Context(), r, ca[c.kind], c.der, now.Now); err != nil {
			return view, err
		}
	}
	return view, a.followed(view)
}

// followed gives an error while the origin has not read all that was said to it: it keeps what it has read in memory, so that no
// cursor in a database tells.
func (a *audit) followed(view StatusView) error {
	delete(a.sent, JLIS) // read anew
	last := map[string]jlis.StatusEvent{}
	for _, e := range a.events(JLIS, jlis.TopicStatus) {
		s := decode[jlis.StatusEvent](a, e)
		last[string(s.Kind)+" "+s.Serial] = s
	}
	dead := map[jitsuin.CertKind]int{}
	for id, s := range last {
		if s.State != jlis.StateGood {
			dead[s.Kind]++
		}
		says, asked := view.ocsp[id]
		follows := says == "good"
		if s.State != jlis.StateGood {
			follows = strings.HasPrefix(says, "revoked")
		}
		if asked && !follows {
			return fmt.Errorf("of %s was said %s, and the responder says %s", id, s.State, says)
		}
	}
	for kind, n := range dead {
		if got := view.lists[kind].Count; got != n {
			return fmt.Errorf("the revocation list %s has %d entries, and of %d certificates was said that they are dead", kind, got, n)
		}
	}
	return nil
}

func askOCSP(ctx context.Context, r *httpapi.Remote, ca *x509.Certificate, der []byte, now time.Time) (string, error) {
	leaf, err := cert.Parse(der)
	if err != nil {
		return "", err
	}
	id, err := cert.NewCertID(crypto.SHA1, ca, leaf.SerialNumber)
	if err != nil {
		return "", err
	}
	raw, err := askStatus(ctx, r, http.MethodPost, "/ocsp", cert.OCSPRequest{IDs: []cert.CertID{id}}.Marshal())
	if err != nil {
		return "", err
	}
	answer, err := cert.ParseOCSPResponse(raw)
	if err != nil {
		return "", err
	}
	st := answer.Status(leaf, ca, cert.OCSPCheck{Times: cert.Times{At: now, Now: now, Skew: time.Minute}})
	if st.State != cert.Revoked {
		return strings.TrimSpace(string(st.State) + " " + st.Why), nil
	}
	return "revoked " + string(st.Reason) + st.RevokedAt.UTC().Format(time.RFC3339), nil
}

func askStatus(ctx context.Context, r *httpapi.Remote, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://callee"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	resp, err := r.HTTPClient().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", path, resp.Status)
	}
	return raw, err
}
