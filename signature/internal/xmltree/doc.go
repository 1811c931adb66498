// Package xmltree reads XML into arrays and writes it in canonical form. It is the ground of XML
// signatures: what it gives is what the signed bytes say, and nothing else.
//
// It owns well-formedness (XML 1.0, fifth edition), namespaces (Namespaces in XML 1.0), and the
// canonical forms (Canonical XML 1.0 and 1.1, Exclusive XML Canonicalization 1.0). It knows no
// signature and no schema, opens nothing, and never expands anything: a document type declaration
// is refused whatever stands in it, so there are no entities but the five predefined ones.
//
// A Tree keeps the input and points into it. Nodes lie in document order, so a subtree is a range of
// them; where the input is canonical already, a canonical form is the input's own bytes, handed on
// as they are.
package xmltree
