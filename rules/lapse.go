package rules

import "github.com/jitsuin/jitsuin"

// LapseCause is one of the events that end a My Number Card (個人番号カードの失効).
type LapseCause int

const (
	LapseAbroad        LapseCause = iota + 1 // 国外転出
	LapseNoMoveIn                            // 転出後、期限までに最初の転入届がない
	LapseNotPresented                        // 転入後90日以内にカードを提出しない、又は再転出
	LapseDeath                               // 死亡
	LapseOutsideAct                          // 住民基本台帳法の適用を受けなくなった
	LapseDeleted                             // その他の消除
	LapseCodeChanged                         // 住民票コードの修正
	LapseReissued                            // 再交付の求め
	LapseReturned                            // 返納
	LapseReturnOrdered                       // 返納命令
	LapseExpired                             // 有効期間の満了
)

var lapses = func() [LapseExpired]Rule {
	rule := func(id, ja, en, article, articleEN string, c Confidence) Rule {
		return Rule{ID: "lapse-" + id, InForce: since(2016, 1, 1), Text: Text{ja, en}, Source: cite(ordNumber, article, articleEN, c,
			"Modelled on its ancestor, art. 30-20 of the Order for the Basic Resident Registration Act; item numbers may differ.")}
	}
	return [...]Rule{
		rule("abroad", "国外に転出したとき（2024年5月27日以後は、前日までに国外継続利用の手続をした場合を除く）。", "Departure abroad (from 27 May 2024, unless the procedure for continued use was done by the day before).", "14条", "art. 14", Ancestor),
		rule("no-move-in", "転出届をした者が、最初の転入届をせずに、転出予定年月日から30日又は転入をした日から14日のいずれか早い方を経過したとき。", "After notice of departure, no first notice of arrival within 30 days of the planned departure or 14 days of arriving, whichever ends first.", "14条", "art. 14", Ancestor),
		rule("not-presented", "最初の転入届から90日以内に継続利用のためにカードを提出しないとき、又はその前に更に転出したとき。", "The card not presented within 90 days of the first notice of arrival, or a further departure before that.", "14条", "art. 14", Ancestor),
		rule("death", "死亡したとき。", "Death.", "14条", "art. 14", Ancestor),
		rule("outside-act", "住民基本台帳法の適用を受けない者となったとき。", "The holder no longer comes under the Basic Resident Registration Act.", "14条", "art. 14", Ancestor),
		rule("deleted", "国内の転出以外の事由で住民票が消除されたとき。", "The resident record is deleted for a cause other than departure within the country.", "14条", "art. 14", Ancestor),
		rule("code-changed", "住民票コードが修正されたとき。", "The resident code is changed.", "14条", "art. 14", Ancestor),
		rule("reissued", "再交付を求めたとき（従前のカード）。", "Re-issue is asked for; the old card ends.", "14条", "art. 14", Ancestor),
		rule("returned", "返納したとき（いつでも返納できる）。", "The card is returned, which is possible at any time.", "14条・15条4項", "arts. 14 and 15(4)", Secondary),
		rule("return-ordered", "返納を命ぜられ、その通知又は公示があったとき（個人番号の変更を含む）。", "Return is ordered and notified or posted (a change of My Number included).", "14条", "art. 14", Ancestor),
		rule("expired", "有効期間が満了したとき。", "Validity is over.", "14条", "art. 14", Primary),
	}
}()

// Rule gives the rule of a cause, the zero Rule for an unknown one.
func (c LapseCause) Rule() Rule {
	if c < LapseAbroad || c > LapseExpired {
		return Rule{}
	}
	return lapses[c-1]
}

var moveInPlanned = series{{
	ID: "move-in-planned-days", N: 30, Unit: Days, InForce: since(2016, 1, 1),
	Text:   Text{"転出予定年月日から30日。", "30 days from the planned day of departure."},
	Source: cite(ordNumber, "14条", "art. 14", Ancestor),
}}

var moveInArrived = series{{
	ID: "move-in-arrived-days", N: 14, Unit: Days, InForce: since(2016, 1, 1),
	Text:   Text{"転入をした日から14日。", "14 days from the day of arrival."},
	Source: cite(ordNumber, "14条", "art. 14", Ancestor),
}}

var presentCard = series{{
	ID: "present-card-days", N: 90, Unit: Days, InForce: since(2016, 1, 1),
	Text:   Text{"最初の転入届から90日以内にカードを提出する。", "The card is presented within 90 days of the first notice of arrival."},
	Source: cite(ordNumber, "14条", "art. 14", Ancestor),
}}

var continuedUseAbroad = series{{
	ID: "continued-use-abroad", N: 1, Unit: Days, InForce: since(2024, 5, 27),
	Text:   Text{"国外継続利用の手続は、国外転出予定日の前日まで。", "The procedure for continued use abroad ends one day before the planned departure."},
	Source: cite(cardGuide, "（国外転出者向けマイナンバーカード）", "cards for people abroad", Secondary, "Japanese nationals only."),
}}

