// Package seal draws the impression of a seal (印影): a round red seal with a family name, as the content of a PDF
// appearance. Glyphs become outlines, so nothing depends on a font that a reader has.
//
// It owns the layout of the name, its one font and the operators. It never touches a document, a key or a certificate:
// the impression proves nothing, the signature under it does. That is why a seal needs no more than a name.
package seal
