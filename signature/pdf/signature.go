package pdf

import (
	"fmt"

	"github.com/jitsuin/jitsuin"
)

// Sub-filters: how /Contents is to be read.
const (
	SubPKCS7   Name = "adbe.pkcs7.detached" // CMS over the byte range
	SubCAdES   Name = "ETSI.CAdES.detached" // CAdES over the byte range (PAdES)
	SubRFC3161 Name = "ETSI.RFC3161"        // a time-stamp token over the byte range
	SubSHA1    Name = "adbe.pkcs7.sha1"     // CMS over the SHA-1 digest of the byte range, embedded
	SubX509    Name = "adbe.x509.rsa_sha1"  // a bare RSA signature, certificates in /Cert
)

// Coverage says how much of the file a signature covers, its own value left out.
type Coverage int

const (
	CoversPart     Coverage = iota // less than a revision, or bytes that are no revision
	CoversRevision                 // one revision whole, and others follow
	CoversWhole                    // the last revision, so all of the file
)

// maxSignatures is how many signatures one document may have.
const maxSignatures = 64

// Signature is a signature dictionary and what the structure of the file says of it. Whether its
// value fits is for others: Contents is to be checked over the bytes of Ranges.
type Signature struct {
	Fields  []string // qualified names of the fields that have it as their value; none: an orphan
	Ref     Ref
	Dict    *Dict
	Orphan  bool // no field reaches it: never a signature of the document, whatever it says
	Stamped bool // a document time-stamp (sub-filter ETSI.RFC3161)

	SubFilter     Name
	ByteRange     [4]int
	Contents      []byte // decoded, without what fills it up
	Revision      int    // the revision that it covers, -1 for none
	Coverage      Coverage
	Certification int // P of its DocMDP transform where it certifies the document, 0 where not

	Faults []Fault // rules of the structure that it breaks; one is enough to refuse it

	Level   Level    // the gravest change after it
	Permits Level    // the gravest change that is allowed after it
	Changes []Change // what was changed after it, at most maxChanges

	field Field
}

// Fault is a broken rule: a stable word, and what was found.
type Fault struct{ Code, Found string }

func (s *Signature) fault(code, format string, args ...any) {
	s.Faults = append(s.Faults, Fault{code, fmt.Sprintf(format, args...)})
}

// Forbidden tells whether the document was changed after s in a way that s does not allow, or
// in a way that could not be followed.
func (s *Signature) Forbidden() bool { return s.Level > s.Permits }

// Text gives a text entry of the signature dictionary, such as Name, Reason or Location.
func (s *Signature) Text(key Name) string {
	if t, ok := s.Dict.Get(key).(String); ok {
		return t.Text()
	}
	return ""
}

// Ranges gives the two stretches of the file that are signed; nil where the byte range is broken.
func (d *Document) Ranges(s *Signature) [][]byte {
	r := s.ByteRange
	if r[1] == 0 {
		return nil
	}
	return [][]byte{d.bytes[:r[1]], d.bytes[r[2] : r[2]+r[3]]}
}

// Signatures reads all signatures of the document as it is now, in the order of the revisions that
// they cover: the values of its signature fields, and signature dictionaries among its objects that
// no field reaches, marked as orphans. What was changed after each is classified. An error means
// that the form or the catalog cannot be read, so that nothing can be said of any signature.
func (d *Document) Signatures() ([]*Signature, error) {
	now := d.Current()
	if _, _, err := now.Catalog(); err != nil {
		return nil, err
	}
	fields, err := now.Fields()
	if err != nil {
		return nil, err
	}
	var all []*Signature
	for _, f := range fields {
		if f.Type != "Sig" || f.Value == nil {
			continue
		}
		if len(all) == maxSignatures {
			return nil, jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "more than %d signatures", maxSignatures)
		}
		all = d.addField(all, f)
	}
	for _, s := range all {
		d.place(s)
	}
	all = d.addOrphans(all)
	order(all)
	d.compareAll(all)
	return all, nil
}

// addField adds the signature of a field, or the field to a signature that another field has, too.
func (d *Document) addField(all []*Signature, f Field) []*Signature {
	holder, ok := f.Value.(Ref)
	if !ok {
		holder = f.Ref
	}
	for _, s := range all {
		if ok && s.Ref == holder {
			s.Fields = append(s.Fields, f.Name)
			return all
		}
	}
	s := &Signature{Fields: []string{f.Name}, Ref: holder, Revision: -1, field: f}
	dict, err := d.Current().Dict(f.Value)
	switch {
	case err != nil:
		s.fault("dictionary", "%v", err)
	case dict == nil && ok: // a value that is null is no signature
		return all
	}
	s.Dict = dict
	return append(all, s)
}

// place reads the dictionary and finds the revision that it covers.
func (d *Document) place(s *Signature) {
	if s.Dict == nil {
		return
	}
	s.SubFilter, _ = s.Dict.Get("SubFilter").(Name)
	s.Stamped = s.SubFilter == SubRFC3161
	d.checkDict(s)
	d.checkPlace(s)
	if !d.checkRange(s) || !d.checkContents(s) {
		s.ByteRange = [4]int{}
		return
	}
	d.checkCoverage(s)
	if s.Revision >= 0 {
		d.checkSame(s)
		s.Certification = d.certification(s)
	}
}

