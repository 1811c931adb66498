package filing

import (
	"fmt"
	"strings"
	"unicode"
)

// marks of the outcomes.
var marks = map[Outcome]string{Pass: "✓", Warn: "!", Fail: "✗", Unchecked: "–"}

// Text writes the report for people, in Japanese ("ja") or English (anything else). Nothing that a file says can steer
// the terminal.
func (r *Report) Text(lang string) string {
	ja := lang == "ja"
	pick := func(j, e string) string {
		if ja {
			return j
		}
		return e
	}
	var b strings.Builder
	if r.Unreadable != "" {
		fmt.Fprintln(&b, pick("判定：PDFファイルとして読み取れません", "Verdict: Not a PDF file that can be read"))
		fmt.Fprintln(&b, "  "+plain(r.Unreadable))
		return b.String()
	}
	verdict := pick("判定：提出できる形式ではありません（登記・供託オンライン申請システム）", "Verdict: Not the form that the online application system for registration and deposit takes")
	if r.Accepted {
		verdict = pick("判定：提出できる形式です（登記・供託オンライン申請システム）", "Verdict: The form that the online application system for registration and deposit takes")
	}
	fmt.Fprintln(&b, verdict)
	for i, c := range r.Checks {
		if c.Field != "" && i%len(rules) == 0 {
			fmt.Fprintf(&b, "%s %d/%d (%s)\n", pick("署名", "Signature"), i/len(rules)+1, r.Signatures, plain(c.Field))
		}
		fmt.Fprintf(&b, "  %s %s %s\n", marks[c.Outcome], c.ID, pick(c.JA, c.EN))
		if c.Outcome == Fail || c.Outcome == Warn {
			fmt.Fprintf(&b, "       %s: %s; %s: %s\n", pick("必要", "expected"), c.Expected, pick("実際", "found"), plain(c.Got))
			fmt.Fprintf(&b, "       %s: %s\n", pick("根拠", "source"), c.Source)
		}
	}
	fmt.Fprintln(&b, pick("証明書の有効性と失効は、ここでは確かめていません（提出先が確かめます）。", "Whether the certificate is valid and not revoked was not looked at: the office does that."))
	return b.String()
}

// plain takes out what steers terminals.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, s)
}
