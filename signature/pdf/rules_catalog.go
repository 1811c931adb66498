package pdf

// trailer compares trailers and goes on to what they lead to.
func (c *comparer) trailer() error {
	old, new := c.old.Trailer(), c.new.Trailer()
	root, ok := new.Get("Root").(Ref)
	if !ok || old.Get("Root") != Object(root) {
		c.forbid(0, "the trailer has another /Root")
		return nil
	}
	if !equal(old.Get("Info"), new.Get("Info")) || c.differsAt(new.Get("Info")) {
		c.note(0, LevelEvidence, "the document information was changed")
		c.explain(old.Get("Info"), 0, "Info")
	}
	return c.catalog(root.Num)
}

// differsAt tells whether o refers to an object that was changed.
func (c *comparer) differsAt(o Object) bool {
	ref, ok := o.(Ref)
	return ok && c.changed[ref.Num] != nil
}

// catalog compares the catalogs key by key.
func (c *comparer) catalog(num int) error {
	old, _, err := c.old.Catalog()
	if err != nil {
		return err
	}
	new, _, err := c.new.Catalog()
	if err != nil {
		return err
	}
	if old.dup || new.dup {
		c.forbid(num, "the catalog has a key twice")
		return nil
	}
	c.explainAnywhere(num)
	for _, key := range keys(old, new) {
		o, n := old.Get(key), new.Get(key)
		switch key {
		case "AcroForm":
			err = c.form(num, o, n)
		case "DSS":
			err = c.evidence(num, o, n)
		case "Metadata", "Extensions", "Version", "MarkInfo":
			if !equal(o, n) || c.differsAt(n) {
				c.note(num, LevelEvidence, "/%s of the catalog was changed", key)
				c.explain(o, num, key)
			}
		case "StructTreeRoot":
			err = c.structure(num, o, n)
		default:
			if !equal(o, n) {
				c.forbid(num, "/%s of the catalog was changed", key)
			}
		}
		if err != nil {
			return err
		}
	}
	return c.pages()
}

// maxEvidence is how many objects of a DSS are followed.
const maxEvidence = 1 << 13

// evidence allows everything about the DSS (EN 319 142-1 §5.4): what it holds is no part of what is shown.
func (c *comparer) evidence(from int, old, new Object) error {
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
			if key != "Annots" && !equal(o.Get(key), n.Get(key)) {
				c.forbid(p.Ref.Num, "/%s of a page was changed", key)
			}
		}
		if err := c.annotations(p.Ref.Num, o.Get("Annots"), n.Get("Annots")); err != nil {
			return err
		}
		c.explainAnywhere(p.Ref.Num)
	}
	return nil
}

// annotations compares a page's list: what was there stays in its order, what came is known.
func (c *comparer) annotations(page int, o, n Object) error {
	if equal(o, n) && !c.differsAt(n) {
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
		if i < len(old) && equal(old[i], a) {
			i++
			continue
		}
		ref, ok := a.(Ref)
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

// structure compares the structure trees.
func (c *comparer) structure(from int, o, n Object) error {
	if !equal(o, n) {
		c.forbid(from, "/StructTreeRoot of the catalog was changed")
	}
	return nil
}
