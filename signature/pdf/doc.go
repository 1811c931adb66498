// Package pdf reads PDF files as a verifier of signatures must (ISO 32000-2; PAdES, EN 319 142-1):
// strictly, one revision at a time, and only what is asked for. It finds the signatures, says which
// bytes and which revision each covers, and classifies what was changed afterwards.
//
// It owns the syntax: objects, cross-reference tables and streams, object streams, revisions, the
// trees of pages and fields, signature dictionaries, and the rules on changes. It knows no
// certificate, no trust, no policy and no clock; what /Contents holds is for packages cms and tsp.
// It writes nothing and fetches nothing.
//
// # How it reads
//
// Nothing is repaired, because two programs that repair differ in what they show. The file begins with
// %PDF-; its last startxref stands in the last 2 kB and is followed by %%EOF; every section of the
// /Prev chain is well formed, is closed by a startxref that names it, and lies behind the end of the
// revision before; an entry leads to the object that it names. Else the file is Invalid. Encrypted
// files are Unsupported, and so is what is beyond the limits, which are named constants.
//
// A revision is the bytes up to its %%EOF. In the view of a revision every object is looked up through
// that revision's sections alone and read from its bytes alone, so that nothing which is appended
// later can change what an older view says. White space after %%EOF belongs to the revision before;
// any other byte after the last %%EOF is a fault of the signatures that do not cover it. Garbage
// between objects, a second header, and objects to which nothing leads are nobody's concern.
//
// # Signatures
//
// A signature is the value of a signature field of the current form. Its byte range has four integers,
// begins at 0, leaves out exactly the string of hexadecimal digits that is /Contents of that very
// dictionary, and ends where a revision ends; the digits are one BER structure, then zeros; no key
// stands twice; the dictionary is no part of an object stream; field and dictionary are in the covered
// revision what they are now. Each broken rule is a Fault. A signature dictionary in force that no
// field has is reported as an orphan, and is none. Several fields may share one value only if they did
// when it was made.
//
// # What was changed afterwards
//
// The view of the covered revision is compared with the current one: what counts is what is shown now.
// A change is allowed only if a rule explains it; of every object that differs and that the signed
// revision reaches, a rule must have followed each reference to it, so that an object that also
// serves elsewhere is never explained away. An entry of an old revision that points past its end, an
// entry turned to other old bytes, a replaced object stream, an added object that the signed
// revision referred to and lacked: all forbidden. What rules explain has a Level:
//
//   - LevelEvidence: a document security store that only got more, document time-stamps, metadata,
//     document information, developer extensions, elements of new fields in the structure tree.
//   - LevelSign: a further signature, in an empty field or in a new one. A new field that shows
//     something covers nothing that the page or another annotation shows (text is taken as one em a
//     glyph where widths are not known), has no action, and is not added under a certification or a
//     lock on it. An empty field that was there may show something where it stands, unless it takes more
//     than a quarter of the page and covers words.
//   - LevelFill: values and appearances of fields that may be changed, inside their rectangles.
//   - LevelAnnotate: notes and markings of text without an appearance of their own.
//   - LevelOther: everything else, and all that could not be followed.
//
// DocMDP allows up to LevelEvidence (P 1), LevelFill (P 2) or LevelAnnotate (P 3); a signature without it
// allows LevelSign. That is sterner than readers of PDF are, which let form fields be filled in and notes be
// made after an approval: the same bytes replace what was signed (shadow attacks), so here the signer
// must have allowed it. FieldMDP and /Lock of signed fields hold. The rules follow ISO 32000-2 §12.8.2
// and the published work on attacks (pdf-insecurity.org: USF, ISA, SWA, shadow, certification) and on
// comparing revisions (pyHanko, iText, EU DSS); where those differ the sternest is taken, but for files that
// all of them accept.
package pdf
