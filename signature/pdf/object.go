package pdf

import "slices"

// Object is one of nil (null), bool, int64, float64, String, Name, Array, *Dict, Ref or *Stream.
type Object any

// Name is a name without its solidus, with #xx already decoded (ISO 32000-2 §7.3.5).
type Name string

// Array is an array of direct objects and references.
type Array []Object

// Ref is an indirect reference.
type Ref struct{ Num, Gen int }

// Entry is one key of a dictionary with its value.
type Entry struct {
	Key   Name
	Value Object
}

// Dict is a dictionary as written: in its order, with the place of its bytes.
type Dict struct {
	Entries []Entry
	At, End int // first byte of << and byte after >>, in the buffer that it was read from

	index map[Name]int // for large dictionaries
	twice Name
	dup   bool
}

// indexFrom is the number of entries from which a dictionary gets an index.
const indexFrom = 24

// Get gives the value of key, nil where it is absent. Of a key that stands twice it gives the first.
func (d *Dict) Get(key Name) Object {
	if d == nil {
		return nil
	}
	if d.index != nil {
		if i, ok := d.index[key]; ok {
			return d.Entries[i].Value
		}
		return nil
	}
	for i := range d.Entries {
		if d.Entries[i].Key == key {
			return d.Entries[i].Value
		}
	}
	return nil
}

// Has tells whether key is present, be its value null.
func (d *Dict) Has(key Name) bool {
	if d == nil {
		return false
	}
	if d.index != nil {
		_, ok := d.index[key]
		return ok
	}
	return slices.ContainsFunc(d.Entries, func(e Entry) bool { return e.Key == key })
}

// Duplicate gives a key that stands twice. Readers differ on which of the two counts, so a
// dictionary that matters must have none.
func (d *Dict) Duplicate() (Name, bool) {
	if d == nil {
		return "", false
	}
	return d.twice, d.dup
}

// finish looks for duplicates and indexes a large dictionary.
func (d *Dict) finish() {
	if len(d.Entries) < indexFrom {
		for i := range d.Entries {
			for j := range i {
				if d.Entries[i].Key == d.Entries[j].Key {
					d.twice, d.dup = d.Entries[i].Key, true
					return
				}
			}
		}
		return
	}
	d.index = make(map[Name]int, len(d.Entries))
	for i, e := range d.Entries {
		if _, ok := d.index[e.Key]; ok {
			d.twice, d.dup = e.Key, true
			continue
		}
		d.index[e.Key] = i
	}
}

// String is a string as written, with its delimiters; Bytes decodes it.
type String struct {
	Raw []byte // from ( to ) or from < to >
	At  int    // place of its first byte in the buffer that it was read from
}

// Hex tells whether s is written in hexadecimal.
func (s String) Hex() bool { return len(s.Raw) > 0 && s.Raw[0] == '<' }

// Bytes decodes s (ISO 32000-2 §7.3.4).
func (s String) Bytes() []byte {
	if len(s.Raw) < 2 {
		return nil
	}
	body := s.Raw[1 : len(s.Raw)-1]
	if s.Hex() {
		return hexBytes(body)
	}
	return literalBytes(body)
}

// hexBytes decodes hexadecimal digits with white space between; a last digit alone counts as x0.
func hexBytes(body []byte) []byte {
	out := make([]byte, 0, (len(body)+1)/2)
	half, have := byte(0), false
	for _, c := range body {
		v := hexValue[c]
		switch {
		case v > 15:
		case have:
			out, have = append(out, half<<4|v), false
		default:
			half, have = v, true
		}
	}
	if have {
		out = append(out, half<<4)
	}
	return out
}

// literalBytes undoes the escapes of a literal string.
func literalBytes(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\r':
			if i+1 < len(body) && body[i+1] == '\n' {
				i++
			}
			out = append(out, '\n')
		case c != '\\':
			out = append(out, c)
		case i+1 < len(body):
			var add []byte
			add, i = escape(body, i+1)
			out = append(out, add...)
		}
	}
	return out
}

// escape decodes what follows a reverse solidus at i and gives the place of its last byte.
func escape(body []byte, i int) ([]byte, int) {
	const from, to = "nrtbf", "\n\r\t\b\f"
	c := body[i]
	if k := slices.Index([]byte(from), c); k >= 0 {
		return []byte{to[k]}, i
	}
	switch {
	case c == '\r':
		if i+1 < len(body) && body[i+1] == '\n' {
			i++
		}
		return nil, i
	case c == '\n':
		return nil, i
	case c < '0' || c > '7':
		return []byte{c}, i
	}
	v := 0
	end := i
	for end < len(body) && end < i+3 && body[end] >= '0' && body[end] <= '7' {
		v = v<<3 | int(body[end]-'0')
		end++
	}
	return []byte{byte(v)}, end - 1
}

// Stream is a stream: its dictionary and its bytes as they stand in the file, filters not undone.
type Stream struct {
	Dict *Dict
	Raw  []byte
	At   int // place of Raw in the file
}
