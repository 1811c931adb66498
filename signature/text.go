package signature

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// verdictTexts are the first lines.
var verdictTexts = map[Verdict][2]string{
	Passed:        {"有効です", "Valid"},
	Failed:        {"有効ではありません", "Not valid"},
	Indeterminate: {"判定できません", "Cannot be decided"},
	Unsupported:   {"対応していない形式です", "Not supported"},
	Malformed:     {"電子署名として読み取れません", "Not readable as a signature"},
}

// labels are the words at the left.
var labels = map[string][2]string{
	"verdict": {"判定", "Verdict"}, "at": {"確認時点", "Checked as of"}, "integrity": {"文書の同一性", "Integrity"},
	"signature": {"署名", "Signature"}, "signer": {"署名者", "Signer"}, "kind": {"証明書の種類", "Certificate"},
	"name": {"氏名", "Name"}, "address": {"住所", "Address"}, "birth": {"生年月日", "Date of birth"},
	"covers": {"署名対象", "Covers"}, "time": {"署名日時", "Signing time"}, "algorithm": {"暗号方式", "Algorithms"},
	"chain": {"認証局", "Authority"}, "status": {"失効確認", "Status"}, "reason": {"理由", "Reason"}, "failed": {"不一致", "Failed check"},
}

// words are the values that need both languages.
var words = map[string][2]string{
	"sign": {"署名用電子証明書", "signature certificate"}, "auth": {"利用者証明用電子証明書", "user authentication certificate"},
	"other": {"公的個人認証サービス以外の証明書", "not a certificate of the public personal authentication system"},
	"ok":    {"変更なし", "unchanged"}, "broken": {"変更あり、または一致しません", "changed, or not matching"}, "": {"確認できません", "could not be established"},
	"embedded": {"署名に内包された文書", "the embedded document"}, "detached": {"指定された文書", "the given document"},
	"digest":    {"指定されたハッシュ値の文書", "the document with the given digest"},
	"claimed":   {"署名者の申告。証明されていません", "claimed by the signer, not proven"},
	"untrusted": {"信頼できる認証局まで確認できません", "no path to a trusted authority"},
	"good":      {"失効していません", "not revoked"}, "revoked": {"失効しています", "revoked"},
	"unknown": {"不明", "unknown"}, "not_checked": {"確認していません", "not checked"}, "bytes": {"バイト", "bytes"},
}

// Text writes the report for people, in Japanese ("ja") or English (anything else). It leaves out
// serial numbers, and nothing that a certificate says can steer the terminal.
func (r *Report) Text(lang string) string {
	w := &textWriter{ja: lang == "ja"}
	verdict := w.pick(verdictTexts[r.Verdict]) + " (" + string(r.Verdict)
	if r.SubIndication != "" {
		verdict += " / " + string(r.SubIndication)
	}
	w.line("", "verdict", verdict+")")
	for _, reason := range r.Reasons {
		w.line("", "reason", w.pick([2]string{reason.JA, reason.EN}))
	}
	w.line("", "at", stamp(r.At))
	if len(r.Signatures) > 0 {
		w.line("", "integrity", w.word(string(r.Integrity)))
	}
	for i := range r.Signatures {
		w.signature(&r.Signatures[i], i+1, len(r.Signatures))
	}
	return w.b.String()
}

type textWriter struct {
	b  strings.Builder
	ja bool
}

func (w *textWriter) pick(pair [2]string) string {
	if w.ja {
		return pair[0]
	}
	return pair[1]
}

func (w *textWriter) word(key string) string {
	if pair, ok := words[key]; ok {
		return w.pick(pair)
	}
	return key
}

func (w *textWriter) line(indent, label, value string) {
	separator := ": "
	if w.ja {
		separator = "："
	}
	fmt.Fprintf(&w.b, "%s%s%s%s\n", indent, w.pick(labels[label]), separator, calm(value))
}

// signature writes one signature.
func (w *textWriter) signature(s *Signature, n, of int) {
	const in = "  "
	w.b.WriteString("\n")
	w.line("", "signature", strings.TrimSpace(fmt.Sprintf("%d/%d  %s %s", n, of, s.Format, s.Level)))
	if of > 1 {
		w.line(in, "verdict", w.pick(verdictTexts[s.Indication])+" ("+string(s.Indication)+")")
	}
	if s.Signer != nil {
		w.line(in, "signer", s.Signer.Subject)
		kind := string(s.Signer.Kind)
		if kind == "" {
			kind = "other"
		}
		w.line(in, "kind", w.word(kind))
	}
	if i := s.Items; i != nil {
		w.line(in, "name", i.Name)
		w.line(in, "address", i.Address)
		w.line(in, "birth", i.BirthDate.String())
	}
	if c := s.Covers; c != nil {
		w.line(in, "covers", fmt.Sprintf("%s, %d %s, %s %s", w.word(c.Content), c.Bytes, w.word("bytes"), c.DigestAlg, c.Digest))
	}
	if t := s.SigningTime; t != nil {
		w.line(in, "time", stamp(t.At)+" ("+w.word(t.Proof)+")")
	}
	w.line(in, "algorithm", strings.Join(nonEmpty(s.Algorithms.Signature, s.Algorithms.Digest, s.Algorithms.Key), ", "))
	w.trust(s)
	if of > 1 {
		for _, reason := range s.Reasons {
			w.line(in, "reason", w.pick([2]string{reason.JA, reason.EN}))
		}
	}
	for _, c := range s.Checks {
		if !c.OK {
			w.line(in, "failed", fmt.Sprintf("%s (%s ≠ %s)", c.What, c.Got, c.Expected))
		}
	}
}

// trust writes chain and status.
func (w *textWriter) trust(s *Signature) {
	authority := w.word("untrusted")
	if s.Chain.OK {
		authority = s.Chain.Anchor
	}
	w.line("  ", "chain", authority)
	status := w.word(string(s.Revocation.Status))
	if s.Revocation.Status != cert.NotChecked {
		status += " (" + strings.Join(nonEmpty(s.Revocation.Source, string(s.Revocation.Reason), s.Revocation.Why), ", ") + ")"
	}
	for _, t := range []*time.Time{s.Revocation.RevokedAt, s.Revocation.ThisUpdate} {
		if t != nil {
			status += " " + stamp(*t)
			break
		}
	}
	w.line("  ", "status", status)
}

func nonEmpty(all ...string) []string {
	var kept []string
	for _, s := range all {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// stamp writes an instant as people in Japan read it.
func stamp(t time.Time) string { return t.In(jitsuin.JST).Format("2006-01-02 15:04:05 JST") }

// calm replaces what could move a cursor or turn the direction of writing.
func calm(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
}
