package pades

import (
	"bytes"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// Original gives the document that was signed, where signed is that document with one further signature as Prepare makes
// it and nothing else: it shows nothing, certifies nothing and locks nothing. The signed revision is made again from what
// the signature says of itself and compared to the octet, so nothing can hide in it. Whether the signature holds is not
// looked at. Everything else is Invalid "pdf-original"; so is a document whose last line has no end.
func Original(signed []byte) ([]byte, error) {
	other := func(why string) ([]byte, error) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-original", "this is no document with a signature and nothing else: %s", why)
	}
	d, err := pdf.Read(signed)
	if err != nil {
		return nil, err
	}
	all, err := d.Signatures()
	if err != nil {
		return nil, err
	}
	revisions := d.Revisions()
	if len(all) == 0 || len(revisions) < 2 {
		return other("it has no signature of its own revision")
	}
	last := all[len(all)-1]
	if last.Orphan || last.Revision != len(revisions)-1 || last.ByteRange[1] == 0 || len(last.Fields) != 1 || last.SubFilter == pdf.SubRFC3161 {
		return other("the last revision is not the signature's")
	}
	before := revisions[len(revisions)-2]
	original := signed[:before.End+before.Filler]
	at, ok := last.Dict.Get("M").(pdf.String)
	when, ok2 := at.Date()
	if !ok || !ok2 {
		return other("the signature has no time")
	}
	o := Options{Form: Form(last.SubFilter), At: when, Field: last.Fields[0], Name: last.Text("Name"), Reason: last.Text("Reason"),
		Location: last.Text("Location"), Contact: last.Text("ContactInfo")}
	from, to := last.ByteRange[1], last.ByteRange[2]
	p, err := Prepare(original, o, (to-from)/2-1)
	if err != nil {
		return nil, err
	}
	if p.from != from || p.to != to || len(p.file) != len(signed) || !bytes.Equal(p.file[:from], signed[:from]) || !bytes.Equal(p.file[to:], signed[to:]) {
		return other("there is something beside the signature, or other software made it")
	}
	return original, nil
}
