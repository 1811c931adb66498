package form

import (
	"bytes"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/paper"
)

// MaxPDF is the largest document that is read, in bytes. One that is drawn stays far below.
const MaxPDF = 4 << 20

// Read gives the data of a document, after it has made sure that the document is exactly what its data
// make: no other page, no second attachment, no later revision. Errors are of kind Invalid: "form-none"
// where the file is no document of this kind, "form-json" and "form-content" for its data,
// "form-differs" where what is to be seen is not what the data say.
func Read(pdf []byte) (Filled, error) {
	if len(pdf) > MaxPDF || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		return Filled{}, jitsuin.Errorf(jitsuin.Invalid, "form-none", "this is no PDF, or one of more than %d bytes", MaxPDF)
	}
	data, ok := paper.Attached(pdf, MaxSize)
	if !ok {
		return Filled{}, jitsuin.Errorf(jitsuin.Invalid, "form-none", "the PDF was not made from a form: it carries no data where a form has them")
	}
	var f Filled
	if err := strict(data, &f); err != nil {
		return Filled{}, err
	}
	want, err := f.PDF()
	if err != nil {
		return Filled{}, err
	}
	if !bytes.Equal(pdf, want) {
		return Filled{}, jitsuin.Errorf(jitsuin.Invalid, "form-differs", "the pages of the document are not what its data make").
			WithHint("it was changed after it was made, or made by other software")
	}
	return f, nil
}
