package jws

import (
	"bytes"
	"encoding/json"
)

// Message is one JWS as it was read.
type Message struct {
	Form       Form
	Detached   bool   // there is no payload inside
	Unencoded  bool   // b64 is false: the payload stands as it is (RFC 7797)
	Payload    []byte // decoded; nil where detached
	Signatures []*Signature

	covered []byte // the payload as it stands in what is signed; nil where detached
}

// Form is one of the serializations of RFC 7515 §7.
type Form string

const (
	Compact   Form = "compact"
	Flattened Form = "flattened"
	General   Form = "general"
)

// Parse reads a JWS of any form. It fails with kind Invalid for what is none. What breaks the rules of
// a header stands in its signature, for Verify to say.
func Parse(raw []byte) (*Message, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || len(raw) > MaxSize:
		return nil, malformed("a message has 1 to %d bytes", MaxSize)
	case raw[0] == '{':
		return parseJSON(raw)
	}
	return parseCompact(raw)
}

func parseCompact(raw []byte) (*Message, error) {
	parts := bytes.SplitN(raw, []byte("."), 4)
	if len(parts) != 3 {
		return nil, malformed("the compact form has three parts")
	}
	s, err := newSignature(string(parts[0]), nil, parts[2])
	if err != nil {
		return nil, err
	}
	m := &Message{Form: Compact, Signatures: []*Signature{s}, Unencoded: s.unencoded, Detached: len(parts[1]) == 0}
	if m.Detached {
		return m, nil
	}
	for _, c := range parts[1] {
		if m.Unencoded && (c < 0x20 || c > 0x7e) { // RFC 7797 §5.2; the period ended the part
			return nil, malformed("a payload in the compact form that is not encoded has visible characters alone")
		}
	}
	return m, m.take(parts[1])
}

// take fills in the payload from how it stands in the message.
func (m *Message) take(stands []byte) (err error) {
	m.covered, m.Payload = stands, stands
	if !m.Unencoded {
		m.Payload, err = decode("the payload", stands)
	}
	return err
}

func parseJSON(raw []byte) (*Message, error) {
	members, err := object("the message", raw)
	if err != nil {
		return nil, err
	}
	m := &Message{Form: Flattened}
	list := []map[string]json.RawMessage{members}
	if several, ok := members["signatures"]; ok {
		m.Form = General
		for _, name := range []string{"protected", "header", "signature"} {
			if members[name] != nil {
				return nil, malformed("both \"signatures\" and %q are there", name)
			}
		}
		if list, err = objects(several); err != nil {
			return nil, err
		}
	}
	for _, one := range list {
		s, err := signatureOf(one)
		if err != nil {
			return nil, err
		}
		m.Signatures = append(m.Signatures, s)
	}
	m.Unencoded = m.Signatures[0].unencoded
	for _, s := range m.Signatures {
		if s.unencoded != m.Unencoded { // RFC 7797 §3
			return nil, malformed("signatures of one message disagree on b64")
		}
	}
	payload, present, err := text("the message", members, "payload")
	if err != nil {
		return nil, err
	}
	if m.Detached = !present; m.Detached {
		return m, nil
	}
	return m, m.take([]byte(payload))
}

// objects reads the array "signatures".
func objects(raw json.RawMessage) ([]map[string]json.RawMessage, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 || len(list) > MaxSignatures {
		return nil, malformed("\"signatures\" is an array of 1 to %d signatures", MaxSignatures)
	}
	all := make([]map[string]json.RawMessage, len(list))
	for i, one := range list {
		var err error
		if all[i], err = object("a signature", one); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// signatureOf reads the members of one signature of a JSON form.
func signatureOf(members map[string]json.RawMessage) (*Signature, error) {
	value, present, err := text("a signature", members, "signature")
	if err != nil {
		return nil, err
	}
	if !present {
		return nil, malformed("a signature has no \"signature\"")
	}
	protected, _, err := text("a signature", members, "protected")
	if err != nil {
		return nil, err
	}
	var header map[string]json.RawMessage
	if raw, ok := members["header"]; ok {
		if header, err = object("an unprotected header", raw); err != nil {
			return nil, err
		}
	}
	return newSignature(protected, header, []byte(value))
}

// Detach gives a message without its payload (RFC 7515 appendix F); what is detached already comes back
// as it is, or with its JSON written anew. The errors are those of Parse.
func Detach(raw []byte) ([]byte, error) {
	raw = bytes.TrimSpace(raw)
	m, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	if m.Form == Compact {
		first, last := bytes.IndexByte(raw, '.'), bytes.LastIndexByte(raw, '.')
		return append(bytes.Clone(raw[:first+1]), raw[last:]...), nil
	}
	members, err := object("the message", raw)
	if err != nil {
		return nil, err
	}
	delete(members, "payload")
	return json.Marshal(members)
}
