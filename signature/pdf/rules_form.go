package pdf

// form compares the interactive forms.
func (c *comparer) form(from int, o, n Object) error {
	old, err := c.old.Dict(o)
	if err != nil {
		return err
	}
	new, err := c.new.Dict(n)
	if err != nil {
		return err
	}
	if new == nil && old != nil {
		c.forbid(from, "the form was removed")
		return nil
	}
	if old != nil && old.dup || new != nil && new.dup {
		c.forbid(from, "the form has a key twice")
		return nil
	}
	c.explain(o, from, "AcroForm")
	holder := from
	if ref, ok := o.(Ref); ok {
		holder = ref.Num
	}
	for _, key := range keys(old, new) {
		v, w := old.Get(key), new.Get(key)
		switch key {
		case "Fields":
			err = c.fieldList(holder, key, v, w, parent{})
		case "SigFlags":
		case "DR":
			err = c.resources(holder, v, w)
		case "DA", "Q":
			if v != nil && !equal(v, w) {
				c.forbid(holder, "/%s of the form was changed", key)
			}
		case "NeedAppearances":
			if !equal(v, w) && w != nil && w != Object(false) {
				c.forbid(holder, "/NeedAppearances of the form was changed")
			}
		default:
			if !equal(v, w) {
				c.forbid(holder, "/%s of the form was changed", key)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resources allows additions to the form's default resources, and nothing else about them.
func (c *comparer) resources(from int, o, n Object) error {
	old, err := c.old.Dict(o)
	if err != nil || old == nil {
		return err
	}
	new, err := c.new.Dict(n)
	if err != nil {
		return err
	}
	if old.dup || new == nil || new.dup {
		c.forbid(from, "the resources of the form were removed or have a key twice")
		return nil
	}
	c.explain(o, from, "DR")
	holder := from
	if ref, ok := o.(Ref); ok {
		holder = ref.Num
	}
	for _, e := range old.Entries {
		v, w := e.Value, new.Get(e.Key)
		if equal(v, w) && !c.differsAt(v) || e.Key == "XObject" { // fonts alone make appearances (§12.7.4.3)
			continue
		}
		was, err := c.old.Resolve(v)
		if err != nil {
			return err
		}
		is, err := c.new.Resolve(w)
		if err != nil {
			return err
		}
		if !extends(was, is) {
			c.forbid(holder, "/%s in the resources of the form was changed", e.Key)
		}
		if holder != from {
			c.watched[holder] = true // a page that shares them may use names that it lacked
		}
		c.explain(v, holder, e.Key)
	}
	return nil
}

// extends tells whether a dictionary has all that another has; other objects are to be equal.
func extends(was, is Object) bool {
	old, ok1 := was.(*Dict)
	new, ok2 := is.(*Dict)
	if !ok1 || !ok2 {
		return equal(was, is)
	}
	for _, e := range old.Entries {
		if !equal(e.Value, new.Get(e.Key)) {
			return false
		}
	}
	return !old.dup && !new.dup
}

// parent is what a field inherits, and whether it was signed just now.
type parent struct {
	name  string
	kind  Name
	flags int
	depth int
	ref   Ref
}

// fieldList compares two lists of fields: those that were there stay, in their order; those that came
// are new signature fields.
func (c *comparer) fieldList(from int, key Name, o, n Object, p parent) error {
	old, err := c.old.Array(o)
	if err != nil {
		return err
	}
	new, err := c.new.Array(n)
	if err != nil {
		return err
	}
	if p.depth > maxDepth {
		return malformed(0, "the form is too deep")
	}
	c.explain(o, from, key)
	holder := from
	if ref, ok := o.(Ref); ok {
		holder, key = ref.Num, ""
	}
	i := 0
	for _, f := range new {
		if i < len(old) && equal(old[i], f) {
			i++
			ref, ok := f.(Ref)
			if !ok {
				continue // written inside, and equal
			}
			c.allowed[edge{holder, key, ref.Num}] = true
			if err := c.field(ref, p); err != nil {
				return err
			}
			continue
		}
		if err := c.newField(f, p); err != nil {
			return err
		}
	}
	if i < len(old) {
		c.forbid(from, "a field was removed from the form or moved in it")
	}
	return nil
}

// field compares a field that was there.
func (c *comparer) field(ref Ref, p parent) error {
	old, err := c.old.Dict(ref)
	if err != nil {
		return err
	}
	new, err := c.new.Dict(ref)
	if err != nil {
		return err
	}
	if old == nil || new == nil || old.dup || new.dup {
		c.forbid(ref.Num, "a field was removed, added under an old number, or has a key twice")
		return nil
	}
	p = p.enter(old, ref)
	kids, err := c.old.Array(old.Get("Kids"))
	if err != nil {
		return err
	}
	kind := fieldChange{c: c, num: ref.Num, name: p.name, kind: p.kind, flags: p.flags}
	kind.begin(old, new)
	if err := kind.compare(old, new, ref.Num); err != nil {
		return err
	}
	c.widgetEdges(ref.Num)
	if !old.Has("Kids") && !new.Has("Kids") {
		return nil
	}
	if c.haveNames(kids) {
		return c.fieldList(ref.Num, "Kids", old.Get("Kids"), new.Get("Kids"), p)
	}
	if !equal(old.Get("Kids"), new.Get("Kids")) || c.differsAt(old.Get("Kids")) {
		c.forbid(ref.Num, "the widgets of a field were changed")
		return nil
	}
	for _, kid := range kids {
		if err := c.widget(kid, kind); err != nil {
			return err
		}
	}
	return nil
}

// enter adds what a field has itself to what it inherits.
func (p parent) enter(dict *Dict, ref Ref) parent {
	if t, ok := dict.Get("T").(String); ok {
		if p.name != "" {
			p.name += "."
		}
		p.name += t.Text()
	}
	if t, ok := dict.Get("FT").(Name); ok {
		p.kind = t
	}
	if n, ok := dict.Get("Ff").(int64); ok {
		p.flags = int(n)
	}
	p.depth++
	p.ref = ref
	return p
}

// haveNames tells whether kids are fields: only fields have /T.
func (c *comparer) haveNames(kids Array) bool {
	for _, kid := range kids {
		if dict, err := c.old.Dict(kid); err == nil && dict.Has("T") {
			return true
		}
	}
	return false
}

// widget compares one widget of a field.
func (c *comparer) widget(kid Object, f fieldChange) error {
	ref, ok := kid.(Ref)
	if !ok {
		return nil // written inside the list, which is equal
	}
	old, err := c.old.Dict(ref)
	if err != nil {
		return err
	}
	new, err := c.new.Dict(ref)
	if err != nil {
		return err
	}
	if old == nil || new == nil || old.dup || new.dup || new.Has("T") {
		c.forbid(ref.Num, "a widget was removed, added under an old number, or has a key twice")
		return nil
	}
	c.widgetEdges(ref.Num)
	return f.compare(old, new, ref.Num)
}

// widgetEdges lets a field or widget be referred to as fields and widgets are. Only entries that
// serve fields alone may differ in it.
func (c *comparer) widgetEdges(num int) {
	diff := c.changed[num]
	if diff == nil {
		return
	}
	diff.known, diff.anyEdge = true, true
}
