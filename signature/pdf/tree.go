package pdf

import "github.com/jitsuin/jitsuin"

// Bounds of the trees.
const (
	maxPages  = 1 << 16
	maxFields = 1 << 14
)

// Catalog gives the catalog and the reference to it.
func (v View) Catalog() (*Dict, Ref, error) {
	ref, ok := v.Trailer().Get("Root").(Ref)
	if !ok {
		return nil, ref, malformed(v.top().at, "a trailer has no /Root that refers to an object")
	}
	c, err := v.Dict(ref)
	if err == nil && c == nil {
		err = malformed(v.top().at, "the catalog is missing")
	}
	return c, ref, err
}

// AcroForm gives the catalog's form, nil where there is none, and the reference to it, which is
// zero where it is written in the catalog itself.
func (v View) AcroForm() (*Dict, Ref, error) {
	c, _, err := v.Catalog()
	if err != nil {
		return nil, Ref{}, err
	}
	ref, _ := c.Get("AcroForm").(Ref)
	form, err := v.Dict(c.Get("AcroForm"))
	return form, ref, err
}

// Page is a leaf of the page tree.
type Page struct {
	Ref  Ref
	Dict *Dict
}

// Pages lists the pages in order.
func (v View) Pages() ([]Page, error) {
	c, _, err := v.Catalog()
	if err != nil {
		return nil, err
	}
	w := pageWalk{v: v, seen: map[int]bool{}}
	err = w.node(c.Get("Pages"), 0)
	return w.pages, err
}

type pageWalk struct {
	v     View
	seen  map[int]bool
	pages []Page
}

func (w *pageWalk) node(o Object, depth int) error {
	ref, ok := o.(Ref)
	if !ok {
		return malformed(0, "a node of the page tree is no reference")
	}
	if w.seen[ref.Num] || depth > maxDepth {
		return malformed(0, "the page tree has object %d twice or is too deep", ref.Num)
	}
	w.seen[ref.Num] = true
	dict, err := w.v.Dict(ref)
	if err != nil {
		return err
	}
	if dict == nil {
		return malformed(0, "page object %d is missing", ref.Num)
	}
	if !dict.Has("Kids") {
		if len(w.pages) == maxPages {
			return jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "more than %d pages", maxPages)
		}
		w.pages = append(w.pages, Page{ref, dict})
		return nil
	}
	kids, err := w.v.Array(dict.Get("Kids"))
	if err != nil {
		return err
	}
	for _, kid := range kids {
		if err := w.node(kid, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Field is a terminal field of the form with what it inherits.
type Field struct {
	Ref     Ref     // zero for a field that is written inside another object
	Dict    *Dict   // the field itself
	Name    string  // fully qualified, parts joined by full stops (§12.7.4.2)
	Type    Name    // /FT: Sig, Tx, Btn or Ch
	Flags   int     // /Ff
	Value   Object  // /V as written
	Widgets []Field // kids that are only appearances; empty where the field is its own widget
}

// Fields lists the form's terminal fields in order; none where there is no form.
func (v View) Fields() ([]Field, error) {
	form, _, err := v.AcroForm()
	if err != nil || form == nil {
		return nil, err
	}
	fields, err := v.Array(form.Get("Fields"))
	if err != nil {
		return nil, err
	}
	w := fieldWalk{v: v}
	if len(fields) > 8 {
		w.seen = make(map[int]bool, len(fields))
	} else {
		w.seen = map[int]bool{}
	}
	for _, f := range fields {
		if err := w.node(f, Field{}, 0); err != nil {
			return nil, err
		}
	}
	return w.fields, nil
}

type fieldWalk struct {
	v      View
	seen   map[int]bool
	fields []Field
	nodes  int
}

func (w *fieldWalk) node(o Object, parent Field, depth int) error {
	f, err := w.enter(o, parent, depth)
	if err != nil || f.Dict == nil {
		return err
	}
	kids, err := w.v.Array(f.Dict.Get("Kids"))
	if err != nil {
		return err
	}
	terminal := true
	for _, kid := range kids {
		dict, err := w.v.Dict(kid)
		switch {
		case err != nil:
			return err
		case dict == nil:
		case dict.Has("T"):
			terminal = false
			if err := w.node(kid, f, depth+1); err != nil {
				return err
			}
		default:
			widget, err := w.enter(kid, f, depth+1)
			if err != nil {
				return err
			}
			f.Widgets = append(f.Widgets, widget)
		}
	}
	if terminal || len(f.Widgets) > 0 {
		w.fields = append(w.fields, f)
	}
	return nil
}

// enter reads one node with what it inherits. Nothing may be reached twice.
func (w *fieldWalk) enter(o Object, parent Field, depth int) (Field, error) {
	f := Field{Name: parent.Name, Type: parent.Type, Flags: parent.Flags, Value: parent.Value}
	if ref, ok := o.(Ref); ok {
		if w.seen[ref.Num] {
			return f, malformed(0, "the form has object %d twice", ref.Num)
		}
		w.seen[ref.Num] = true
		f.Ref = ref
	}
	if w.nodes++; depth > maxDepth || w.nodes > maxFields {
		return f, jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "the form is deeper than %d or has more than %d fields", maxDepth, maxFields)
	}
	var err error
	if f.Dict, err = w.v.Dict(o); err != nil || f.Dict == nil {
		return f, err
	}
	if key, twice := f.Dict.Duplicate(); twice {
		return f, malformed(f.Dict.At, "a field has /%s twice", key)
	}
	if name, ok := f.Dict.Get("T").(String); ok {
		if f.Name != "" {
			f.Name += "."
		}
		f.Name += name.Text()
	}
	if t, ok := f.Dict.Get("FT").(Name); ok {
		f.Type = t
	}
	if n, ok := f.Dict.Get("Ff").(int64); ok {
		f.Flags = int(n)
	}
	if f.Dict.Has("V") {
		f.Value = f.Dict.Get("V")
	}
	return f, nil
}