// checkDict applies the rules on the dictionary's own entries.
func (d *Document) checkDict(s *Signature) {
	if key, twice := s.Dict.Duplicate(); twice {
		s.fault("duplicate-key", "/%s stands twice in the signature dictionary", key)
	}
	switch s.Dict.Get("Type") {
	case nil, Name("Sig"), Name("DocTimeStamp"):
	default:
		s.fault("type", "/Type is neither Sig nor DocTimeStamp")
	}
	switch s.SubFilter {
	case SubPKCS7, SubCAdES, SubRFC3161, SubSHA1, SubX509:
	case "":
		s.fault("sub-filter", "/SubFilter is missing")
	default:
		s.fault("sub-filter", "%.40q is not known", string(s.SubFilter))
	}
	if _, ok := s.Dict.Get("Filter").(Name); !ok {
		s.fault("filter", "/Filter is missing")
	}
}

// checkPlace makes sure that the dictionary was read from the file's own bytes, not from an object
// stream, where no byte range can point.
func (d *Document) checkPlace(s *Signature) {
	_, l, ok, err := d.Current().where(s.Ref.Num)
	if err != nil || !ok || l.kind != plain {
		s.fault("packed", "the signature dictionary does not stand in the file itself")
	}
}

// checkRange reads /ByteRange: exactly four integers, the first 0, ascending and inside the file.
func (d *Document) checkRange(s *Signature) bool {
	a, ok := s.Dict.Get("ByteRange").(Array)
	if !ok || len(a) != 4 {
		s.fault("byte-range", "/ByteRange is not an array of four integers")
		return false
	}
	for i := range a {
		n, ok := a[i].(int64)
		if !ok || n < 0 || n > int64(len(d.bytes)) {
			s.fault("byte-range", "a number of /ByteRange is no place in the file")
			return false
		}
		s.ByteRange[i] = int(n)
	}
	r := s.ByteRange
	if r[0] != 0 || r[1] == 0 || r[2] <= r[1] || r[2]+r[3] > len(d.bytes) {
		s.fault("byte-range", "[%d %d %d %d] are not two stretches of the file from its beginning on", r[0], r[1], r[2], r[3])
		return false
	}
	return true
}

// checkContents makes sure that what the byte range leaves out is /Contents of this dictionary, from
// < to >, and decodes it.
func (d *Document) checkContents(s *Signature) bool {
	c, ok := s.Dict.Get("Contents").(String)
	if !ok || !c.Hex() {
		s.fault("contents", "/Contents is no string in hexadecimal")
		return false
	}
	if c.At != s.ByteRange[1] || c.At+len(c.Raw) != s.ByteRange[2] {
		s.fault("gap", "the bytes %d to %d are left out, and /Contents stands from %d to %d",
			s.ByteRange[1], s.ByteRange[2], c.At, c.At+len(c.Raw))
		return false
	}
	value, err := contents(c.Raw[1 : len(c.Raw)-1])
	if err != nil {
		s.fault("contents", "%v", err)
		return false
	}
	s.Contents = value
	return true
}

// checkCoverage finds the revision that ends where the byte range ends.
func (d *Document) checkCoverage(s *Signature) {
	stop := s.ByteRange[2] + s.ByteRange[3]
	last := len(d.revisions) - 1
	for i, r := range d.revisions {
		if stop >= r.End && (stop <= r.End+r.Filler || i == last && stop == len(d.bytes)) {
			s.Revision, s.Coverage = i, CoversRevision
		}
	}
	switch {
	case s.Revision < 0:
		s.fault("coverage", "the byte range ends at %d, where no revision ends", stop)
	case s.Revision == last && stop < len(d.bytes) && len(d.bytes) > d.revisions[last].End+d.revisions[last].Filler:
		s.fault("tail", "%d bytes follow what is signed and belong to no revision", len(d.bytes)-stop)
		s.Coverage = CoversPart
	case s.Revision == last:
		s.Coverage = CoversWhole
	}
}

// checkSame makes sure that field and dictionary are in the covered revision what they are now.
func (d *Document) checkSame(s *Signature) {
	then := d.At(s.Revision)
	if s.Revision == len(d.revisions)-1 {
		return
	}
	was, _, ok, err := then.where(s.Ref.Num)
	is, _, _, err2 := d.Current().where(s.Ref.Num)
	if err != nil || err2 != nil || !ok || was != is {
		s.fault("moved", "the signature dictionary is not the one of the revision that it covers")
		return
	}
	fields, err := then.Fields()
	if err != nil {
		s.fault("moved", "the form of the covered revision cannot be read: %v", err)
		return
	}
	had := map[string]bool{}
	for _, f := range fields {
		if f.Type == "Sig" && sameValue(f.Value, s.field.Value) {
			had[f.Name] = true
		}
	}
	for _, name := range s.Fields {
		if !had[name] {
			s.fault("moved", "the field %.80q did not have this signature in the revision that it covers", name)
		}
	}
}

// sameValue tells whether two values are the same dictionary: by reference, or by place in the file.
func sameValue(a, b Object) bool {
	switch a := a.(type) {
	case Ref:
		b, ok := b.(Ref)
		return ok && a == b
	case *Dict:
		b, ok := b.(*Dict)
		return ok && a.At == b.At
	}
	return false
}
