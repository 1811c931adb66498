package cert

import (
	"testing"
	"time"
)

func TestWithoutAnInstantNothingIsGood(t *testing.T) {
	for _, st := range []Status{{State: Good}, {State: Revoked, RevokedAt: time.Now()}} {
		if got := JudgeAt(st, time.Time{}); got.State != Unknown || got.Why == "" {
			t.Errorf("%s at no instant is %s", st.State, got.State)
		}
	}
}