var freeReissueAbroad = series{{
	ID: "free-reissue-abroad", N: 90, Unit: Days, InForce: since(2024, 5, 27),
	Text:   Text{"国外転出で失効したカードは、転出後90日以内の申請なら無料で再交付する。", "A card that lapsed by departure is replaced free if asked for within 90 days."},
	Source: cite(cardGuide, "（国外転出者向けマイナンバーカード）", "cards for people abroad", Secondary),
}}

func lapseRules() []series {
	s := []series{moveInPlanned, moveInArrived, presentCard, continuedUseAbroad, freeReissueAbroad}
	for _, r := range lapses {
		s = append(s, series{r})
	}
	return s
}

// MoveInDeadline gives the last day on which a first notice of arrival (最初の転入届) saves the card:
// 30 days from the planned departure or 14 from the arrival, whichever ends first. No date for
// arrived means that the person has not said when they arrived.
func MoveInDeadline(planned, arrived jitsuin.Date) jitsuin.Date {
	last := planned.AddDays(moveInPlanned[0].N)
	if !arrived.IsZero() {
		if d := arrived.AddDays(moveInArrived[0].N); d.Before(last) {
			last = d
		}
	}
	return last
}

// PresentCardDeadline gives the last day to present the card after the first notice of arrival.
func PresentCardDeadline(filed jitsuin.Date) jitsuin.Date { return filed.AddDays(presentCard[0].N) }

// ContinuedUseDeadline gives the last day of the procedure for continued use abroad: the day
// before departure. ok is false for departures before cards could stay in use.
func ContinuedUseDeadline(departure jitsuin.Date) (last jitsuin.Date, ok bool) {
	r, err := continuedUseAbroad.on(departure)
	return departure.AddDays(-r.N), err == nil
}

// FreeReissueDeadline gives the last day to ask for a free card after departure abroad.
func FreeReissueDeadline(departure jitsuin.Date) (last jitsuin.Date, ok bool) {
	r, err := freeReissueAbroad.on(departure)
	return departure.AddDays(r.N), err == nil
}

// CardHistory is what happened to a card and its holder; no date means that it did not happen.
type CardHistory struct {
	ValidUntil      jitsuin.Date
	Abroad          jitsuin.Date // 国外転出の日
	ContinuedAbroad jitsuin.Date // the day of the procedure for continued use abroad
	MoveOutPlanned  jitsuin.Date // 転出予定年月日 of a departure within the country
	Arrived         jitsuin.Date // 転入をした日
	MoveInFiled     jitsuin.Date // 最初の転入届
	Presented       jitsuin.Date // the card was presented there for continued use
	MovedAgain      jitsuin.Date // departure from there
	Died            jitsuin.Date
	OutsideAct      jitsuin.Date
	Deleted         jitsuin.Date
	CodeChanged     jitsuin.Date
	Reissued        jitsuin.Date
	Returned        jitsuin.Date
	ReturnOrdered   jitsuin.Date
}

// Lapse gives the first day on which the card no longer counts, and why. A card whose time runs
// out counts through the last day of it. ok is false where nothing in the history ends the card.
// Of causes on the same day the one that the ordinance lists first is given.
func (h CardHistory) Lapse() (on jitsuin.Date, why LapseCause, ok bool) {
	ends := [LapseExpired]jitsuin.Date{h.abroad(), h.noMoveIn(), h.notPresented(), h.Died, h.OutsideAct, h.Deleted,
		h.CodeChanged, h.Reissued, h.Returned, h.ReturnOrdered, next(h.ValidUntil)}
	for i, d := range ends {
		if !d.IsZero() && (!ok || d.Before(on)) {
			on, why, ok = d, LapseCause(i+1), true
		}
	}
	return on, why, ok
}

func (h CardHistory) abroad() jitsuin.Date {
	last, possible := ContinuedUseDeadline(h.Abroad)
	if possible && !h.ContinuedAbroad.IsZero() && !h.ContinuedAbroad.After(last) {
		return jitsuin.Date{}
	}
	return h.Abroad
}

func (h CardHistory) noMoveIn() jitsuin.Date {
	if h.MoveOutPlanned.IsZero() {
		return jitsuin.Date{}
	}
	last := MoveInDeadline(h.MoveOutPlanned, h.Arrived)
	if !h.MoveInFiled.IsZero() && !h.MoveInFiled.After(last) {
		return jitsuin.Date{}
	}
	return next(last)
}

func (h CardHistory) notPresented() jitsuin.Date {
	if h.MoveInFiled.IsZero() {
		return jitsuin.Date{}
	}
	last := PresentCardDeadline(h.MoveInFiled)
	end := next(last)
	if !h.MovedAgain.IsZero() && h.MovedAgain.Before(end) {
		end = h.MovedAgain
	}
	if !h.Presented.IsZero() && !h.Presented.After(last) && !h.Presented.After(end) {
		return jitsuin.Date{}
	}
	return end
}

// next is the day after; no date stays no date.
func next(d jitsuin.Date) jitsuin.Date {
	if d.IsZero() {
		return d
	}
	return d.AddDays(1)
}
