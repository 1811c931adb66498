package audits

import (
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
)

// say is a sentence in both languages.
type say struct{ ja, en string }

func (s say) in(lang string, args ...any) string {
	text := s.en
	if lang == "ja" {
		text = s.ja
	}
	return fmt.Sprintf(text, args...)
}

var (
	sayWhole     = say{"%s の動作記録は完全です：%d 行（%s から %s まで）", "the operation log of %s is whole: %d lines, %s to %s"}
	sayEmpty     = say{"%s の動作記録にはまだ行がありません", "the operation log of %s has no line yet"}
	sayFault     = say{"%s の動作記録に誤りがあります。最初の誤り：%s ― %s", "the operation log of %s is not whole. The first bad entry: %s: %s"}
	sayDetail    = say{"    詳しくは：%s", "    in detail: %s"}
	saySure      = say{"    署名が裏付けるのは %s までです", "    what was signed confirms the log up to %s"}
	sayWitnessed = say{"立会人が読んだ所：%s（証明 %d 通）", "the witness has read it up to %s (%d statements)"}
	sayUnwitness = say{"立会人の証明がありません", "no witness has stated anything on it"}
	sayUnasked   = say{"立会人に尋ねられませんでした（%s）。プラットフォームの手元の写しだけで確かめました", "the witness was not asked (%s): only the platform's own copies of its statements count"}
	sayFinding   = say{"立会人の指摘（証明 %d、%s）：%s", "the witness found (statement %d, %s): %s"}
	sayNumbers   = say{"立会人の証明が欠けています：%s", "statements of the witness are missing: %s"}
	sayEpoch     = say{"%s で新しい世代が始まります（データベースが写しから戻されました）。前の行は %s です。失われた行はありません", "at %s a new epoch begins: the database was put back from a copy. The line before is %s; nothing is known to be lost"}
	sayLost      = say{"%s で新しい世代が始まります（データベースが写しから戻されました）。前の行は %s で、少なくとも %d 行（%s まで）が失われました", "at %s a new epoch begins: the database was put back from a copy. The line before is %s; at least %d lines are lost, up to %s"}
	saySilent    = say{"記録のない時間：%s から %s まで（%s）。沈黙したか、行が除かれました", "no word of the time from %s to %s (%s): the platform fell silent, or lines were taken away"}
	sayBefore    = say{"%s から %s まで（%s）：動作記録はまだ始まっていませんでした", "the log had not begun from %s to %s (%s)"}
	sayStopped   = say{"%s から %s まで（%s）は止まっていました", "the platform was stopped from %s to %s (%s)"}
	sayHours     = say{"%d 時間帯", "%d hours touched"}
	sayHour      = say{"%s 台", "the hour from %s"}
	sayWaiting   = say{"まだ番号のない行：%d", "%d lines have no number yet"}
	sayPack      = say{"監査資料：%s、%s から %s まで、%d ファイル。署名は本物です", "audit pack of %s, %s to %s, %d files; its signature is genuine"}
	sayMissing   = say{"ありません [%s]：%s（%s）", "missing [%s]: %s (%s)"}
)

// faults say what kind of bad entry it is.
var faults = map[string]say{
	audit.FaultChanged:   {"行が書き換えられています", "the line was changed"},
	audit.FaultMissing:   {"行がありません", "lines are missing"},
	audit.FaultInserted:  {"そこにあるはずのない行があります", "a line stands there that does not belong there"},
	audit.FaultUnchained: {"前の行とつながりません", "the line does not continue the one before"},
	audit.FaultNoLine:    {"動作記録の行ではありません", "it is no line of an operation log"},
	audit.FaultRewritten: {"別の行に書き換えられています", "other lines stood there"},
	audit.FaultCut:       {"末尾が切り取られています", "the end was cut off"},
	audit.FaultUnsigned:  {"末尾に署名がありません", "the end is not signed"},
	audit.FaultSignature: {"署名が本物ではありません", "a signature is not genuine"},
	audit.FaultManifest:  {"資料が署名されたものと違います", "the pack is not what was signed"},
}

