package rules

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

var timeStampDeviation = series{{
	ID: "time-stamp-deviation", N: 1, Unit: Seconds, InForce: always(),
	Text: Text{"時刻認証業務では、時刻の誤差が1秒以上になったときは、タイムスタンプを発行しない。",
		"A time-stamping authority issues nothing while its time is off by a second or more."},
	Source: cite(regTimestamp, "", "", Unverified, "Certified services keep within a second of UTC(NICT); the private scheme before 2021 asked the same."),
}}

// TimeStampDeviation gives how far off the time of a certified time-stamping authority
// (認定タイムスタンプ局) must never be on a day: from there on it stops.
func TimeStampDeviation(on jitsuin.Date) time.Duration {
	return time.Duration(timeStampDeviation.n(on)) * time.Second
}
