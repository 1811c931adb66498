package jitsuin

import (
	"fmt"
	"time"
)

// JST is Japan Standard Time. All dates of the law are dates in JST.
var JST = time.FixedZone("JST", 9*60*60)

// Date is a calendar day in Japan, without a time. It prints and marshals as YYYY-MM-DD;
// the zero value is no date and marshals as "".
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf gives the day on which the instant t falls in Japan.
func DateOf(t time.Time) Date {
	y, m, d := t.In(JST).Date()
	return Date{y, m, d}
}

// ParseDate reads YYYY-MM-DD and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, Errorf(Invalid, "date-form", "a date is written YYYY-MM-DD and must exist, not %q", s)
	}
	return Date{t.Year(), t.Month(), t.Day()}, nil
}

// Start is the first instant of the day, midnight JST.
func (d Date) Start() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, JST) }

// LastSecond is 23:59:59 JST of the day.
func (d Date) LastSecond() time.Time { return time.Date(d.Year, d.Month, d.Day, 23, 59, 59, 0, JST) }

// AddDays moves by whole days.
func (d Date) AddDays(n int) Date { return DateOf(d.Start().AddDate(0, 0, n)) }

// Compare is -1, 0 or +1 as d is before, equal to or after e.
func (d Date) Compare(e Date) int { return d.Start().Compare(e.Start()) }

// Before tells whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After tells whether d is a later day than e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }

// IsZero tells whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// String writes YYYY-MM-DD, or "" for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// MarshalText writes YYYY-MM-DD, or nothing for no date.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD, or nothing for no date.
func (d *Date) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	*d, err = ParseDate(string(b))
	return err
}
