package rules

import (
	"slices"

	"github.com/jitsuin/jitsuin"
)

// Notice is a notification (届出) that a resident owes the municipality.
type Notice string

const (
	NoticeMoveIn     Notice = "move-in"     // 転入届
	NoticeMoveWithin Notice = "move-within" // 転居届
	NoticeMoveOut    Notice = "move-out"    // 転出届
	NoticeHousehold  Notice = "household"   // 世帯変更届
	NoticeCardItems  Notice = "card-items"  // カード記載事項変更の届出
	NoticeBirth      Notice = "birth"       // 出生届
	NoticeDeath      Notice = "death"       // 死亡届
)

// NoticeRule says within how many days of the event a notice is due. FirstDay: the day of the
// event counts as the first (Family Register Act art. 43). Before: it is due before the event.
type NoticeRule struct {
	Notice   Notice
	FirstDay bool
	Before   bool
	Rule
}

// Notices lists the notices with their times.
func Notices() []NoticeRule {
	return []NoticeRule{
		{NoticeMoveIn, false, false, Rule{ID: "notice-move-in", N: 14, Unit: Days, InForce: always(),
			Text:   Text{"転入届は、転入をした日から14日以内。", "Notice of arrival within 14 days of arriving."},
			Source: cite(actResident, "22条", "art. 22", Ancestor)}},
		{NoticeMoveWithin, false, false, Rule{ID: "notice-move-within", N: 14, Unit: Days, InForce: always(),
			Text:   Text{"転居届は、転居をした日から14日以内。", "Notice of a move within the municipality within 14 days of moving."},
			Source: cite(actResident, "23条", "art. 23", Ancestor)}},
		{NoticeMoveOut, false, true, Rule{ID: "notice-move-out", InForce: always(),
			Text:   Text{"転出届は、あらかじめ（転出の前に）する。", "Notice of departure is given beforehand."},
			Source: cite(actResident, "24条", "art. 24", Ancestor)}},
		{NoticeHousehold, false, false, Rule{ID: "notice-household", N: 14, Unit: Days, InForce: always(),
			Text:   Text{"世帯変更届は、変更があった日から14日以内。", "Notice of a change of household within 14 days."},
			Source: cite(actResident, "25条", "art. 25", Unverified)}},
		{NoticeCardItems, false, false, Rule{ID: "notice-card-items", N: 14, Unit: Days, InForce: since(2016, 1, 1),
			Text:   Text{"カードの記載事項に変更があったときは14日以内に届け出る。", "A change of what the card shows is notified within 14 days."},
			Source: cite(actNumber, "17条", "art. 17", Ancestor)}},
		{NoticeBirth, true, false, Rule{ID: "notice-birth", N: 14, Unit: Days, InForce: always(),
			Text:   Text{"出生届は14日以内（出生の日を算入。国内で出生した場合）。", "Notice of birth within 14 days, the day of birth counted (births in Japan)."},
			Source: cite(actFamily, "43条・49条", "arts. 43 and 49", Unverified)}},
		{NoticeDeath, true, false, Rule{ID: "notice-death", N: 7, Unit: Days, InForce: always(),
			Text:   Text{"死亡届は、死亡の事実を知った日から7日以内（その日を算入。国内の場合）。", "Notice of death within 7 days of learning of it, that day counted (deaths in Japan)."},
			Source: cite(actFamily, "43条・86条", "arts. 43 and 86", Unverified)}},
	}
}

// NoticeDeadline gives the last day for a notice of an event on the day occurred; for a notice
// that is due beforehand the day before. It fails with kind Invalid for an unknown notice.
func NoticeDeadline(n Notice, occurred jitsuin.Date) (jitsuin.Date, error) {
	all := Notices()
	i := slices.IndexFunc(all, func(r NoticeRule) bool { return r.Notice == n })
	if i < 0 || occurred.IsZero() {
		return jitsuin.Date{}, jitsuin.Errorf(jitsuin.Invalid, "notice", "no deadline for the notice %q of an event on %q", n, occurred)
	}
	r := all[i]
	switch {
	case r.Before:
		return occurred.AddDays(-1), nil
	case r.FirstDay:
		return occurred.AddDays(r.N - 1), nil
	}
	return occurred.AddDays(r.N), nil
}
