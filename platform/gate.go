package platform

import (
	"net/http"
	"sync/atomic"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature"
)

// gate lets HTTP exchanges with the status origin through and notes whether we are served: J-LIS hears of a suspension by a
// feed of its own, and may know of it, or of its end, some milliseconds before we do.
type gate struct {
	next   http.RoundTripper
	denied *atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (g gate) RoundTrip(q *http.Request) (*http.Response, error) {
	resp, err := g.next.RoundTrip(q)
	if err == nil {
		g.denied.Store(resp.StatusCode == http.StatusForbidden)
	}
	return resp, err
}

// served gives no report whose status nobody told because J-LIS does not serve us: kept under the request's key it would stay
// the answer when the suspension is long lifted. Unavailable: nothing was decided.
func (p *Platform) served(r *signature.Report) error {
	if r.SubIndication == signature.TryLater && p.denied.Load() {
		return jitsuin.Errorf(jitsuin.Unavailable, "status-denied", "J-LIS does not tell this verifier the status of certificates now").
			WithHint("nothing was decided: send the same request again later; the minister's public register says whether the accreditation is suspended")
	}
	return nil
}
