package country

import (
	"fmt"
	"testing"
)

func TestNoTwoListenersOfACountryMeet(t *testing.T) {
	loopback, err := NewPlan("localhost:8400")
	if err != nil {
		t.Fatal(err)
	}
	apart, err := NewPlan("192.0.2.1:8400")
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range []Plan{loopback, apart, {host: "127.0.0.1", port: 8400, byPort: true}} {
		seen := map[string]string{}
		take := func(address, who string) {
			if other, taken := seen[address]; taken {
				t.Errorf("%s and %s both listen on %s", who, other, address)
			}
			seen[address] = who
		}
		for i, address := range plan.Console() {
			take(address, fmt.Sprint("console ", i))
		}
		take(plan.Listen(numTLSLogin), "logins by TLS")
		for id, n := range instances(Facts{Seed: 1}.Sample()) {
			if n == 0 {
				continue
			}
			if id != Country {
				take(plan.Listen(n), id)
			}
			take(plan.Metrics(n), "figures of "+id)
		}
	}
	if _, err := NewPlan("localhost:65500"); err == nil {
		t.Error("a port that leaves no room for the others was taken")
	}
}
