package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Mask stands where something is not shown.
const Mask = "***"

// secretNames are members whose values are never remembered, whatever they are: exactly so, in lower
// case and without separators.
var secretNames = map[string]bool{"pin": true, "newpin": true, "oldpin": true, "signpin": true, "authpin": true, "puk": true,
	"cookie": true, "session": true, "authorization": true, "clientassertion": true, "codeverifier": true, "idtokenhint": true,
	"authentic": true} // a file of a card: the hash in it gives a My Number away to whoever tries all

// secretEndings are how names of such members end.
var secretEndings = []string{"password", "passphrase", "mynumber", "residentcode", "juminhyocode", "handle", "assertion",
	"securitycode", "token", "ticket", "secret", "privatekey", "createkey"}

func secretName(name string) bool {
	plain := strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
	if secretNames[plain] {
		return true
	}
	for _, end := range secretEndings {
		if strings.HasSuffix(plain, end) {
			return true
		}
	}
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' }), func(word string) bool {
		return word == "pin" || word == "password" || word == "again"
	})
}

// secretField tells of the field of a form, such as those in which a PIN is changed, that it is not remembered.
func secretField(name string) bool {
	return name == "old" || name == "new" || strings.Contains(strings.ToLower(name), "pin") || secretName(name)
}

// harmlessCode is what a member called code, or such as reply_code, may hold: the code of an error or a place. A code that is
// anything else is taken for one that lets somebody in.
var harmlessCode = regexp.MustCompile(`^([a-z0-9]{1,8}|[a-z0-9]+(-[a-z0-9]+)+)$`)

// personal are numbers of 11 or 12 digits, as resident codes and My Numbers are, also in groups.
var personal = regexp.MustCompile(`\b[0-9]{11,12}\b|\b[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}\b|[０-９]{11,12}`)

// RedactText takes personal numbers out of a text.
func RedactText(s string) string {
	if len(s) < 11 {
		return s
	}
	return personal.ReplaceAllString(s, Mask)
}

// longest is how many characters of one string are kept.
const longest = 16 << 10

// redactString takes out of a member's value what must not be remembered; cut tells that it was too long.
func redactString(name, s string) (out string, cut bool) {
	switch {
	case s == "":
		return s, false
	case secretName(name), strings.HasSuffix(strings.ToLower(name), "code") && !harmlessCode.MatchString(s):
		return Mask, false
	case len(s) > longest:
		return RedactText(strings.ToValidUTF8(s[:200], "")) + fmt.Sprintf("… (%d)", len(s)), true
	}
	return RedactText(s), false
}

// RedactJSON gives a JSON text without what must not be remembered. cut tells that strings were too
// long to be kept; ok is false where the text is no JSON.
func RedactJSON(raw []byte) (out json.RawMessage, cut, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var b bytes.Buffer
	r := redactor{d: d, out: &b}
	if err := r.value(""); err != nil || d.More() {
		return nil, false, false
	}
	return b.Bytes(), r.cut, true
}

// redactor copies JSON and keeps the order of members.
type redactor struct {
	d   *json.Decoder
	out *bytes.Buffer
	cut bool
}

func (r *redactor) value(name string) error {
	t, err := r.d.Token()
	if err != nil {
		return err
	}
	return r.token(name, t)
}

func (r *redactor) token(name string, t json.Token) error {
	switch v := t.(type) {
	case json.Delim:
		if v == '[' {
			return r.list(name)
		}
		return r.object(name)
	case string:
		s, cut := redactString(name, v)
		r.cut = r.cut || cut
		return r.write(s)
	case json.Number:
		if secretName(name) {
			return r.write(Mask)
		}
		r.out.WriteString(v.String())
		return nil
	}
	return r.write(t)
}

func (r *redactor) write(v any) error {
	enc := json.NewEncoder(r.out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	r.out.Truncate(r.out.Len() - 1) // the line's end
	return err
}

// list copies an array; its elements go under the name of the array.
func (r *redactor) list(name string) error {
	r.out.WriteByte('[')
	for first := true; r.d.More(); first = false {
		if !first {
			r.out.WriteByte(',')
		}
		if err := r.value(name); err != nil {
			return err
		}
	}
	r.out.WriteByte(']')
	_, err := r.d.Token()
	return err
}

// object copies an object. One under a secret name is secret as a whole.
func (r *redactor) object(name string) error {
	whole := r.out
	if secretName(name) {
		r.out = &bytes.Buffer{}
	}
	r.out.WriteByte('{')
	for first := true; r.d.More(); first = false {
		if !first {
			r.out.WriteByte(',')
		}
		key, err := r.d.Token()
		if err != nil {
			return err
		}
		member, _ := key.(string)
		if err := r.write(RedactText(member)); err != nil {
			return err
		}
		r.out.WriteByte(':')
		if err := r.value(member); err != nil {
			return err
		}
	}
	r.out.WriteByte('}')
	_, err := r.d.Token()
	if r.out != whole {
		r.out = whole
		return r.write(Mask)
	}
	return err
}

// RedactForm gives the fields of a form, or of a query, without what must not be remembered.
func RedactForm(v url.Values) (out url.Values, cut bool) {
	out = url.Values{}
	for name, values := range v {
		for _, s := range values {
			r, c := redactString(name, s)
			if secretField(name) {
				r, c = Mask, false
			}
			cut = cut || c
			out.Add(RedactText(name), r)
		}
	}
	return out, cut
}

// RedactQuery is RedactForm for the query of an address; what is no query is not remembered at all.
func RedactQuery(raw string) string {
	v, err := url.ParseQuery(raw)
	if err != nil {
		return ""
	}
	out, _ := RedactForm(v)
	text, err := url.QueryUnescape(out.Encode())
	if err != nil {
		return ""
	}
	return text
}
