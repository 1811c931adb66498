package rules

import (
	"testing"

	"github.com/jitsuin/jitsuin"
)

func TestDeadlinesOfAMove(t *testing.T) {
	for _, c := range []struct{ planned, arrived, want string }{
		{"2026-04-01", "", "2026-05-01"},           // 30 days
		{"2026-04-01", "2026-04-03", "2026-04-17"}, // 14 days of arriving end first
		{"2026-04-01", "2026-04-16", "2026-04-30"},
		{"2026-04-01", "2026-04-17", "2026-05-01"}, // both on one day
		{"2026-04-01", "2026-04-18", "2026-05-01"}, // the 30 days end first
		{"2028-01-30", "", "2028-02-29"},           // into a leap day
		{"2027-01-30", "", "2027-03-01"},
	} {
		if got := MoveInDeadline(d(t, c.planned), d(t, c.arrived)); got != d(t, c.want) {
			t.Errorf("planned %s, arrived %q: %v, want %s", c.planned, c.arrived, got, c.want)
		}
	}
	if got := PresentCardDeadline(d(t, "2026-04-10")); got != d(t, "2026-07-09") {
		t.Errorf("90 days after 2026-04-10: %v", got)
	}
	if last, ok := ContinuedUseDeadline(d(t, "2024-05-27")); !ok || last != d(t, "2024-05-26") {
		t.Errorf("departure on the first day of continued use: %v, %v", last, ok)
	}
	if _, ok := ContinuedUseDeadline(d(t, "2024-05-26")); ok {
		t.Error("continued use before it was law")
	}
	if last, ok := FreeReissueDeadline(d(t, "2026-04-01")); !ok || last != d(t, "2026-06-30") {
		t.Errorf("90 days after departure: %v, %v", last, ok)
	}
	if _, ok := FreeReissueDeadline(d(t, "2024-05-26")); ok {
		t.Error("free re-issue before it was law")
	}
}

