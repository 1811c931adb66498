package pades

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// open reads a document that may be signed as far as its own parts go: see Prepare.
func open(document []byte) (*source, *form, error) {
	if len(document) > MaxDocument {
		return nil, nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-size", "documents of more than %d bytes are not signed", MaxDocument)
	}
	d, err := pdf.Read(document)
	if err != nil {
		return nil, nil, err
	}
	s := &source{View: d.Current(), document: d}
	if s.root, s.rootRef, err = s.Catalog(); err != nil {
		return nil, nil, err
	}
	if key, twice := s.root.Duplicate(); twice {
		return nil, nil, odd("the catalog has /%s twice", key)
	}
	f, err := s.readForm()
	if err != nil {
		return nil, nil, err
	}
	if f.dict.Has("XFA") || s.root.Get("NeedsRendering") == true {
		return nil, nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-xfa", "the document is an XFA form: what it shows is not fixed by what would be signed").
			WithHint("print it to a new PDF and sign that")
	}
	return s, f, nil
}

// base says what an update of the document continues.
func (s *source) base(document []byte) base {
	last := s.document.Revisions()[s.Revision()]
	return base{file: document, section: last.StartXRef, stream: last.Stream, trailer: s.Trailer(), size: s.Size()}
}

// earlier is what a signature that is there already says about later ones.
type earlier struct {
	field   string
	permits Permission // DocMDP; NotCertified where it has none
	locks   []Lock     // FieldMDP
}

// earlierSignatures reads the transforms of all signatures (ISO 32000-2 §12.8.2).
func (s *source) earlierSignatures(f *form) ([]earlier, error) {
	var all []earlier
	for _, x := range f.fields {
		if !signed(x) {
			continue
		}
		value, err := s.dictAt(x.Value, "the signature of the field "+x.Name)
		if err != nil {
			return nil, err
		}
		e := earlier{field: x.Name}
		references, err := s.arrayAt(value.Get("Reference"), "/Reference of a signature")
		if err != nil {
			return nil, err
		}
		for _, r := range references {
			if err := s.transform(&e, r); err != nil {
				return nil, err
			}
		}
		all = append(all, e)
	}
	return all, nil
}

// transform reads one signature reference.
func (s *source) transform(e *earlier, o pdf.Object) error {
	r, err := s.dictAt(o, "a signature reference")
	if err != nil {
		return err
	}
	parameters, err := s.optional(r.Get("TransformParams"), "/TransformParams")
	if err != nil {
		return err
	}
	switch r.Get("TransformMethod") {
	case pdf.Name("DocMDP"):
		e.permits = FormsAndSigns // the default (ISO 32000-2 table 257)
		if p, ok := parameters.Get("P").(int64); ok {
			e.permits = Permission(p)
		}
	case pdf.Name("FieldMDP"):
		action, _ := parameters.Get("Action").(pdf.Name)
		names, err := s.arrayAt(parameters.Get("Fields"), "/Fields of a lock")
		if err != nil {
			return err
		}
		lock := Lock{Action: string(action)}
		for _, n := range names {
			if name, ok := n.(pdf.String); ok {
				lock.Fields = append(lock.Fields, name.Text())
			}
		}
		e.locks = append(e.locks, lock)
	}
	return nil
}

// covers tells whether a lock forbids that a field changes. A name stands for what is below it too.
func (l Lock) covers(name string) bool {
	named := slices.ContainsFunc(l.Fields, func(f string) bool { return f == name || strings.HasPrefix(name, f+".") })
	switch l.Action {
	case "Include":
		return named
	case "Exclude":
		return !named
	}
	return true
}

// mayContinue refuses what earlier signatures forbid, and documents in which one of them does not hold. It leaves the
// signatures that hold in s.
func (s *source) mayContinue(f *form, k kind) error {
	all, err := s.earlierSignatures(f)
	if err != nil {
		return err
	}
	if len(all) > 0 && k.options.Certify != NotCertified {
		return jitsuin.Errorf(jitsuin.Conflict, "pdf-signed", "only the first signature certifies a document, and this one is signed already").At("certify")
	}
	name := k.options.Field
	if name == "" {
		name = f.free()
	}
	for _, e := range all {
		switch {
		case e.permits == NoChanges:
			return jitsuin.Errorf(jitsuin.Conflict, "pdf-certified", "the signature in %q certifies the document and permits no change: a further signature would break it", e.field).
				WithHint("ask for a copy that is certified for signatures, or sign it as a detached file")
		case !k.stamp && slices.ContainsFunc(e.locks, func(l Lock) bool { return l.covers(name) }):
			return jitsuin.Errorf(jitsuin.Conflict, "pdf-locked", "the signature in %q locks the field %q", e.field, name).At("field")
		}
	}
	return s.unbroken()
}

