package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
)

// span is a way forward in the calendar: 1mo, 2w, 3d12h.
type span struct {
	years, months, days int
	rest                time.Duration
}

func (s span) isZero() bool { return s == span{} }

// from moves t in the calendar of Japan.
func (s span) from(t time.Time) time.Time {
	return t.In(jitsuin.JST).AddDate(s.years, s.months, s.days).Add(s.rest)
}

// maxCount is what one number of a span may be; with it no sum overflows.
const maxCount = 100_000

// UnmarshalText reads one or more numbers with units: y, mo, w, d, h, m, s.
func (s *span) UnmarshalText(text []byte) error {
	whole := regexp.MustCompile(`^([0-9]+(y|mo|w|d|h|m|s))+$`)
	if !whole.Match(text) {
		return fmt.Errorf("a span is written like 1mo, 2w or 3d12h, not %q", text)
	}
	for _, part := range regexp.MustCompile(`([0-9]+)(y|mo|w|d|h|m|s)`).FindAllSubmatch(text, -1) {
		n, err := strconv.Atoi(string(part[1]))
		if err != nil || n > maxCount {
			return fmt.Errorf("%q is too far", text)
		}
		switch string(part[2]) {
		case "y":
			s.years += n
		case "mo":
			s.months += n
		case "w":
			s.days += 7 * n
		case "d":
			s.days += n
		case "h":
			s.rest += time.Duration(n) * time.Hour
		case "m":
			s.rest += time.Duration(n) * time.Minute
		case "s":
			s.rest += time.Duration(n) * time.Second
		}
	}
	if s.isZero() {
		return fmt.Errorf("%q goes nowhere", text)
	}
	return nil
}
