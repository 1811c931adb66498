package report

import (
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin/signature"
)

// law writes the legal reading.
func (v *View) law(d *Document) {
	l := &d.Legal
	if l.Purpose != "" || len(l.Basis) > 0 {
		p := Part{Heading: labels["basis"].in(v.Lang)}
		if l.Purpose != "" {
			p.row(v.Lang, "purpose", purposeTexts[l.Purpose].in(v.Lang))
		}
		p.Items = v.clauses(l.Basis)
		if d.Verdict != signature.Passed {
			p.Items = append(p.Items, v.word("no-law"))
		}
		v.Law = append(v.Law, p)
	}
	if l.Presumption != nil {
		p := Part{Heading: labels["presumption"].in(v.Lang)}
		word := "not-presumed"
		if l.Presumed {
			word = "presumed"
		}
		p.Items = append([]string{v.word(word)}, v.clauses([]Clause{*l.Presumption})...)
		v.Law = append(v.Law, p)
	}
	v.list("conditions", v.clauses(l.Conditions))
	v.list("must", v.clauses(l.Must))
	var keep []string
	for _, k := range l.Keep {
		keep = append(keep, v.keep(k))
	}
	v.list("keep", keep)
	v.list("may-not", v.clauses(l.MayNot))
}

func (v *View) list(heading string, items []string) {
	if len(items) > 0 {
		v.Law = append(v.Law, Part{Heading: labels[heading].in(v.Lang), Items: items})
	}
}

func (v *View) clauses(all []Clause) []string {
	var items []string
	for _, c := range all {
		items = append(items, v.bracket(pair{c.JA, c.EN}.in(v.Lang), of(c.Citation).in(v.Lang)))
	}
	return items
}

// keep says what is kept and until when.
func (v *View) keep(k Keep) string {
	until := fmt.Sprintf(v.word("years-from"), of(k.Start).in(v.Lang), k.Years)
	if k.Until != nil {
		until += v.separator() + fmt.Sprintf(v.word("day-of"), v.date(*k.Until))
	}
	return v.bracket(pair{k.JA, k.EN}.in(v.Lang), of(k.Law).in(v.Lang)+v.separator()+until)
}

func (v *View) separator() string {
	if v.Lang == Japanese {
		return "、"
	}
	return ", "
}

// details writes what is for whoever looks closer.
func (v *View) details(d *Document) {
	p := Part{Heading: labels["verdict"].in(v.Lang)}
	p.code(v.Lang, "verdict", v.Verdict)
	p.row(v.Lang, "at", stamp(d.At))
	p.row(v.Lang, "format", string(d.Format))
	if d.File != nil {
		p.row(v.Lang, "file", d.File.Name)
		p.code(v.Lang, "file-digest", d.File.SHA256)
	}
	p.row(v.Lang, "made-by", d.MadeBy)
	if d.MadeAt != nil {
		p.row(v.Lang, "made-at", stamp(*d.MadeAt))
	}
	if certificateOnly(&d.Report) {
		v.chain(&p, d.Chain, d.Revocation)
	}
	v.Details = append(v.Details, p)
	for i := range d.Signatures {
		v.Details = append(v.Details, v.detail(&d.Signatures[i], i+1, len(d.Signatures)))
	}
}

// certificateOnly tells a report on a certificate's status or path from one on a document.
func certificateOnly(r *signature.Report) bool { return len(r.Signatures) == 0 && r.Chain != nil }

func (v *View) detail(s *signature.Signature, n, of int) Part {
	p := Part{Heading: labels["signature"].in(v.Lang)}
	if s.Format == signature.FormatTST {
		p.Heading = labels["timestamp"].in(v.Lang)
	}
	if of > 1 {
		p.Heading += fmt.Sprintf(" %d／%d", n, of)
	}
	p.row(v.Lang, "format", strings.TrimSpace(string(s.Format)+" "+s.Level))
	p.code(v.Lang, "algorithm", joined(s.Algorithms.Signature, s.Algorithms.Digest, s.Algorithms.Key))
	if c := s.Covers; c != nil {
		p.code(v.Lang, "digest", strings.TrimSpace(c.DigestAlg+" "+c.Digest))
	}
	if s.Signer != nil {
		p.code(v.Lang, "subject", s.Signer.Subject)
		p.row(v.Lang, "validity", stamp(s.Signer.NotBefore)+" – "+stamp(s.Signer.NotAfter))
	}
	v.pdf(&p, s.PDF)
	v.chain(&p, &s.Chain, &s.Revocation)
	for _, c := range s.Checks {
		if !c.OK {
			p.code(v.Lang, "failed", fmt.Sprintf("%s: %s ≠ %s", c.What, c.Got, c.Expected))
		}
	}
	p.row(v.Lang, "checks", fmt.Sprintf("%d", len(s.Checks)))
	p.code(v.Lang, "unsigned", strings.Join(s.Unsigned, ", "))
	return p
}

// pdf writes what a signature in a PDF says of itself, and what was done to the file afterwards.
func (v *View) pdf(p *Part, d *signature.PDFPart) {
	if d == nil {
		return
	}
	p.row(v.Lang, "claims", joined(d.Name, d.Reason, d.Location))
	if d.Certification > 0 {
		p.row(v.Lang, "certified", v.word(fmt.Sprintf("doc-mdp-%d", d.Certification)))
	}
	for _, c := range d.Changes {
		p.code(v.Lang, "changes", c)
	}
}

// chain writes the path and the evidence of the status.
func (v *View) chain(p *Part, c *signature.Chain, r *signature.Revocation) {
	if c != nil {
		p.code(v.Lang, "path", strings.Join(c.Path, " → "))
		p.code(v.Lang, "anchor", c.AnchorSHA256)
		p.code(v.Lang, "reason", c.Reason)
	}
	if r == nil || r.Source == "" || r.Source == "none" {
		return
	}
	value := strings.ToUpper(r.Source)
	if r.ThisUpdate != nil {
		value += " " + stamp(*r.ThisUpdate)
	}
	if r.NextUpdate != nil {
		value += " – " + stamp(*r.NextUpdate)
	}
	p.row(v.Lang, "evidence", value)
	p.code(v.Lang, "reason", r.Why)
}

func joined(all ...string) string {
	var kept []string
	for _, s := range all {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, ", ")
}
