package pades

import (
	"crypto/sha1" // names a signature in the document, as the format wants it; proves nothing
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// Evidence is what lets a signature be checked later, without asking anybody.
type Evidence struct {
	// Field is the full name of the signature's field; "" is for the document as a whole.
	Field        string
	Certificates []*x509.Certificate
	CRLs         [][]byte // DER
	OCSPs        [][]byte // OCSP responses, DER
	// ResidentStatus says that the caller may pass on status of residents' certificates (art. 52). Without it they are
	// refused with Denied "pdf-article-52".
	ResidentStatus bool
}

// Bounds of evidence.
const (
	maxEvidence = 64 << 20 // octets in one document security store, all parts added
	maxParts    = 1 << 12
)

// Preserve adds evidence to a document security store (DSS, ISO 32000-2 §12.8.4.3; EN 319 142-1 §5.4): B-T becomes B-LT. at
// is when the evidence was gathered. What is there already is kept, and added to. Only what the caller gives is embedded.
//
// Errors are those of Prepare; besides Invalid "pdf-evidence" for what is no certificate, list or response, and
// NotFound "pdf-field" for a field without a signature.
func Preserve(document []byte, at time.Time, all ...Evidence) ([]byte, error) {
	if at.IsZero() || len(all) == 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-evidence", "there is no evidence, or no time of it")
	}
	if err := checkEvidence(all); err != nil {
		return nil, err
	}
	s, f, err := open(document)
	if err != nil {
		return nil, err
	}
	if err := s.mayContinue(f, kind{stamp: true}); err != nil {
		return nil, err
	}
	if err := s.mayEmbed(all); err != nil {
		return nil, err
	}
	st, err := s.readStore()
	if err != nil {
		return nil, err
	}
	u := newUpdate(s.base(document))
	for _, e := range all {
		if err := s.store(u, st, f, e, at); err != nil {
			return nil, err
		}
	}
	u.put(s.rootRef, with(s.root, "DSS", u.add(st.dictionary())))
	file, _, err := u.write(pdf.Ref{})
	if err != nil {
		return nil, err
	}
	if err := s.keeps(file, pdf.Ref{}); err != nil {
		return nil, err
	}
	return file, nil
}

func checkEvidence(all []Evidence) error {
	wrong := func(what string, err error) error {
		return jitsuin.Errorf(jitsuin.Invalid, "pdf-evidence", "the evidence has %s that cannot be read: %w", what, err)
	}
	size, parts := 0, 0
	for _, e := range all {
		for _, c := range e.Certificates {
			size, parts = size+len(c.Raw), parts+1
		}
		for _, raw := range e.CRLs {
			size, parts = size+len(raw), parts+1
			if _, err := cert.ParseCRL(raw); err != nil {
				return wrong("a revocation list", err)
			}
		}
		for _, raw := range e.OCSPs {
			size, parts = size+len(raw), parts+1
			if _, err := cert.ParseOCSPResponse(raw); err != nil {
				return wrong("an OCSP response", err)
			}
		}
	}
	if parts == 0 || parts > maxParts || size > maxEvidence {
		return jitsuin.Errorf(jitsuin.Invalid, "pdf-evidence", "evidence has 1 to %d parts of %d octets together", maxParts, maxEvidence)
	}
	return nil
}

// dss is a document security store while it grows.
type dss struct {
	certs, crls, ocsps pdf.Array
	vri                *pdf.Dict
	others             *pdf.Dict          // entries that are not ours, kept
	seen               map[string]pdf.Ref // streams by their content
}

// readStore reads what is there already, empty where nothing is.
func (s *source) readStore() (*dss, error) {
	st := &dss{vri: dict(), others: dict(), seen: map[string]pdf.Ref{}}
	old, err := s.optional(s.root.Get("DSS"), "/DSS")
	if err != nil || old == nil {
		return st, err
	}
	for _, e := range old.Entries {
		var err error
		switch e.Key {
		case "Type":
		case "Certs":
			st.certs, err = s.knownStreams(st, e.Value)
		case "CRLs":
			st.crls, err = s.knownStreams(st, e.Value)
		case "OCSPs":
			st.ocsps, err = s.knownStreams(st, e.Value)
		case "VRI":
			if st.vri, err = s.optional(e.Value, "/VRI"); st.vri == nil {
				st.vri = dict()
			}
		default:
			st.others.Entries = append(st.others.Entries, e)
		}
		if err != nil {
			return nil, err
		}
	}
	return st, nil
}

