package pdf

import "github.com/jitsuin/jitsuin"

// Decode undoes a stream's filters. Only FlateDecode, with or without a predictor, is provided.
func (v View) Decode(st *Stream) ([]byte, error) { return v.doc.decode(st, &v) }

func (d *Document) decode(st *Stream, v *View) ([]byte, error) {
	filters, parms, err := chainOf(st.Dict, v)
	if err != nil {
		return nil, err
	}
	data := st.Raw
	for i, f := range filters {
		if f != "FlateDecode" && f != "Fl" {
			return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-filter", "the filter %q is not provided", f)
		}
		data, err = inflate(data, min(maxDecoded, maxDecodedAll-d.decoded))
		if err != nil {
			return nil, err
		}
		d.decoded += len(data)
		if data, err = parms[i].undo(data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// maxFilters is how many filters a stream may have: each further one multiplies.
const maxFilters = 2

// chainOf reads /Filter and /DecodeParms.
func chainOf(dict *Dict, v *View) ([]Name, []predictor, error) {
	get := func(o Object) (Object, error) {
		if v == nil {
			return o, nil
		}
		return v.Resolve(o)
	}
	filter, err := get(dict.Get("Filter"))
	if err != nil {
		return nil, nil, err
	}
	parm, err := get(dict.Get("DecodeParms"))
	if err != nil {
		return nil, nil, err
	}
	filters, ok := filter.(Array)
	if !ok && filter != nil {
		filters = Array{filter}
	}
	parms, ok := parm.(Array)
	if !ok && parm != nil {
		parms = Array{parm}
	}
	if len(filters) > maxFilters || len(parms) > len(filters) {
		return nil, nil, malformed(dict.At, "a stream has too many filters or parameters")
	}
	names, predictors := make([]Name, len(filters)), make([]predictor, len(filters))
	for i := range filters {
		o, err := get(filters[i])
		if err != nil {
			return nil, nil, err
		}
		if names[i], ok = o.(Name); !ok {
			return nil, nil, malformed(dict.At, "a stream's filter is no name")
		}
		if i < len(parms) {
			if o, err = get(parms[i]); err != nil {
				return nil, nil, err
			}
			predictors[i] = predictorOf(o)
		}
	}
	return names, predictors, nil
}

// predictorOf reads the parameters of FlateDecode.
func predictorOf(o Object) predictor {
	p := predictor{1, 1, 8, 1}
	dict, ok := o.(*Dict)
	if !ok {
		return p
	}
	for _, one := range []struct {
		key Name
		to  *int
	}{{"Predictor", &p.kind}, {"Colors", &p.colors}, {"BitsPerComponent", &p.bits}, {"Columns", &p.columns}} {
		if n, ok := dict.Get(one.key).(int64); ok {
			*one.to = int(min(max(n, 0), maxColumns+1))
		}
	}
	return p
}

// objectStream is a decoded object stream (§7.5.7).
type objectStream struct {
	data  []byte
	pairs []int // object number and place, by turns
}

// loadPacked takes an object out of its object stream.
func (d *Document) loadPacked(s *section, l location, num int, v View) (Object, int, error) {
	holder, where, ok, err := v.where(l.a)
	if err != nil {
		return nil, 0, err
	}
	if !ok || where.kind != plain {
		return nil, 0, malformed(s.at, "object %d lies in an object stream that does not exist", num)
	}
	k := key{holder, l.a}
	os := d.unpacked[k]
	if os == nil {
		if os, err = d.unpack(holder, where, l.a, v); err != nil {
			return nil, 0, err
		}
		if d.unpacked == nil || d.unpackedBytes+len(os.data) > maxUnpacked {
			d.unpacked, d.unpackedBytes = map[key]*objectStream{}, 0
		}
		d.unpacked[k] = os
		d.unpackedBytes += len(os.data) + 8*len(os.pairs)
	}
	if l.b < 0 || 2*l.b >= len(os.pairs) || os.pairs[2*l.b] != num {
		return nil, 0, malformed(where.a, "object %d is not where the cross-reference says in object stream %d", num, l.a)
	}
	start, stop := os.pairs[2*l.b+1], len(os.data)
	if 2*l.b+3 < len(os.pairs) {
		stop = os.pairs[2*l.b+3]
	}
	p := &parser{buf: os.data[:stop], pos: start}
	o, err := p.object()
	if d.work += p.pos - start; d.work > maxWork {
		return nil, 0, jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "the file makes us read more than %d bytes of objects", maxWork)
	}
	if _, isRef := o.(Ref); err == nil && isRef {
		return nil, 0, malformed(where.a, "object %d is itself a reference", num)
	}
	return o, p.elements, err
}

// maxPacked is how many objects an object stream may hold.
const maxPacked = 1 << 17

// unpack decodes an object stream and reads its table.
func (d *Document) unpack(s *section, l location, num int, v View) (*objectStream, error) {
	o, _, err := d.load(s, l, num)
	if err != nil {
		return nil, err
	}
	st, ok := o.(*Stream)
	if !ok || st.Dict.Get("Type") != Name("ObjStm") {
		return nil, malformed(l.a, "object %d is no object stream", num)
	}
	n, ok1 := st.Dict.Get("N").(int64)
	first, ok2 := st.Dict.Get("First").(int64)
	data, err := d.decode(st, &v)
	if err != nil {
		return nil, err
	}
	if !ok1 || !ok2 || n < 0 || n > maxPacked || first < 0 || int(first) > len(data) || n > first {
		return nil, malformed(l.a, "object stream %d has no /N and /First that fit", num)
	}
	os := &objectStream{data: data, pairs: make([]int, 0, 2*n)}
	p := &parser{buf: data[:first]}
	for i := range int(n) {
		number, ok1 := p.integer()
		place, ok2 := p.integer()
		if !ok1 || !ok2 || place > len(data)-int(first) || i > 0 && place+int(first) < os.pairs[2*i-1] {
			return nil, malformed(l.a, "the table of object stream %d is broken", num)
		}
		os.pairs = append(os.pairs, number, place+int(first))
	}
	return os, nil
}
