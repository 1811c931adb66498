// Package xpath evaluates the XPath 1.0 expressions that XML signatures filter nodes with.
//
// It owns the part of XPath 1.0 that such expressions are made of: paths over the axes of elements and
// attributes, predicates, comparisons and a dozen functions, with here() of XML Signature. The axis namespace, the
// node tests text(), comment() and processing-instruction(), and variables are not provided and are
// refused at Compile. It knows no signature, and each evaluation has a budget that ends what takes too long.
package xpath
