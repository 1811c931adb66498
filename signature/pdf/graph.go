package pdf

// references calls f for every reference inside a direct object, with the key under which it stands.
func references(o Object, key Name, f func(Name, Ref)) {
	switch o := o.(type) {
	case Ref:
		f(key, o)
	case Array:
		for _, e := range o {
			references(e, key, f)
		}
	case *Dict:
		for _, e := range o.Entries {
			references(e.Value, e.Key, f)
		}
	case *Stream:
		references(o.Dict, "", f)
	}
}

// graph is what a walk over all objects of the old view found out about the changed ones.
type graph struct {
	edges   map[int][]edge // by the changed object that they lead to
	reached map[int]bool
	err     error // an object could not be read: the graph is not whole
}

// maxEdges is how many references to one changed object are kept; more are refused.
const maxEdges = 1 << 12

// walk follows every reference of the old view from the trailer on.
func (c *comparer) walk() *graph {
	g := &graph{edges: map[int][]edge{}, reached: map[int]bool{}}
	var todo []Ref
	follow := func(from int) func(Name, Ref) {
		return func(key Name, ref Ref) {
			if c.changed[ref.Num] != nil || c.watched[ref.Num] {
				if e := g.edges[ref.Num]; len(e) < maxEdges {
					g.edges[ref.Num] = append(e, edge{from, key, ref.Num})
				}
			}
			if !g.reached[ref.Num] {
				g.reached[ref.Num] = true
				todo = append(todo, ref)
			}
		}
	}
	for _, e := range c.old.Trailer().Entries {
		references(e.Value, e.Key, func(key Name, ref Ref) {
			// What other entries lead to and the revision lacks is nothing that readers look for.
			if diff := c.changed[ref.Num]; e.Key == "Root" || e.Key == "Info" || diff == nil || diff.old != nil {
				follow(0)(key, ref)
			}
		})
	}
	for len(todo) > 0 {
		ref := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		o, err := c.old.Object(ref)
		if err != nil {
			if g.err == nil {
				g.err = err
			}
			continue
		}
		references(o, "", follow(ref.Num))
	}
	return g
}

// conclude forbids every change that no rule has allowed: of objects that the signed revision
// reaches, of objects that hold others, and of those that are reached in other ways than the rules followed.
func (c *comparer) conclude() error {
	if len(c.changed) == 0 || c.s.Level == LevelOther {
		return nil
	}
	g := c.walk()
	if g.err != nil {
		c.forbid(0, "the signed revision cannot be read whole: %v", g.err)
		return nil
	}
	for num := range c.watched {
		c.edges(num, g.edges[num])
	}
	for num, diff := range c.changed {
		switch {
		case container(diff.old):
			c.forbid(num, "a stream that holds objects of the signed revision was replaced")
		case !g.reached[num]:
			// Nothing of the signed revision leads there: garbage, or new and reached by rules only.
		case diff.err != nil:
			c.forbid(num, "an object that cannot be read was put in: %v", diff.err)
		case !diff.known && diff.new == nil:
			c.forbid(num, "%s was removed", describe(diff.old))
		case !diff.known && diff.old == nil:
			c.forbid(num, "an object that the signed revision refers to and lacks was added")
		case !diff.known:
			c.forbid(num, "%s was changed", describe(diff.old))
		case !diff.anyEdge:
			c.edges(num, g.edges[num])
		}
	}
	return nil
}

// backward are the keys by which structures point back at fields and widgets.
var backward = map[Name]bool{"Parent": true, "P": true, "Obj": true, "Popup": true, "IRT": true, "Dest": true, "D": true, "SE": true, "SD": true, "Pg": true}

// edges refuses a change of an object that also serves elsewhere.
func (c *comparer) edges(num int, all []edge) {
	if len(all) == maxEdges {
		c.forbid(num, "too many references to a changed object")
		return
	}
	for _, e := range all {
		if !c.allowed[e] && !backward[e.key] {
			c.forbid(num, "an object was changed that also serves as /%s of object %d", e.key, e.from)
			return
		}
	}
}

// describe names an object for people.
func describe(o Object) string {
	dict, kind := (*Dict)(nil), "an object"
	switch o := o.(type) {
	case *Stream:
		dict, kind = o.Dict, "a stream"
	case *Dict:
		dict, kind = o, "a dictionary"
	case Array:
		return "an array"
	case nil:
		return "nothing"
	}
	for _, key := range []Name{"Type", "Subtype", "FT"} {
		if n, ok := dict.Get(key).(Name); ok && len(n) < 40 {
			kind += " /" + string(n)
		}
	}
	return kind
}
