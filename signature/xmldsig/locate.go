package xmldsig

import (
	"net/url"
	"strings"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// failure is why a reference does not hold.
type failure struct {
	fault cms.Fault
	text  string
}

func (f *failure) Error() string { return f.text }

func fail(fault cms.Fault, text string) *failure { return &failure{fault, text} }

// isID tells whether an attribute gives its element an Id, without a document type to say so: the
// spellings in use, of XML itself, of Web Services Security and of SAML 1.1.
func isID(space string, local []byte) bool {
	switch space {
	case "":
		switch string(local) {
		case "Id", "ID", "id", "AssertionID", "ResponseID", "RequestID":
			return true
		}
	case xmltree.NamespaceXML:
		return string(local) == "id"
	case wsu:
		return string(local) == "Id"
	}
	return false
}

// ByID gives the element that has an Id, by whatever attribute. The error's fault is FaultAmbiguous where
// there are several, for each reader would take another one, and FaultContent where there is none.
func (d *Document) ByID(id string) (xmltree.ID, error) {
	if d.ids == nil {
		d.index()
	}
	at, known := d.ids[id]
	if !known && !d.indexedAll {
		d.indexAll()
		at = d.ids[id]
	}
	switch at.count {
	case 0:
		return xmltree.None, fail(cms.FaultContent, "there is no element with the Id "+clip(id))
	case 1:
		return at.node, nil
	}
	return xmltree.None, fail(cms.FaultAmbiguous, "there are several elements with the Id "+clip(id))
}

// index finds the elements whose Ids the references of all signatures name.
func (d *Document) index() {
	d.ids = map[string]target{}
	want := func(uri string) {
		if id, ok := fragmentID(uri); ok {
			d.ids[id] = target{}
			if plain, err := url.PathUnescape(id); err == nil {
				d.ids[plain] = target{}
			}
		}
	}
	for _, s := range d.Signatures {
		for _, r := range s.References {
			want(r.URI)
		}
	}
	d.Tree.EachAttribute(func(n xmltree.ID, space string, local, value []byte) {
		if !isID(space, local) {
			return
		}
		if at, wanted := d.ids[string(value)]; wanted {
			d.ids[string(value)] = at.met(n)
		}
	})
}

// indexAll finds every Id of the document, for those that no reference names.
func (d *Document) indexAll() {
	d.indexedAll = true
	clear(d.ids)
	d.Tree.EachAttribute(func(n xmltree.ID, space string, local, value []byte) {
		if isID(space, local) {
			d.ids[string(value)] = d.ids[string(value)].met(n)
		}
	})
}

// met counts one more attribute. An element that says its Id twice, as ID and xml:id, has it once.
func (t target) met(n xmltree.ID) target {
	if t.count > 0 && t.node == n {
		return t
	}
	return target{n, t.count + 1}
}

// fragmentID gives the Id in a same-document URI: "#id" or "#xpointer(id('id'))".
func fragmentID(uri string) (id string, ok bool) {
	id, ok = strings.CutPrefix(uri, "#")
	if !ok || id == "" || id == "xpointer(/)" {
		return "", false
	}
	if rest, pointer := strings.CutPrefix(id, "xpointer(id("); pointer {
		rest, closed := strings.CutSuffix(rest, "))")
		if !closed || len(rest) < 3 || rest[0] != rest[len(rest)-1] || rest[0] != '\'' && rest[0] != '"' || strings.IndexByte(rest[1:len(rest)-1], rest[0]) >= 0 {
			return "", false
		}
		return rest[1 : len(rest)-1], true
	}
	return id, !strings.ContainsAny(id, "()")
}

// locate finds what a same-document URI points at (XMLDSig 1.1 §4.4.3.2, §4.4.3.3): "" and "#xpointer(/)" the
// document, "#id" and "#xpointer(id('id'))" an element. comments tells whether comments are among the nodes.
func (d *Document) locate(uri string) (at xmltree.ID, comments bool, err error) {
	switch {
	case uri == "":
		return 0, false, nil
	case uri == "#xpointer(/)":
		return 0, true, nil
	}
	id, ok := fragmentID(uri)
	if !ok {
		return xmltree.None, false, fail(cms.FaultUnsupported, "a pointer of another kind than an Id: "+clip(uri))
	}
	at, err = d.ByID(id)
	if f, isFailure := err.(*failure); isFailure && f.fault == cms.FaultContent {
		if plain, bad := url.PathUnescape(id); bad == nil && plain != id { // written as a URI asks for
			at, err = d.ByID(plain)
		}
	}
	return at, strings.HasPrefix(uri, "#xpointer("), err
}

// content gives a file that the caller gave, by the URI as it stands, or by the name that the URI, percent
// encoding undone, amounts to.
func (v *verification) content(uri string) ([]byte, bool) {
	if v.o.Content == nil {
		return nil, false
	}
	if b, ok := v.o.Content(uri); ok {
		return b, true
	}
	plain, err := url.PathUnescape(uri)
	if err != nil {
		return nil, false
	}
	if b, ok := v.o.Content(plain); ok {
		return b, true
	}
	return v.o.Content(strings.TrimPrefix(plain, "./"))
}