// unbroken refuses a document in which a signature does not hold by itself, trust aside: signing it would
// give a broken document a new signature that holds.
func (s *source) unbroken() error {
	all, err := s.document.Signatures()
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Orphan {
			continue
		}
		s.holding = append(s.holding, one)
		if why := s.fault(one); why != "" {
			return jitsuin.Errorf(jitsuin.Conflict, "pdf-broken", "the signature in %q does not hold: %s", strings.Join(one.Fields, ", "), why).
				WithHint("jitsuin verify says more; ask for a copy that is as it was signed")
		}
	}
	return nil
}

// fault says why a signature does not hold, "" where it does.
func (s *source) fault(one *pdf.Signature) string {
	if len(one.Faults) > 0 {
		return one.Faults[0].Code + ": " + one.Faults[0].Found
	}
	if one.Forbidden() {
		return "what it covers was changed afterwards: " + forbidden(one)
	}
	var parts []io.Reader
	for _, b := range s.document.Ranges(one) {
		parts = append(parts, bytes.NewReader(b))
	}
	covered := io.MultiReader(parts...)
	var result *cms.Result
	switch one.SubFilter {
	case pdf.SubRFC3161:
		token, err := tsp.Parse(one.Contents)
		if err != nil {
			return err.Error()
		}
		sum, _ := token.Sum(context.Background(), covered) // memory does not fail
		result = token.Verify(sum, nil)
	case pdf.SubPKCS7, pdf.SubCAdES:
		sd, err := cms.Parse(one.Contents)
		if err != nil {
			return err.Error()
		}
		if len(sd.Signers) != 1 {
			return fmt.Sprintf("it has %d signers", len(sd.Signers))
		}
		digests, _ := sd.Digest(context.Background(), covered)
		result = sd.Verify(sd.Signers[0], digests, nil)
	default:
		return "its form " + string(one.SubFilter) + " cannot be checked"
	}
	if !result.Intact() {
		return firstFault(result)
	}
	return ""
}

// keeps makes sure that the continued document can be judged, and leaves every earlier signature as good as it was: it is
// read as our own verifier will read it. Conflict "pdf-forbidden" names the change that an earlier signature does not
// allow. added is the object of a signature that is prepared and still missing.
func (s *source) keeps(file []byte, added pdf.Ref) error {
	d, err := pdf.Read(file)
	if err != nil {
		return err
	}
	all, err := d.Signatures()
	if err != nil {
		return err
	}
	find := func(ref pdf.Ref) *pdf.Signature {
		if i := slices.IndexFunc(all, func(x *pdf.Signature) bool { return x.Ref == ref && !x.Orphan }); i >= 0 {
			return all[i]
		}
		return nil
	}
	for _, was := range s.holding {
		is := find(was.Ref)
		if is == nil || len(is.Faults) > 0 {
			return odd("the signature in %q would be lost", strings.Join(was.Fields, ", "))
		}
		if is.Forbidden() {
			return jitsuin.Errorf(jitsuin.Conflict, "pdf-forbidden", "the signature in %q does not allow it: %s", strings.Join(was.Fields, ", "), forbidden(is)).
				WithHint("sign without a seal, in a field that is there already, or as a detached file")
		}
	}
	if is := find(added); added != (pdf.Ref{}) && (is == nil || slices.ContainsFunc(is.Faults, func(f pdf.Fault) bool { return f.Code != "contents" })) {
		return odd("the new signature would not be found, or not be whole")
	}
	return nil
}

// forbidden names the change after a signature that goes too far.
func forbidden(s *pdf.Signature) string {
	for _, c := range s.Changes {
		if c.Level > s.Permits {
			return c.What
		}
	}
	return "a change that cannot be followed"
}
