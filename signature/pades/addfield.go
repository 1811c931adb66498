package pades

import (
	"bytes"
	"compress/zlib"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// Flags of a form and of a widget.
const (
	sigFlags    = 3   // signatures exist, append only (ISO 32000-2 table 225)
	widgetFlags = 132 // print, locked (table 167)
)

// addField puts the signature into its field: into an empty one, or into a new one on a page. What of catalog, form and
// page must change is written anew, and nothing else.
func (s *source) addField(u *update, f *form, k *kind, value pdf.Ref) error {
	root := s.root
	if k.options.Certify != NotCertified {
		perms, err := s.optional(root.Get("Perms"), "/Perms")
		if err != nil {
			return err
		}
		if perms == nil {
			perms = dict()
		}
		root = with(root, "Perms", with(perms, "DocMDP", value))
	}
	filled, err := f.empty(k.options.Field)
	if err != nil {
		return err
	}
	var ref pdf.Ref
	if filled != nil {
		err = s.fill(u, filled, k, value)
	} else {
		ref, err = s.newField(u, f, k, value)
	}
	if err != nil {
		return err
	}
	root, err = s.writeForm(u, root, f, ref)
	if err != nil {
		return err
	}
	if root != s.root {
		u.put(s.rootRef, root)
	}
	return nil
}

// newField makes a field that is its own widget, and adds it to its page.
func (s *source) newField(u *update, f *form, k *kind, value pdf.Ref) (pdf.Ref, error) {
	name := k.options.Field
	if name == "" {
		name = f.free()
	}
	onPage, at := 1, [4]float64{}
	if k.options.Seal != nil {
		onPage = k.options.Seal.Page
	}
	p, err := s.findPage(onPage)
	if err != nil {
		return pdf.Ref{}, err
	}
	d := dict("Type", pdf.Name("Annot"), "Subtype", pdf.Name("Widget"), "FT", pdf.Name("Sig"), "T", text(name),
		"F", widgetFlags, "P", p.Ref, "V", value)
	if a := k.options.Seal; a != nil {
		if at, err = p.place(a.X, a.Y, a.Side); err != nil {
			return pdf.Ref{}, err
		}
		d = with(d, "AP", dict("N", a.write(u, a.Side, p.rotate)))
	}
	d = with(d, "Rect", rectangle(at))
	if l := k.options.Lock; l != nil {
		d = with(d, "Lock", u.add(withType(l.dictionary(), "SigFieldLock")))
	}
	ref := u.add(d)
	return ref, s.annotate(u, p, ref)
}

func withType(d *pdf.Dict, name pdf.Name) *pdf.Dict {
	return &pdf.Dict{Entries: append([]pdf.Entry{{Key: "Type", Value: name}}, d.Entries...)}
}

// annotate adds a widget to the page's annotations.
func (s *source) annotate(u *update, p *page, widget pdf.Ref) error {
	old := p.Dict.Get("Annots")
	annots, err := s.arrayAt(old, "/Annots")
	if err != nil {
		return err
	}
	longer := append(append(pdf.Array{}, annots...), widget)
	if ref, ok := old.(pdf.Ref); ok && annots != nil {
		u.put(ref, longer)
		return nil
	}
	u.put(p.Ref, with(p.Dict, "Annots", longer))
	return nil
}

// fill puts the signature into an empty field. Its own place stays; what the field demands (seed value, lock) is followed.
func (s *source) fill(u *update, f *pdf.Field, k *kind, value pdf.Ref) error {
	if err := s.mayFill(f, k); err != nil {
		return err
	}
	d := with(f.Dict, "V", value)
	if a := k.options.Seal; a != nil {
		widget, err := widgetOf(f)
		if err != nil {
			return err
		}
		rect, err := s.numbers(widget.Dict.Get("Rect"), 4, "/Rect of the field")
		if err != nil {
			return err
		}
		r := upright(rect)
		side := min(r[2]-r[0], r[3]-r[1])
		if side < minSide {
			return jitsuin.Errorf(jitsuin.Conflict, "pdf-field", "the field %q has no room for a seal", f.Name).At("seal").
				WithHint("sign without a seal, or in a new field")
		}
		appearance := dict("N", a.writeIn(u, r[2]-r[0], r[3]-r[1], side))
		if widget == f {
			d = with(d, "AP", appearance)
		} else {
			u.put(widget.Ref, with(widget.Dict, "AP", appearance))
		}
	}
	u.put(f.Ref, d)
	return nil
}

// widgetOf gives the one widget of a field: the field itself or its one kid.
func widgetOf(f *pdf.Field) (*pdf.Field, error) {
	switch {
	case len(f.Widgets) == 0:
		return f, nil
	case len(f.Widgets) > 1 || f.Widgets[0].Ref == (pdf.Ref{}):
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-field", "the field %q shows in %d places", f.Name, len(f.Widgets)).At("seal")
	}
	return &f.Widgets[0], nil
}

// writeForm brings the form up to date: the new field in its list, and its flags. added is zero where no field is new.
func (s *source) writeForm(u *update, root *pdf.Dict, f *form, added pdf.Ref) (*pdf.Dict, error) {
	d := f.dict
	if d == nil {
		return with(root, "AcroForm", u.add(dict("Fields", pdf.Array{added}, "SigFlags", sigFlags))), nil
	}
	if added != (pdf.Ref{}) {
		old := d.Get("Fields")
		fields, err := s.arrayAt(old, "/Fields")
		if err != nil {
			return nil, err
		}
		longer := append(append(pdf.Array{}, fields...), added)
		if ref, ok := old.(pdf.Ref); ok && fields != nil {
			u.put(ref, longer)
		} else {
			d = with(d, "Fields", longer)
		}
	}
	if d.Get("SigFlags") != int64(sigFlags) {
		d = with(d, "SigFlags", sigFlags)
	}
	switch {
	case d == f.dict:
	case f.ref != (pdf.Ref{}):
		u.put(f.ref, d)
	default:
		root = with(root, "AcroForm", d)
	}
	return root, nil
}

// write adds the seal as an appearance (ISO 32000-2 §12.5.5) of a square; it is turned against the page, so that it
// shows upright.
func (a *Appearance) write(u *update, side float64, rotate int) pdf.Ref {
	turned := map[int]string{0: "1 0 0 1", 90: "0 1 -1 0", 180: "-1 0 0 -1", 270: "0 -1 1 0"}[rotate]
	return appearance(u, side, side, a.Seal.Content(side), turned)
}

// writeIn adds the seal in the middle of a rectangle.
func (a *Appearance) writeIn(u *update, w, h, side float64) pdf.Ref {
	content := fmt.Appendf(nil, "q 1 0 0 1 %.2f %.2f cm\n", (w-side)/2, (h-side)/2)
	content = append(append(content, a.Seal.Content(side)...), "Q\n"...)
	return appearance(u, w, h, content, "1 0 0 1")
}

func appearance(u *update, w, h float64, content []byte, matrix string) pdf.Ref {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(content) // a buffer takes everything
	_ = z.Close()
	return u.addStream(dict("Type", pdf.Name("XObject"), "Subtype", pdf.Name("Form"), "FormType", 1,
		"BBox", rectangle([4]float64{0, 0, w, h}), "Matrix", raw("["+matrix+" 0 0]"), "Resources", dict(), "Filter", pdf.Name("FlateDecode")), packed.Bytes())
}
