package console

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// found is something with a form of its own that a message carries: a certificate, a signature, an answer of OCSP.
type found struct {
	Where string // in the message, such as request.certificate
	Kind  string // consolemap.found.KIND
	Facts []foundFact
	Drawn *Drawn // of a certificate
}

// foundFact is one line about it: a key of the catalogue and its value.
type foundFact struct{ Key, Value string }

// findings looks through a message for what can be decoded. Each thing is told once.
func findings(l web.Lang, e trace.Entry, body json.RawMessage) []found {
	s := search{lang: l, seen: map[string]bool{}}
	s.body("request", e.Request)
	s.body("answer", e.Answer)
	s.json("event", body)
	return s.found
}

type search struct {
	lang  web.Lang
	found []found
	seen  map[string]bool
}

func (s *search) body(where string, b *trace.Body) {
	if b == nil {
		return
	}
	s.json(where, b.JSON)
	if len(b.Bytes) > 0 {
		s.bytes(where, b.Bytes)
	}
}

// json walks through a JSON text.
func (s *search) json(where string, raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	var v any
	if json.Unmarshal(raw, &v) == nil {
		s.value(where, v)
	}
}

func (s *search) value(where string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(v) {
			s.value(where+"."+k, v[k])
		}
	case []any:
		for i, x := range v {
			s.value(where+"["+strconv.Itoa(i)+"]", x)
		}
	case string:
		if block, _ := pem.Decode([]byte(v)); block != nil {
			s.bytes(where, block.Bytes)
			return
		}
		if len(v) < 80 {
			return
		}
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			if der, err := enc.DecodeString(v); err == nil {
				s.bytes(where, der)
				return
			}
		}
	}
}

// bytes says what DER is.
func (s *search) bytes(where string, der []byte) {
	if s.seen[string(der)] {
		return
	}
	s.seen[string(der)] = true
	switch {
	case bytes.HasPrefix(der, []byte("%PDF-")):
		s.add(where, "pdf", "size", fmt.Sprint(len(der)))
	case len(der) < 2 || der[0] != 0x30:
	default:
		for _, try := range []func(string, []byte) bool{s.certificate, s.stamp, s.cms, s.ocspAnswer, s.ocspRequest, s.crl, s.key} {
			if try(where, der) {
				return
			}
		}
	}
}

// add notes a thing with facts: keys and values in turn.
func (s *search) add(where, kind string, facts ...string) *found {
	f := found{Where: where, Kind: kind}
	for i := 0; i+1 < len(facts); i += 2 {
		if facts[i+1] != "" {
			f.Facts = append(f.Facts, foundFact{facts[i], facts[i+1]})
		}
	}
	s.found = append(s.found, f)
	return &s.found[len(s.found)-1]
}

func (s *search) certificate(where string, der []byte) bool {
	drawn, err := Draw(der)
	if err != nil {
		return false
	}
	if jitsuin.CertKind(drawn.Kind).Valid() {
		drawn.Link = "/certificates/" + drawn.ID // a resident's has a page of its own
	}
	s.add(where, "certificate").Drawn = drawn
	return true
}

func (s *search) cms(where string, der []byte) bool {
	d, err := cms.Parse(der)
	if err != nil {
		return false
	}
	s.add(where, "cms", "size", fmt.Sprint(len(der)), "signers", fmt.Sprint(len(d.Signers)), "certificates", fmt.Sprint(len(d.Certificates)))
	for i, c := range d.Certificates {
		s.bytes(fmt.Sprintf("%s → certificates[%d]", where, i), c.Raw)
	}
	return true
}

func (s *search) ocspAnswer(where string, der []byte) bool {
	r, err := cert.ParseOCSPResponse(der)
	if err != nil {
		return false
	}
	facts := []string{"produced", web.TimeText(s.lang, r.ProducedAt)}
	for _, one := range r.Singles {
		facts = append(facts, "serial", one.ID.Serial.Text(16), "status", string(one.State), "reason", string(one.Reason),
			"revoked", timeOrNothing(s.lang, one), "this-update", web.TimeText(s.lang, one.ThisUpdate), "next-update", web.TimeText(s.lang, one.NextUpdate))
	}
	s.add(where, "ocsp-answer", facts...)
	for i, c := range r.Certificates {
		s.bytes(fmt.Sprintf("%s → certs[%d]", where, i), c.Raw)
	}
	return true
}

func timeOrNothing(l web.Lang, one cert.OCSPSingle) string {
	if one.State != cert.Revoked {
		return ""
	}
	return web.TimeText(l, one.RevokedAt)
}

func (s *search) ocspRequest(where string, der []byte) bool {
	r, err := cert.ParseOCSPRequest(der)
	if err != nil {
		return false
	}
	var facts []string
	for _, id := range r.IDs {
		facts = append(facts, "serial", id.Serial.Text(16))
	}
	s.add(where, "ocsp-request", append(facts, "nonce", hex.EncodeToString(r.Nonce))...)
	return true
}

func (s *search) crl(where string, der []byte) bool {
	c, err := cert.ParseCRL(der)
	if err != nil {
		return false
	}
	number := ""
	if c.Number != nil {
		number = c.Number.String()
	}
	s.add(where, "crl", "number", number, "entries", fmt.Sprint(c.Count), "this-update", web.TimeText(s.lang, c.ThisUpdate), "next-update", web.TimeText(s.lang, c.NextUpdate))
	return true
}

func (s *search) key(where string, der []byte) bool {
	if _, err := x509.ParsePKIXPublicKey(der); err != nil {
		return false
	}
	s.add(where, "public-key", "size", fmt.Sprint(len(der)))
	return true
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// pretty writes JSON for reading, or hex of bytes.
func pretty(b *trace.Body) string {
	switch {
	case b == nil:
		return ""
	case len(b.JSON) > 0:
		return prettyJSON(b.JSON)
	case b.Text != "":
		return b.Text
	case len(b.Bytes) > 0:
		return strings.TrimSpace(hex.Dump(b.Bytes[:min(len(b.Bytes), 2<<10)]))
	}
	return ""
}

func prettyJSON(raw json.RawMessage) string {
	var out bytes.Buffer
	if json.Indent(&out, raw, "", "  ") != nil {
		return string(raw)
	}
	return out.String()
}

// longString is one that is easier to read when it is shortened: bytes in base64, as a rule.
var longString = regexp.MustCompile(`"[^"\\\s]{161,}"`)

// shorten takes the middle out of long strings of a text of JSON.
func shorten(text string) string {
	return longString.ReplaceAllStringFunc(text, func(s string) string {
		return strings.ToValidUTF8(fmt.Sprintf("%s…%s (%d)", s[:61], s[len(s)-21:], len(s)-2), "")
	})
}