func TestLapse(t *testing.T) {
	for _, c := range []struct {
		name string
		tell func(*CardHistory)
		on   string
		why  LapseCause
	}{
		{"nothing but time", func(*CardHistory) {}, "2035-02-18", LapseExpired},
		{"left the country without a word", func(h *CardHistory) { h.Abroad = d(t, "2026-04-01") }, "2026-04-01", LapseAbroad},
		{"continued use on the day before", func(h *CardHistory) { h.Abroad, h.ContinuedAbroad = d(t, "2026-04-01"), d(t, "2026-03-31") }, "2035-02-18", LapseExpired},
		{"continued use on the day itself is too late", func(h *CardHistory) { h.Abroad, h.ContinuedAbroad = d(t, "2026-04-01"), d(t, "2026-04-01") }, "2026-04-01", LapseAbroad},
		{"continued use before it was law", func(h *CardHistory) { h.Abroad, h.ContinuedAbroad = d(t, "2024-05-26"), d(t, "2024-05-01") }, "2024-05-26", LapseAbroad},
		{"never arrived anywhere", func(h *CardHistory) { h.MoveOutPlanned = d(t, "2026-04-01") }, "2026-05-02", LapseNoMoveIn},
		{"notified on the last day, presented at once", func(h *CardHistory) {
			h.MoveOutPlanned, h.Arrived, h.MoveInFiled, h.Presented = d(t, "2026-04-01"), d(t, "2026-04-03"), d(t, "2026-04-17"), d(t, "2026-04-17")
		}, "2035-02-18", LapseExpired},
		{"notified a day late", func(h *CardHistory) {
			h.MoveOutPlanned, h.Arrived, h.MoveInFiled, h.Presented = d(t, "2026-04-01"), d(t, "2026-04-03"), d(t, "2026-04-18"), d(t, "2026-04-18")
		}, "2026-04-18", LapseNoMoveIn},
		{"presented on the 90th day", func(h *CardHistory) { h.MoveInFiled, h.Presented = d(t, "2026-04-10"), d(t, "2026-07-09") }, "2035-02-18", LapseExpired},
		{"presented on the 91st day", func(h *CardHistory) { h.MoveInFiled, h.Presented = d(t, "2026-04-10"), d(t, "2026-07-10") }, "2026-07-10", LapseNotPresented},
		{"moved on before presenting", func(h *CardHistory) { h.MoveInFiled, h.MovedAgain = d(t, "2026-04-10"), d(t, "2026-05-01") }, "2026-05-01", LapseNotPresented},
		{"presented only after moving on", func(h *CardHistory) {
			h.MoveInFiled, h.MovedAgain, h.Presented = d(t, "2026-04-10"), d(t, "2026-05-01"), d(t, "2026-05-02")
		}, "2026-05-01", LapseNotPresented},
		{"presented, then moved on", func(h *CardHistory) {
			h.MoveInFiled, h.Presented, h.MovedAgain = d(t, "2026-04-10"), d(t, "2026-04-10"), d(t, "2026-05-01")
		}, "2035-02-18", LapseExpired},
		{"died", func(h *CardHistory) { h.Died = d(t, "2026-04-01") }, "2026-04-01", LapseDeath},
		{"status of residence lost", func(h *CardHistory) { h.OutsideAct = d(t, "2026-04-01") }, "2026-04-01", LapseOutsideAct},
		{"deleted", func(h *CardHistory) { h.Deleted = d(t, "2026-04-01") }, "2026-04-01", LapseDeleted},
		{"new code", func(h *CardHistory) { h.CodeChanged = d(t, "2026-04-01") }, "2026-04-01", LapseCodeChanged},
		{"re-issued", func(h *CardHistory) { h.Reissued = d(t, "2026-04-01") }, "2026-04-01", LapseReissued},
		{"returned", func(h *CardHistory) { h.Returned = d(t, "2026-04-01") }, "2026-04-01", LapseReturned},
		{"return ordered", func(h *CardHistory) { h.ReturnOrdered = d(t, "2026-04-01") }, "2026-04-01", LapseReturnOrdered},
		{"the first of several", func(h *CardHistory) { h.Died, h.Returned = d(t, "2026-04-02"), d(t, "2026-04-01") }, "2026-04-01", LapseReturned},
	} {
		h := CardHistory{ValidUntil: d(t, "2035-02-17")}
		c.tell(&h)
		on, why, ok := h.Lapse()
		if !ok || on != d(t, c.on) || why != c.why || why.Rule().ID == "" {
			t.Errorf("%s: %v %v %v (%s), want %s %v", c.name, on, why, ok, why.Rule().ID, c.on, c.why)
		}
	}
	if on, why, ok := (CardHistory{}).Lapse(); ok || why.Rule() != (Rule{}) {
		t.Errorf("an empty history ends the card on %v by %v", on, why)
	}
}

func TestNoticeDeadline(t *testing.T) {
	for _, c := range []struct {
		notice         Notice
		occurred, want string
	}{
		{NoticeMoveIn, "2026-04-01", "2026-04-15"}, // the day of arrival does not count
		{NoticeMoveWithin, "2026-04-01", "2026-04-15"},
		{NoticeHousehold, "2026-04-01", "2026-04-15"},
		{NoticeCardItems, "2026-02-15", "2026-03-01"},
		{NoticeCardItems, "2028-02-15", "2028-02-29"},
		{NoticeMoveOut, "2026-04-01", "2026-03-31"},
		{NoticeBirth, "2026-04-01", "2026-04-14"}, // the day of birth counts
		{NoticeDeath, "2026-04-01", "2026-04-07"},
	} {
		if got, err := NoticeDeadline(c.notice, d(t, c.occurred)); err != nil || got != d(t, c.want) {
			t.Errorf("%s of %s: %v, %v, want %s", c.notice, c.occurred, got, err, c.want)
		}
	}
	if _, err := NoticeDeadline("joy", d(t, "2026-04-01")); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("unknown notice: %v", err)
	}
	if _, err := NoticeDeadline(NoticeBirth, jitsuin.Date{}); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("no day: %v", err)
	}
}