// knownStreams reads an array of streams and remembers what is in them, so that nothing is stored twice.
func (s *source) knownStreams(st *dss, o pdf.Object) (pdf.Array, error) {
	all, err := s.arrayAt(o, "an array of the DSS")
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		v, err := s.Resolve(e)
		if err != nil {
			return nil, err
		}
		ref, ok := e.(pdf.Ref)
		stream, ok2 := v.(*pdf.Stream)
		if !ok || !ok2 {
			return nil, odd("the DSS has something else than streams")
		}
		if content, err := s.Decode(stream); err == nil {
			st.seen[string(content)] = ref
		}
	}
	return all, nil
}

// store adds one piece of evidence, and names it for its signature.
func (s *source) store(u *update, st *dss, f *form, e Evidence, at time.Time) error {
	put := func(raw []byte, all *pdf.Array, own *pdf.Array) {
		ref, ok := st.seen[string(raw)]
		if !ok {
			ref = u.addStream(dict(), raw)
			st.seen[string(raw)] = ref
		}
		if !contains(*all, ref) {
			*all = append(*all, ref)
		}
		if !contains(*own, ref) {
			*own = append(*own, ref)
		}
	}
	var certs, crls, ocsps pdf.Array
	for _, c := range e.Certificates {
		put(c.Raw, &st.certs, &certs)
	}
	for _, raw := range e.CRLs {
		put(raw, &st.crls, &crls)
	}
	for _, raw := range e.OCSPs {
		put(raw, &st.ocsps, &ocsps)
	}
	if e.Field == "" {
		return nil
	}
	key, err := s.vriKey(f, e.Field)
	if err != nil {
		return err
	}
	entry := dict("Type", pdf.Name("VRI"))
	for _, a := range []struct {
		key  pdf.Name
		refs pdf.Array
	}{{"Cert", certs}, {"CRL", crls}, {"OCSP", ocsps}} {
		if a.refs != nil {
			entry.Entries = append(entry.Entries, pdf.Entry{Key: a.key, Value: a.refs})
		}
	}
	entry.Entries = append(entry.Entries, pdf.Entry{Key: "TU", Value: date(at)})
	st.vri = with(st.vri, key, u.add(entry))
	return nil
}

func contains(a pdf.Array, ref pdf.Ref) bool {
	for _, e := range a {
		if e == pdf.Object(ref) {
			return true
		}
	}
	return false
}

// vriKey names the signature of a field: SHA-1 of /Contents, in upper-case hexadecimal (EN 319 142-1 §5.4.2.2).
func (s *source) vriKey(f *form, name string) (pdf.Name, error) {
	for _, x := range f.fields {
		if x.Name != name || !signed(x) {
			continue
		}
		value, err := s.dictAt(x.Value, "the signature of the field "+name)
		if err != nil {
			return "", err
		}
		contents, ok := value.Get("Contents").(pdf.String)
		if !ok {
			return "", odd("the signature of the field %s has no /Contents", name)
		}
		return pdf.Name(strings.ToUpper(fmt.Sprintf("%x", sha1.Sum(contents.Bytes())))), nil
	}
	return "", jitsuin.Errorf(jitsuin.NotFound, "pdf-field", "there is no signature in a field %q", name).At("field")
}

// dictionary is the store as it is written.
func (st *dss) dictionary() *pdf.Dict {
	d := dict("Type", pdf.Name("DSS"))
	for _, a := range []struct {
		key  pdf.Name
		refs pdf.Array
	}{{"Certs", st.certs}, {"CRLs", st.crls}, {"OCSPs", st.ocsps}} {
		if len(a.refs) > 0 {
			d.Entries = append(d.Entries, pdf.Entry{Key: a.key, Value: a.refs})
		}
	}
	if len(st.vri.Entries) > 0 {
		d.Entries = append(d.Entries, pdf.Entry{Key: "VRI", Value: st.vri})
	}
	d.Entries = append(d.Entries, st.others.Entries...)
	return d
}
