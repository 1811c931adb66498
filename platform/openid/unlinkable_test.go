package openid_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// hoard is all that a relying party ever received: answers with their headers, addresses to which a browser was led, and what signed tokens hold.
type hoard struct{ bytes.Buffer }

func (h *hoard) keep(a answer) {
	for _, name := range []string{"Date", "Content-Length"} { // of the hour, not of the resident
		a.Header.Del(name)
	}
	a.Header.Write(h)
	h.Write(a.Raw)
	h.WriteByte('\n')
}

// transcript takes a login from its beginning to userinfo, and keeps all that the relying party sees of it.
func (p *rp) transcript(t *testing.T, h *hoard, br *platformtest.Browser, who *platformtest.Person, key bool) (subject string) {
	t.Helper()
	a := newAsking()
	form := p.query(a, url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {p.assertion(nil)}})
	pushed := post(t, p.issuer+"/par", form, nil)
	h.keep(pushed)
	back := p.login(br, who, url.Values{"client_id": {p.id}, "request_uri": {pushed.text("request_uri")}})
	fmt.Fprintln(h, back.Encode())
	header, dpop := map[string]string{}, newKey(t)
	if key {
		header["DPoP"] = proof(t, dpop, "POST", p.tokenURL(), nil)
	}
	got := post(t, p.tokenURL(), p.grant(a, back.Get("code"), nil), header)
	h.keep(got)
	c := p.claims(got.text("id_token"))
	fmt.Fprintln(h, c)
	token := got.text("access_token")
	header = map[string]string{"Authorization": got.text("token_type") + " " + token}
	if key {
		header["DPoP"] = proof(t, dpop, "GET", p.userinfoURL(), map[string]any{"ath": s256(token)})
	}
	h.keep(get(t, p.userinfoURL(), header))
	return c["sub"].(string)
}

// pieces are what could name somebody: whatever is as long as an id, a serial number, a key or a digest, in hex, base64url or base64.
var pieces = regexp.MustCompile(`[A-Za-z0-9_+/-]{16,}={0,2}`)

// Two relying parties pool every byte that they ever received of two residents, and cannot tell who of the one's is who of the other's.
func TestTwoRelyingPartiesCannotLinkAResident(t *testing.T) {
	b := open(t, "sqlite::memory:", nil)
	second := b.Register("tenant:other", origin)
	residents := []*platformtest.Person{b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")}
	seen := [2][2]*hoard{}
	subjects := [2][2]string{}
	for i, tenant := range []httpapi.Identity{b.tenant, second} {
		p := b.relyingParty(tenant, nil)
		for j, who := range residents {
			seen[i][j] = &hoard{}
			br := b.Browser()
			for n := range 2 {
				subjects[i][j] = p.transcript(t, seen[i][j], br, who, n == 1)
			}
		}
	}
	// What is common to the two residents at one relying party is of the provider, not of a person.
	everybody := common(seen[0][0], seen[0][1])
	for j, who := range residents {
		for _, piece := range common(seen[0][j], seen[1][j]) {
			if !slices.Contains(everybody, piece) {
				t.Errorf("%q is what both know of one resident", piece)
			}
		}
		for i := range seen {
			ownBytes(t, seen[i][j].String(), who)
		}
	}
	if subjects[0][0] == subjects[1][0] || subjects[0][0] == subjects[0][1] {
		t.Errorf("the subjects are %v", subjects)
	}
}

func common(a, b *hoard) (all []string) {
	other := pieces.FindAllString(b.String(), -1)
	for _, piece := range pieces.FindAllString(a.String(), -1) {
		if slices.Contains(other, piece) && !slices.Contains(all, piece) {
			all = append(all, piece)
		}
	}
	return all
}

// ownBytes fails where anything of a certificate, its key or its holder is in a text, in any of the ways to write it; signed tokens are
// opened first.
func ownBytes(t *testing.T, text string, who *platformtest.Person) {
	t.Helper()
	for _, piece := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\"., :&=[]{}", r) }) {
		if raw, err := base64.RawURLEncoding.DecodeString(piece); err == nil {
			text += "\n" + string(raw)
		}
	}
	secrets := map[string][]byte{"the serial number": who.Auth.Cert.SerialNumber.Bytes(), "the public key": who.Auth.Cert.RawSubjectPublicKeyInfo[30:60], "the subject": who.Auth.Cert.RawSubject,
		"the signature of the certificate": who.Auth.Cert.Signature[:24], "the name": []byte(who.Items.Name), "the address": []byte(who.Items.Address), "the birth date": []byte(who.Items.BirthDate.String())}
	for what, raw := range secrets {
		for _, form := range []string{string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), base64.RawURLEncoding.EncodeToString(raw)[:len(raw)], base64.StdEncoding.EncodeToString(raw)[:len(raw)]} {
			if strings.Contains(text, form) {
				t.Errorf("%s was given out, as %q", what, form)
			}
		}
	}
	if strings.Contains(text, who.Auth.Cert.SerialNumber.String()) {
		t.Error("the serial number was given out in decimal")
	}
}
