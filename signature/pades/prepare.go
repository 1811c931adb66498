package pades

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// MaxDocument is the largest document that is signed, in bytes.
const MaxDocument = 256 << 20

// Prepared is a document with room for its signature, which is still missing: everything that the signature will cover
// is fixed. Digest gives what is to be signed, Finish puts the signature in.
type Prepared struct {
	file     []byte
	from, to int // the octets that are not covered: from < to > of /Contents
	kind     kind
}

// kind is what a signature dictionary is for.
type kind struct {
	form    Form
	stamp   bool // a document time-stamp
	options Options
}

// Prepare makes the next revision of document with a signature field as o says, and room for a signature (CMS in DER)
// of at most room octets; Signer.Room estimates it. The document is not changed but continued: it is a prefix of what comes out.
//
// What cannot be signed is refused, with the kind Invalid, Unsupported or Conflict and these codes: pdf-options, pdf-page,
// pdf-field for o; pdf-malformed, pdf-encrypted, pdf-limit, pdf-size, pdf-xfa for a document that is not signed; pdf-signed,
// pdf-certified, pdf-locked, pdf-forbidden, pdf-broken for earlier signatures that stand in the way.
func Prepare(document []byte, o Options, room int) (*Prepared, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return prepare(document, kind{form: o.Form, options: o}, room)
}

// Check tells what Prepare would refuse, before anybody is asked for a password. The name may still be missing.
func Check(document []byte, o Options) error {
	if o.Name == "" {
		o.Name = "-"
	}
	_, err := Prepare(document, o, 1)
	return err
}

func prepare(document []byte, k kind, room int) (*Prepared, error) {
	if room < 1 || room > maxRoom {
		return nil, invalid("room", "a signature has room for 1 to %d octets", maxRoom)
	}
	s, f, err := open(document)
	if err != nil {
		return nil, err
	}
	if err := s.mayContinue(f, k); err != nil {
		return nil, err
	}
	u := newUpdate(s.base(document))
	value := u.reserve()
	if err := s.addField(u, f, &k, value); err != nil {
		return nil, err
	}
	u.put(value, k.dictionary(s, room))
	file, at, err := u.write(value)
	if err != nil {
		return nil, err
	}
	p := fix(file, at, k)
	if err := s.keeps(p.file, value); err != nil {
		return nil, err
	}
	return p, nil
}

// rangePlace is what stands in /ByteRange until the places are known; as wide as they can become.
const rangePlace = "[0 ########## ########## ##########]"

// dictionary is the signature dictionary (ISO 32000-2 table 255), with room for what is missing.
func (k kind) dictionary(s *source, room int) *pdf.Dict {
	contents := raw("<" + string(bytes.Repeat([]byte("00"), room)) + ">")
	if k.stamp {
		return dict("Type", pdf.Name("DocTimeStamp"), "Filter", pdf.Name("Adobe.PPKLite"), "SubFilter", pdf.Name("ETSI.RFC3161"),
			"ByteRange", raw(rangePlace), "Contents", contents)
	}
	o := k.options
	d := dict("Type", pdf.Name("Sig"), "Filter", pdf.Name("Adobe.PPKLite"), "SubFilter", pdf.Name(o.Form),
		"ByteRange", raw(rangePlace), "Contents", contents, "M", date(o.At))
	for _, e := range []struct {
		key   pdf.Name
		value string
	}{{"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Location}, {"ContactInfo", o.Contact}} {
		if e.value != "" {
			d.Entries = append(d.Entries, pdf.Entry{Key: e.key, Value: text(e.value)})
		}
	}
	if references := o.references(s.rootRef); references != nil {
		d.Entries = append(d.Entries, pdf.Entry{Key: "Reference", Value: references})
	}
	return d
}

// references are the transforms of a certification and of a lock (ISO 32000-2 §12.8.2).
func (o Options) references(root pdf.Ref) pdf.Array {
	var all pdf.Array
	add := func(method string, parameters *pdf.Dict) {
		parameters.Entries = append(dict("Type", pdf.Name("TransformParams"), "V", pdf.Name("1.2")).Entries, parameters.Entries...)
		all = append(all, dict("Type", pdf.Name("SigRef"), "TransformMethod", pdf.Name(method), "Data", root, "TransformParams", parameters))
	}
	if o.Certify != NotCertified {
		add("DocMDP", dict("P", int(o.Certify)))
	}
	if o.Lock != nil {
		add("FieldMDP", o.Lock.dictionary())
	}
	return all
}

func (l *Lock) dictionary() *pdf.Dict {
	d := dict("Action", pdf.Name(l.Action))
	if len(l.Fields) > 0 {
		var names pdf.Array
		for _, n := range l.Fields {
			names = append(names, text(n))
		}
		d.Entries = append(d.Entries, pdf.Entry{Key: "Fields", Value: names})
	}
	return d
}

// fix writes the places of what is covered; at is where the signature dictionary begins. Its first entries are of
// our own writing, so what is looked for is found at once.
func fix(file []byte, at int, k kind) *Prepared {
	places := at + bytes.Index(file[at:], []byte(rangePlace))
	from := at + bytes.Index(file[at:], []byte("/Contents <")) + len("/Contents ")
	to := from + bytes.IndexByte(file[from:], '>') + 1
	copy(file[places:], fmt.Sprintf("%-*s", len(rangePlace), fmt.Sprintf("[0 %d %d %d]", from, to, len(file)-to)))
	return &Prepared{file: file, from: from, to: to, kind: k}
}

// Room gives how many octets the signature may have.
func (p *Prepared) Room() int { return (p.to-p.from)/2 - 1 }

// Covered gives all octets that the signature covers.
func (p *Prepared) Covered() io.Reader {
	return io.MultiReader(bytes.NewReader(p.file[:p.from]), bytes.NewReader(p.file[p.to:]))
}

// Digest gives the digest of what the signature covers. A key asks for one hash alone: cms.SuiteHash tells which.
func (p *Prepared) Digest(h crypto.Hash) []byte {
	sum := h.New()
	sum.Write(p.file[:p.from])
	sum.Write(p.file[p.to:])
	return sum.Sum(nil)
}

// put gives the whole document with the signature in its place: Invalid "pdf-room" says how many octets are missing.
func (p *Prepared) put(signature []byte) ([]byte, error) {
	if missing := len(signature) - p.Room(); missing > 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-room", "the signature has %d octets, and there is room for %d: %d are missing",
			len(signature), p.Room(), missing).WithHint("prepare the document with more room")
	}
	out := bytes.Clone(p.file)
	hex.Encode(out[p.from+1:], signature)
	return out, nil
}
