package pdf

// trailer compares trailers and goes on to what they lead to.
func (c *comparer) trailer() error {
	old, new := c.old.Trailer(), c.new.Trailer()
	if !equal(old.Get("Info"), new.Get("Info")) || c.differsAt(new.Get("Info")) {
		c.note(0, LevelEvidence, "the document information was changed")
		c.explain(old.Get("Info"), 0, "Info")
	}
	return c.catalog()
}

// differsAt tells whether o refers to an object that was changed.
func (c *comparer) differsAt(o Object) bool {
	ref, ok := o.(Ref)
	return ok && c.changed[ref.Num] != nil
}

// catalog compares the catalogs key by key. One of another number may have taken the old one's place.
func (c *comparer) catalog() error {
	old, ref, err := c.old.Catalog()
	if err != nil {
		return err
	}
	new, _, err := c.new.Catalog()
	if err != nil {
		return err
	}
	if old.dup || new.dup {
		c.forbid(ref.Num, "the catalog has a key twice")
		return nil
	}
	num := ref.Num
	c.explainAnywhere(num)
	for _, key := range keys(old, new) {
		o, n := old.Get(key), new.Get(key)
		switch key {
		case "AcroForm":
			err = c.form(num, o, n)
		case "DSS":
			err = c.evidence(num, o, n)
		case "Metadata", "Extensions", "Version", "MarkInfo":
			err = c.about(num, key, o, n)
		case "StructTreeRoot":
			err = c.structure(num, o, n)
		default:
			if !c.same(o, n) {
				c.forbid(num, "/%s of the catalog was changed", key)
			}
		}
		if err != nil {
			return err
		}
	}
	return c.pages()
}

// about allows other words about the document. Metadata is a stream of XML.
func (c *comparer) about(from int, key Name, o, n Object) error {
	if equal(o, n) && !c.differsAt(n) {
		return nil
	}
	v, err := c.new.Resolve(n)
	if err != nil {
		return err
	}
	st, ok := v.(*Stream)
	if key == "Metadata" && v != nil && (!ok || st.Dict.Get("Type") != Name("Metadata") || st.Dict.Get("Subtype") != Name("XML")) {
		c.forbid(from, "/Metadata of the catalog was changed to something else")
	}
	if key == "Extensions" && !c.extended(o, v) {
		c.forbid(from, "/Extensions of the catalog names less than before")
	}
	c.note(from, LevelEvidence, "/%s of the catalog was changed", key)
	c.explain(o, from, key)
	return nil
}

// extended tells whether the developer extensions (§7.12) are those that were there or more.
func (c *comparer) extended(o, now Object) bool {
	old, err := c.old.Dict(o)
	if err != nil {
		return false
	}
	new, ok := now.(*Dict)
	if old == nil || !ok {
		return old == nil
	}
	for _, e := range old.Entries {
		was, ok1 := e.Value.(*Dict)
		is, ok2 := new.Get(e.Key).(*Dict)
		if !ok1 || !ok2 {
			if !equal(e.Value, new.Get(e.Key)) {
				return false
			}
			continue
		}
		base, _ := was.Get("BaseVersion").(Name)
		baseNow, _ := is.Get("BaseVersion").(Name)
		level, _ := was.Get("ExtensionLevel").(int64)
		levelNow, _ := is.Get("ExtensionLevel").(int64)
		if baseNow < base || baseNow == base && levelNow < level {
			return false
		}
	}
	return true
}

// maxEvidence is how many objects of a DSS are followed.
const maxEvidence = 1 << 13

// evidence allows everything about the DSS (EN 319 142-1 §5.4): what it holds is no part of what is shown.
func (c *comparer) evidence(from int, old, new Object) error {
	if old != nil && new == nil {
		c.forbid(from, "the evidence of validation was removed")
	}
	if !equal(old, new) || c.differsAt(new) {
		c.note(from, LevelEvidence, "evidence of validation was added")
	}
	if _, err := c.new.Dict(new); err != nil {
		return err
	}
	return c.explainTree(old, from, "DSS", maxEvidence)
}

