package tsa

import (
	"time"

	"golang.org/x/sys/unix"
)

// closeEnough is how long a look at both clocks may take. A process that was stopped between the two
// would see a difference that is none, so it looks again, a few times.
const (
	closeEnough = 20 * time.Millisecond
	mostLooks   = 5
)

// readClocks looks at the wall clock and at CLOCK_BOOTTIME, which runs while the machine sleeps.
func readClocks() Reading {
	for looks := 1; ; looks++ {
		before := bootTime()
		wall := time.Now().Round(0)
		if after := bootTime(); after-before < closeEnough || looks == mostLooks {
			return Reading{wall, before + (after-before)/2}
		}
	}
}

func bootTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return time.Since(began) // a kernel of before 2.6.39
	}
	return time.Duration(t.Nano())
}

var began = time.Now()
