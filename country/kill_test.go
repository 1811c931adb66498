//go:build unix

package country_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country"
)

// TestKill ends the whole country as a power cut would, at random moments while residents come to
// the counters, and starts it again on what is left. Nothing that was acknowledged may be lost,
// nothing half-issued may show, what was under way is sent again with the same key and takes effect
// once; and in the end the books of all actors agree. JITSUIN_SEED repeats the moments of a run.
func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("JITSUIN_SEED"), 10, 64); err == nil {
		seed = s
	}
	moments, lives := 5, 40
	if os.Getenv("JITSUIN_SOAK") != "" {
		moments, lives = 50, 120
	}
	t.Logf("JITSUIN_SEED=%d", seed)
	draw := rand.New(rand.NewPCG(seed, 0))
	up := upper{t: t, data: filepath.Join(t.TempDir(), "data"), at: listen(t), draw: draw}

	up.killed(1500 * time.Millisecond) // while the country is being made
	up.alive()
	crowd := country.NewCrowd(t, country.Folder(up.data), lives, seed)
	crowd.Work(6)
	for i := range moments - 1 {
		time.Sleep(time.Duration(draw.IntN(2000)) * time.Millisecond)
		up.now.kill()
		if i%4 == 3 {
			up.killed(time.Second) // while it recovers
		}
		up.alive()
		crowd.CheckAcknowledged(t)
	}
	crowd.Finish(t)
	up.audit()
	crowd.CheckBooks(t)

	up.alive()
	tourOf(t.Context(), t, up.data)
	up.audit()
}

// upper starts one country again and again.
type upper struct {
	t        *testing.T
	data, at string
	draw     *rand.Rand
	now      *process
}

func (u *upper) start() { u.now = start(u.t, "up", "--data", u.data, "--listen", u.at) }

// killed starts the country and kills it before long.
func (u *upper) killed(longest time.Duration) {
	u.start()
	time.Sleep(time.Duration(u.draw.Int64N(int64(longest))))
	u.now.kill()
}

// alive starts the country and waits until it is ready.
func (u *upper) alive() {
	u.t.Helper()
	u.start()
	u.now.await(u.t, upIsReady, time.Minute)
}

// audit lets the country come to rest, stops it, and compares the books.
func (u *upper) audit() {
	u.t.Helper()
	view := country.Settle(u.t, country.Folder(u.data))
	u.now.stop(u.t)
	for line := range strings.Lines(u.now.said.String()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "parked") {
			u.t.Errorf("trouble was logged: %s", line)
		}
	}
	country.CheckInvariants(u.t, country.Folder(u.data), view)
}
