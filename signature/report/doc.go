// Package report makes a verification report (検証報告書) useful to whoever received the document: it
// joins the technical report of package signature with what the law makes of it (package rules), says
// in plain words what to do next, and writes all of it as JSON, text, a page and a PDF.
//
// It owns the legal reading, the catalogue of sentences for people and the renderings. It judges
// nothing: verdicts come from package signature, rules and numbers of the law from package rules. It
// opens no file or connection and asks no clock. What leaves it never has a serial number (発行番号)
// in it: the law gives that to the check alone.
//
// # Order
//
// Every rendering tells the same things in the same order, for a reader who is no cryptographer: the
// verdict in plain words, what it means, what to do, who signed what and when, what the law says,
// and at the end the details. All of them are made from one View, so they cannot differ.
package report
