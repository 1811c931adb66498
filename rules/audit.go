package rules

import "github.com/jitsuin/jitsuin"

var accreditationAudit = series{{
	ID: "accreditation-audit", N: 1, Unit: Years, InForce: since(2016, 1, 1),
	Text: Text{"認定を受けた者は、認定の期間の各1年について監査を受け、その結果を主務大臣に報告する。",
		"Whoever is accredited is audited for each year of the accreditation and reports the result to the minister."},
	Source: cite(founding, "（プラットフォーム事業者・認定基準②）", "platform operators, criteria 2", OurReading,
		"The slides ask for audits; that they are yearly, and reported, follows the term of one year and is our reading."),
}}

var accreditationAuditReport = series{{
	ID: "accreditation-audit-report", N: 2, Unit: Months, InForce: since(2016, 1, 1),
	Text: Text{"監査の報告書は、各年の末日の2か月前までに提出する。",
		"The report on a year's audit is submitted at the latest two months before the last day of that year."},
	Source: cite(ourDecision, "", "", OurReading, "So that the renewal can be decided on it; no source sets a day."),
}}

var accreditationRenewal = series{{
	ID: "accreditation-renewal-audit", InForce: since(2016, 1, 1),
	Text: Text{"認定の更新は、その年の監査の報告を審査したうえで行う。報告の遅れにより認定の効力は停止せず、停止は主務大臣の決定による。",
		"A renewal is decided after the report on the year's audit was examined. A late report suspends nothing by itself: suspension is the minister's decision."},
	Source: cite(ourDecision, "", "", OurReading, "The sources leave open what a late report means."),
}}

func accreditationRules() []series {
	all := []series{accreditationTerm, accreditationAudit, accreditationAuditReport, accreditationRenewal}
	for _, c := range Criteria() {
		all = append(all, series{c.Rule})
	}
	return all
}

// AuditYear is one year of an accreditation, which is audited and reported on. From and Until are its first and last
// day, Due the last day for the report. N counts from 1.
type AuditYear struct {
	N                int
	From, Until, Due jitsuin.Date
	Because          Rule
}

// Late tells whether the report of the year is missing its day on today.
func (y AuditYear) Late(today jitsuin.Date) bool { return today.After(y.Due) }

// AuditYears gives the years of an accreditation that was granted on a day and lasts, with its renewals, until another.
// They follow the terms (AccreditationTerm). It fails with kind Invalid on a day before there were such verifiers.
func AuditYears(granted, until jitsuin.Date) ([]AuditYear, error) {
	audit, err := accreditationAudit.on(granted)
	if err != nil {
		return nil, err
	}
	var all []AuditYear
	for after := granted; after.Before(until); {
		end := yearsFrom(after.AddDays(1), audit.N)
		report, err := accreditationAuditReport.on(end)
		if err != nil {
			return nil, err
		}
		from := after.AddDays(1)
		if len(all) == 0 {
			from = granted
		}
		all = append(all, AuditYear{len(all) + 1, from, end, addMonths(end, -report.N), report})
		after = end
	}
	return all, nil
}