// explainTree explains all objects below a reference of the old view, and the references inside.
// What lies between the reference and a changed object is watched: it must not serve elsewhere either.
func (c *comparer) explainTree(o Object, from int, key Name, limit int) error {
	seen := map[int]bool{}
	above := map[int][]int{}
	var todo, touched []int
	add := func(from int) func(Name, Ref) {
		return func(k Name, r Ref) {
			if from >= 0 && backward[k] {
				return
			}
			c.explain(r, max(from, 0), k)
			above[r.Num] = append(above[r.Num], from)
			if !seen[r.Num] && len(seen) < limit {
				seen[r.Num] = true
				todo = append(todo, r.Num)
			}
		}
	}
	references(o, key, func(k Name, r Ref) {
		c.allowed[edge{from, k, r.Num}] = true
		add(-1)(k, r)
	})
	for len(todo) > 0 {
		num := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if c.changed[num] != nil {
			touched = append(touched, num)
		}
		inner, err := c.old.at(num)
		if err != nil {
			return err
		}
		references(inner, "", add(num))
	}
	for len(touched) > 0 {
		num := touched[len(touched)-1]
		touched = touched[:len(touched)-1]
		for _, up := range above[num] {
			if up >= 0 && !c.watched[up] {
				c.watched[up] = true
				touched = append(touched, up)
			}
		}
	}
	return nil
}

// pages compares the pages: their list, and of each page all but its annotations.
func (c *comparer) pages() error {
	old, err := c.old.Pages()
	if err != nil {
		return err
	}
	for _, p := range old {
		o, n := p.Dict, (*Dict)(nil)
		if n, err = c.new.Dict(p.Ref); err != nil {
			return err
		}
		if n == nil || o.dup || n.dup {
			c.forbid(p.Ref.Num, "a page was removed or has a key twice")
			continue
		}
		for _, key := range keys(o, n) {
			v, w := o.Get(key), n.Get(key)
			switch {
			case key == "Annots", c.same(v, w):
			case v == nil && (key == "StructParents" || key == "Tabs" && w == Object(Name("S"))): // for screen readers
				c.note(p.Ref.Num, LevelEvidence, "/%s of a page was added", key)
			case key == "Tabs":
				c.note(p.Ref.Num, LevelAnnotate, "the order of annotations on a page was changed")
			default:
				c.forbid(p.Ref.Num, "/%s of a page was changed", key)
			}
		}
		if err := c.annotations(p, n.Get("Annots")); err != nil {
			return err
		}
		c.explainAnywhere(p.Ref.Num)
	}
	for num, s := range c.seen {
		if s.added && !s.met {
			c.forbid(num, "the signature field %.80q was added and stands on no page", s.name)
		}
	}
	return nil
}

// annotations compares a page's list: what was there stays in its order, what came is known.
func (c *comparer) annotations(p Page, n Object) error {
	o, page := p.Dict.Get("Annots"), p.Ref.Num
	if equal(o, n) && !c.differsAt(n) && len(c.seen) == 0 {
		return nil
	}
	old, err := c.old.Array(o)
	if err != nil {
		return err
	}
	new, err := c.new.Array(n)
	if err != nil {
		return err
	}
	c.explain(o, page, "Annots")
	i := 0
	for _, a := range new {
		ref, ok := a.(Ref)
		if s := c.seen[ref.Num]; ok && s != nil {
			c.stands(p, ref, s)
		}
		if i < len(old) && equal(old[i], a) {
			i++
			continue
		}
		if !ok || !c.fresh[ref.Num] && !c.note3(ref) {
			c.forbid(page, "an annotation was added to a page or moved in its list")
		}
	}
	if i < len(old) {
		c.forbid(page, "an annotation was taken from a page or moved in its list")
	}
	return nil
}

// note3 tells whether ref is a new annotation that may be made where annotations are allowed.
func (c *comparer) note3(ref Ref) bool {
	diff := c.changed[ref.Num]
	if diff == nil || diff.old != nil || diff.err != nil {
		return false
	}
	dict, ok := diff.new.(*Dict)
	if !ok || dict.dup || dict.Has("A") || dict.Has("AA") || dict.Has("OC") || dict.Has("AP") {
		return false
	}
	switch dict.Get("Subtype") {
	case Name("Text"), Name("Popup"), Name("Highlight"), Name("Underline"), Name("Squiggly"), Name("StrikeOut"):
		c.note(ref.Num, LevelAnnotate, "a note or a marking was added")
		return true
	}
	return false
}
