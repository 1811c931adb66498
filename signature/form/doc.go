// Package form makes signed applications (署名付き申請): an issuer's form, filled in from the
// certificate that is about to sign and by the person who signs, becomes a PDF with its data attached
// as JSON. The PDF follows from the data to the byte, so Read can tell whether what a person saw is
// what a program reads: it makes the pages again and compares.
//
// The package owns the form's JSON, the document's lines and its PDF. A form comes from a stranger, so
// every size, count and character in it is bounded. It never touches keys, certificates or
// connections: who signs, sends and keeps the document is the caller's business.
//
// Documents outlive releases. What is drawn depends on this package, on the library that draws and on
// the font; nothing in the file is compressed, so it does not depend on a compressor. The test with
// the fixed digest notices any change: then a new Format has to be made and the old one still drawn.
package form
