package console

import (
	"encoding/hex"
	"fmt"

	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// stamp decodes what has to do with time-stamps (RFC 3161): requests, answers and tokens.
func (s *search) stamp(where string, der []byte) bool {
	if q, err := tsp.ParseRequest(der); err == nil {
		nonce := ""
		if q.Nonce != nil {
			nonce = q.Nonce.Text(16)
		}
		s.add(where, "stamp-request", "digest", hex.EncodeToString(q.Imprint.Sum), "nonce", nonce)
		return true
	}
	if r, err := tsp.ParseResponse(der); err == nil {
		reason := ""
		if len(r.Failures) > 0 {
			reason = r.Failures[0].String()
		}
		s.add(where, "stamp-answer", "status", r.Status.String(), "reason", reason)
		if len(r.Token) > 0 {
			s.bytes(where+" → token", r.Token)
		}
		return true
	}
	t, err := tsp.Parse(der)
	if err != nil {
		return false
	}
	s.add(where, "stamp", "stated", web.TimeText(s.lang, t.Info.Time), "digest", hex.EncodeToString(t.Info.Imprint.Sum), "serial", t.Info.Serial.Text(16))
	for i, c := range t.CMS.Certificates {
		s.bytes(fmt.Sprintf("%s → certificates[%d]", where, i), c.Raw)
	}
	return true
}
