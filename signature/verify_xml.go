package signature

import (
	"context"
	"io"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/xades"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// maxXMLFile bounds a file beside an XML signature that is read from Content.
const maxXMLFile = 48 << 20

// readXML reads XML signatures. A document beyond the limits of the reader is understood and not judged.
func readXML(_ context.Context, in Input) ([]finding, error) {
	d, err := xmldsig.Parse(in.Signature)
	if jitsuin.KindOf(err) == jitsuin.Limited {
		err = jitsuin.Errorf(jitsuin.Unsupported, jitsuin.CodeOf(err), "%w", err)
	}
	if err != nil {
		return nil, unreadable{err}
	}
	content, err := in.xmlFiles(d)
	if err != nil {
		return nil, err
	}
	options := xmldsig.Options{Content: content, Certificates: in.Certificates, Keys: in.Keys}
	results := d.VerifyAll(options)
	all := make([]finding, len(results))
	for i, r := range results {
		if in.Content != nil && !namesFile(d) {
			r.Checks = append(r.Checks, cms.Check{What: "content", Expected: "a file that the signature names",
				Got: "a file is given and none is named", Fault: cms.FaultContent})
		}
		all[i] = xmlFinding(d, d.Signatures[i], r)
		if p := xades.Read(d, d.Signatures[i], r, options); p != nil {
			all[i].addXAdES(p)
		}
	}
	if !slices.ContainsFunc(all, func(f finding) bool { return len(f.stamps) > 0 }) {
		d.Tree.Free() // nothing looks at it any more: what a time-stamp covers is asked for later
	}
	return all, nil
}

// namesFile tells whether any signature covers a file beside the document.
func namesFile(d *xmldsig.Document) bool {
	for _, s := range d.Signatures {
		for _, r := range s.All(d) {
			if r.File() {
				return true
			}
		}
	}
	return false
}

// xmlFiles gives the files that were handed in by the names that references have for them. Content is
// the one file that the signatures name, where they name one only.
func (in Input) xmlFiles(d *xmldsig.Document) (func(string) ([]byte, bool), error) {
	files := func(uri string) ([]byte, bool) {
		b, ok := in.Files[uri]
		return b, ok
	}
	if in.Content == nil {
		return files, nil
	}
	only, err := io.ReadAll(io.LimitReader(in.Content, maxXMLFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(only) > maxXMLFile:
		return nil, unreadable{jitsuin.Errorf(jitsuin.Unsupported, "xml-file-size", "a file of more than %d octets beside an XML signature is not read", maxXMLFile)}
	}
	name := ""
	for _, s := range d.Signatures {
		for _, r := range s.All(d) {
			if !r.File() || r.URI == name {
				continue
			}
			if name != "" {
				return nil, jitsuin.Errorf(jitsuin.Invalid, "detached", "the signatures name several files, so each must be given by its name").
					WithHint("--detached NAME=FILE")
			}
			name = r.URI
		}
	}
	return func(uri string) ([]byte, bool) {
		if b, ok := files(uri); ok || uri != name {
			return b, ok
		}
		return only, true
	}, nil
}

// xmlFinding says what can be said of one signature.
func xmlFinding(d *xmldsig.Document, s *xmldsig.Signature, r *xmldsig.Result) finding {
	f := finding{format: FormatXMLDSig, name: s.ID, result: &r.Result, embedded: r.Embedded, coverage: Part, modification: Unmodified}
	f.covers = &Covered{Content: "embedded", Whole: r.Whole}
	file := false
	for i := range r.References {
		o := &r.References[i]
		e := Element{Reference: o.Reference.URI, File: o.Reference.File()}
		if o.Target >= 0 {
			e.Path = d.Tree.Path(o.Target)
			e.Whole = d.Entire(o)
		}
		f.elements = append(f.elements, e)
		f.covers.Bytes += o.Size
		file = file || e.File
	}
	if file {
		f.covers.Content = "detached"
	}
	if r.Whole {
		f.coverage = Whole
	} else {
		f.warnings = append(f.warnings, "part-signed")
	}
	return f
}
