package pdf

// maxStructure is how many objects of a structure tree are followed.
const maxStructure = 1 << 15

// structure compares the structure trees (§14.7). They are not shown; what they say to a screen reader
// must stay. Elements of new signature fields may be added.
func (c *comparer) structure(from int, o, n Object) error {
	old, err := c.old.Dict(o)
	if err != nil {
		return err
	}
	new, err := c.new.Dict(n)
	if err != nil {
		return err
	}
	if equal(o, n) && !c.structureDiffers(o) {
		return nil
	}
	if old != nil && new == nil || old != nil && old.dup || new != nil && new.dup {
		c.forbid(from, "the structure tree was removed or has a key twice")
		return nil
	}
	c.note(from, LevelEvidence, "the structure tree was added to")
	if !c.grows(old, new) {
		c.forbid(from, "the structure tree was changed")
	}
	return c.eachStructure(o, from, func(num int) {
		diff := c.changed[num]
		if diff != nil && (diff.err != nil || !c.growsObject(diff.old, diff.new)) {
			c.forbid(num, "%s of the structure tree was changed", describe(diff.old))
		}
	})
}

// structureDiffers tells whether anything in the old structure tree was changed.
func (c *comparer) structureDiffers(o Object) bool {
	differs := false
	err := c.eachStructure(o, -1, func(num int) { differs = differs || c.changed[num] != nil })
	return differs || err != nil
}

// inside are the keys that lead on inside a structure tree.
var inside = map[Name]bool{"": true, "StructTreeRoot": true, "K": true, "ParentTree": true, "Kids": true, "Nums": true}

// eachStructure calls f for every object of the old structure tree; with from not negative it also
// explains the references on the way.
func (c *comparer) eachStructure(o Object, from int, f func(num int)) error {
	seen := map[int]bool{}
	var todo []int
	add := func(from int) func(Name, Ref) {
		return func(k Name, r Ref) {
			if !inside[k] {
				return
			}
			if from >= 0 {
				c.explain(r, from, k)
			}
			if !seen[r.Num] {
				seen[r.Num] = true
				todo = append(todo, r.Num)
			}
		}
	}
	references(o, "StructTreeRoot", add(from))
	for len(todo) > 0 {
		num := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if len(seen) > maxStructure {
			return malformed(0, "the structure tree is too large to be compared")
		}
		f(num)
		inner, err := c.old.at(num)
		if err != nil {
			return err
		}
		up := num
		if from < 0 {
			up = -1
		}
		references(inner, "", add(up))
	}
	return nil
}

// growsObject tells whether an object of the tree only got more.
func (c *comparer) growsObject(was, is Object) bool {
	switch was := was.(type) {
	case *Dict:
		now, ok := is.(*Dict)
		return ok && c.grows(was, now)
	case Array:
		now, ok := is.(Array)
		return ok && c.more(was, now)
	}
	return equal(was, is)
}

// grows tells whether a dictionary of the tree only got more kids.
func (c *comparer) grows(was, is *Dict) bool {
	if was != nil && was.dup || is != nil && is.dup {
		return false
	}
	for _, key := range keys(was, is) {
		o, n := was.Get(key), is.Get(key)
		switch key {
		case "K":
			if !c.more(listOf(o), listOf(n)) {
				return false
			}
		case "Nums", "Kids":
			old, ok1 := o.(Array)
			new, ok2 := n.(Array)
			if o != nil && !ok1 || !ok2 || !c.more(old, new) {
				return false
			}
		case "ParentTreeNextKey", "Limits":
		case "ParentTree":
			if o != nil && !c.sameTree(o, n) {
				return false
			}
		default:
			if !equal(o, n) && (was != nil || key != "Type") && !(o == nil && emptyDict(n)) {
				return false
			}
		}
	}
	return true
}

func emptyDict(o Object) bool {
	dict, ok := o.(*Dict)
	return ok && len(dict.Entries) == 0
}

// sameTree allows a parent tree to grow, in its place or written anew.
func (c *comparer) sameTree(o, n Object) bool {
	if equal(o, n) {
		return true
	}
	was, err := c.old.Dict(o)
	if err != nil || was == nil {
		return false
	}
	is, err := c.new.Dict(n)
	if err != nil || is == nil {
		return false
	}
	if c.grows(was, is) {
		return true
	}
	old, ok1 := pairs(was)
	new, ok2 := pairs(is)
	if !ok1 || !ok2 {
		return false
	}
	for key, v := range new {
		if w, had := old[key]; had {
			if !c.same(w, v) {
				return false
			}
			delete(old, key)
		} else if ref, ok := v.(Ref); !ok || !c.formElement(ref, 0) {
			return false
		}
	}
	return len(old) == 0
}

// pairs reads a number tree of one node.
func pairs(dict *Dict) (map[int64]Object, bool) {
	nums, ok := dict.Get("Nums").(Array)
	if !ok || len(nums)%2 != 0 || dict.dup || dict.Has("Kids") {
		return nil, false
	}
	all := make(map[int64]Object, len(nums)/2)
	for i := 0; i < len(nums); i += 2 {
		key, ok := nums[i].(int64)
		if _, twice := all[key]; !ok || twice {
			return nil, false
		}
		all[key] = nums[i+1]
	}
	return all, true
}

// listOf makes a list of what may be written as one object.
func listOf(o Object) Array {
	switch o := o.(type) {
	case nil:
		return nil
	case Array:
		return o
	}
	return Array{o}
}

// more tells whether a list has all that was in it, in order, and beyond that only numbers and
// references to new elements of form fields.
func (c *comparer) more(was, is Array) bool {
	i := 0
	for _, o := range is {
		if i < len(was) && equal(was[i], o) {
			i++
			continue
		}
		ref, ok := o.(Ref)
		if _, number := o.(int64); !ok && !number || ok && !c.formElement(ref, 0) {
			return false
		}
	}
	return i == len(was)
}

// formElement tells whether ref is a new structure element of a form field, or one that holds such.
func (c *comparer) formElement(ref Ref, depth int) bool {
	dict := c.added(ref)
	if dict == nil || depth > 4 {
		return false
	}
	for _, e := range dict.Entries {
		switch e.Key {
		case "Type", "P", "Pg", "K", "ID", "Lang", "NS":
		case "S":
			if e.Value != Name("Form") && e.Value != Name("Document") {
				return false
			}
		default:
			return false
		}
	}
	for _, kid := range listOf(dict.Get("K")) {
		if inner, ok := kid.(Ref); ok && c.formElement(inner, depth+1) {
			continue
		}
		if o, ok := kid.(*Dict); !ok || o.Get("Type") != Name("OBJR") {
			return false
		}
	}
	return true
}