// Line is a sentence for a person and how grave it is: 0 well, 1 wrong, 2 something is missing.
type Line struct {
	Text string
	Code int
}

// Say says what was found.
func (f Found) Say(lang string) (all []Line) {
	add := func(code int, s say, args ...any) { all = append(all, Line{s.in(lang, args...), code}) }
	if f.Pack != nil && f.Pack.Verifier != "" && (f.Fault == nil || f.Fault.Code != audit.FaultManifest) {
		add(0, sayPack, f.Pack.Verifier, when(f.Pack.Period.From), when(f.Pack.Period.To), len(f.Pack.Files))
	}
	switch {
	case f.Fault != nil:
		add(1, sayFault, f.Verifier, where(*f.Fault), faults[f.Fault.Code].in(lang))
		add(1, sayDetail, f.Fault.What)
		if f.Fault.Sure.N > 0 {
			add(1, saySure, f.Fault.Sure)
		}
	case f.Report.Lines == 0:
		add(0, sayEmpty, f.Verifier)
	}
	if f.Fault == nil && f.Report.Last.N > 0 {
		add(0, sayWhole, f.Verifier, f.Report.Lines, f.First.Position(), f.Last.Position())
	}
	f.sayWitness(add)
	f.sayTimes(lang, add)
	if f.Waiting > 0 {
		add(0, sayWaiting, f.Waiting)
	}
	if f.Pack != nil {
		for _, m := range f.Pack.Missing {
			add(2, sayMissing, m.Criterion, m.What, m.Why)
		}
	}
	return all
}

func (f Found) sayWitness(add func(int, say, ...any)) {
	switch {
	case f.Statements > 0:
		add(0, sayWitnessed, f.Witnessed, f.Statements)
	case f.Last.N > 0:
		add(2, sayUnwitness)
	}
	if f.Unasked != "" {
		add(2, sayUnasked, f.Unasked)
	}
	for _, s := range f.Findings {
		note := s.Note
		if note == "" {
			note = s.Seen.Position().String()
		}
		add(2, sayFinding, s.Number, s.Finding, note)
	}
	if len(f.StatementsMissing) > 0 {
		add(2, sayNumbers, strings.Trim(fmt.Sprint(f.StatementsMissing), "[]"))
	}
}

func (f Found) sayTimes(lang string, add func(int, say, ...any)) {
	for _, e := range f.Epochs {
		if e.Lost > 0 {
			add(2, sayLost, e.At, e.After, e.Lost, e.LostUntil)
		} else {
			add(0, sayEpoch, e.At, e.After)
		}
	}
	for _, g := range f.Gaps {
		if g.To.Sub(g.From) < time.Second {
			continue
		}
		hours := g.Hours()
		which := sayHours.in(lang, len(hours))
		if len(hours) == 1 {
			which = sayHour.in(lang, when(hours[0]))
		}
		switch {
		case g.Stopped:
			add(0, sayStopped, when(g.From), when(g.To), which)
		case g.After == jitsuin.Position{} && g.Before == jitsuin.Position{Epoch: 1, N: 1}:
			add(2, sayBefore, when(g.From), when(g.To), which)
		default:
			add(2, saySilent, when(g.From), when(g.To), which)
		}
	}
}

// Code is the exit code: 0 whole, 1 an entry is bad, 2 something is missing.
func (f Found) Code() int {
	switch {
	case f.Fault != nil:
		return 1
	case f.Incomplete():
		return 2
	}
	return 0
}

func where(f audit.Fault) string {
	out := f.At.String()
	switch {
	case f.Code == audit.FaultManifest:
		return f.File
	case f.At == jitsuin.Position{}:
		out = "–"
	case f.Until != jitsuin.Position{} && f.Until != f.At:
		out += "–" + f.Until.String()
	}
	return out
}

// when writes a civil time as people in Japan read it.
func when(t time.Time) string { return t.In(jitsuin.JST).Format("2006-01-02 15:04 JST") }
