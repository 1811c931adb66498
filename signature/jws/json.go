package jws

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
)

// Bounds on what is read.
const (
	MaxSize       = 32 << 20 // of a message, bytes
	MaxSignatures = 16       // in one message
	maxHeader     = 64 << 10 // of a protected header, decoded
	maxDepth      = 16       // of nested JSON
	maxValues     = 4096     // in one JSON text
)

// encoding is base64url without padding (RFC 7515 §2). Strict refuses a second spelling of the same
// octets, and alphabet tells apart the line breaks that the library skips.
var encoding = base64.RawURLEncoding.Strict()

func decode(what string, text []byte) ([]byte, error) {
	for _, c := range text {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return nil, malformed("%s is not base64url", what)
		}
	}
	out := make([]byte, encoding.DecodedLen(len(text)))
	n, err := encoding.Decode(out, text)
	if err != nil {
		return nil, malformed("%s is not canonical base64url", what)
	}
	return out[:n], nil
}

func malformed(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "jws-form", format, args...)
}

// object reads a JSON text that is one object. Unlike encoding/json it refuses text that is not
// UTF-8 and names that stand twice, at any depth (RFC 7515 §4), and it does not mix up letter cases.
func object(what string, raw []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, malformed("%s is not JSON in UTF-8", what)
	}
	if text := bytes.TrimLeft(raw, " \t\r\n"); len(text) == 0 || text[0] != '{' {
		return nil, malformed("%s is not a JSON object", what)
	}
	if err := unique(raw); err != nil {
		return nil, malformed("%s: %v", what, err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, malformed("%s is not a JSON object", what)
	}
	return members, nil
}

// level is one object or array that is being read.
type level struct {
	names map[string]bool // nil for an array
	value bool            // a name was read and its value comes next
}

// unique walks through a valid JSON text and refuses names that stand twice in one object.
func unique(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var open []level
	for n := 0; ; n++ {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case n > maxValues:
			return errors.New("too many values")
		}
		top := len(open) - 1
		if name, ok := token.(string); ok && top >= 0 && open[top].names != nil && !open[top].value {
			if open[top].names[name] {
				return errors.New("a name stands twice")
			}
			open[top].names[name], open[top].value = true, true
			continue
		}
		switch token {
		case json.Delim('}'), json.Delim(']'):
			open = open[:top]
			continue
		}
		if top >= 0 {
			open[top].value = false
		}
		switch token {
		case json.Delim('{'):
			open = append(open, level{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, level{})
		}
		if len(open) > maxDepth {
			return errors.New("nested too deep")
		}
	}
}

// text gives a member that is a string; present tells whether there is one at all.
func text(what string, members map[string]json.RawMessage, name string) (value string, present bool, err error) {
	raw, present := members[name]
	if !present {
		return "", false, nil
	}
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
		return "", true, malformed("%s: %q is not a string", what, name)
	}
	return value, true, nil
}
