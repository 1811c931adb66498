package probe

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/explain"
)

// WriteText writes the report for people, in "ja" or "en".
func (r *Report) WriteText(w io.Writer, lang string) error {
	say := func(t explain.Text) string { return t.In(lang) }
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%s\n\n", say(explain.Text{JA: "カードの調査結果（個人に関することは含みません）", EN: "Report on a card (nothing in it is about a person)"}))
	fmt.Fprintf(out, "ATR\t%s\t%s\n", r.ATR, r.ATRName)
	if t := r.Token; t != nil {
		fmt.Fprintf(out, "%s\t%s\t%s\n", say(explain.Text{JA: "種類", EN: "Kind"}), t.Kind, strings.TrimSpace(t.Label+" "+t.Model))
	}
	for _, a := range r.Applications {
		fmt.Fprintf(out, "\n%s\t%s\t%s %s\n", a.Name, a.AID, a.SW, words(a.SW, lang))
		for _, f := range a.Files {
			fmt.Fprintf(out, "  %s\t%s\t%s\n", f.ID, f.describe(lang), strings.TrimSpace(f.Tries+" "+words(f.Tries, lang)))
		}
	}
	fmt.Fprintln(out)
	for _, c := range r.Commands {
		fmt.Fprintf(out, "%s\t%s\t%s %s\t%d\n", c.What, c.Command, c.SW, words(c.SW, lang), c.Size)
	}
	for _, c := range r.Certificates {
		c.write(out)
	}
	return out.Flush()
}

func (f File) describe(lang string) string {
	if f.Size > 0 {
		return explain.Text{JA: fmt.Sprintf("%dバイト、終わりで %s", f.Size, f.AtEnd), EN: fmt.Sprintf("%d bytes, at the end %s", f.Size, f.AtEnd)}.In(lang)
	}
	return f.Read + " " + words(f.Read, lang)
}

// words says what a status word means; "" for none.
func words(sw, lang string) string {
	b, err := hex.DecodeString(sw)
	if err != nil || len(b) != 2 {
		return ""
	}
	return explain.SayStatus(card.SW(b[0])<<8 | card.SW(b[1])).In(lang)
}

func (c Certificate) write(out io.Writer) {
	fmt.Fprintf(out, "\n%s\t%d bytes\t%s\n", c.File, c.Size, c.Error)
	if c.Error != "" {
		return
	}
	fmt.Fprintf(out, "  %s\t%s\tserial of %d octets, %d years, ends at the end of a day: %v\n", c.Algorithm, c.Key, c.SerialSize, c.Years, c.EndOfDay)
	if c.Authority {
		fmt.Fprintf(out, "  %s\tSHA-256 %s\n", strings.Join(c.Names, ", "), c.SHA256)
	}
	for _, a := range c.Subject {
		fmt.Fprintf(out, "  subject %s\tstring type %s\t%d bytes\n", a.Type, a.String, a.Size)
	}
	for _, e := range c.Extensions {
		critical := ""
		if e.Critical {
			critical = "critical"
		}
		fmt.Fprintf(out, "  extension %s\t%d bytes\t%s\n", e.OID, e.Size, critical)
	}
	for _, p := range c.Policies {
		fmt.Fprintf(out, "  policy %s\n", p)
	}
	for _, u := range c.OCSP {
		fmt.Fprintf(out, "  OCSP %s\n", printable(u))
	}
}
