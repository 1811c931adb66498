package platform_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform"
)

// While another's check runs, one waits for its turn and the next is told to come again; what waited is answered.
func TestChecksTakeTurns(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) { c.Checks = platform.ChecksConfig{AtOnce: 1, PerTenant: 1, Waiting: 1} })
	hanako := b.Agency.Resident("霧島　花子")
	request := b.signed(hanako)
	leave := must2(b.Platform.Enter(t.Context(), "tenant:other"))(t)
	waited := make(chan error, 1)
	go func() {
		_, err := b.verifyAs(b.tenant, request)
		waited <- err
	}()
	for end := time.Now().Add(20 * time.Second); b.Platform.Waiting() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody waits for the turn")
		}
	}
	_, err := b.verifyAs(b.tenant, request)
	code(t, err, jitsuin.Limited, "checks-waiting")
	if resp := b.bare("POST", "/v1/verifications", b.accessToken(b.tenant), []byte("{}")); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	leave()
	if err := <-waited; err != nil {
		t.Errorf("who waited: %v", err)
	}
	if n := b.count(`SELECT COUNT(*) FROM checks`); n != 1 {
		t.Errorf("%d checks, want the one that waited", n)
	}
}

// A body that does not come keeps nobody waiting, where there is one place for all.
func TestWhoSendsSlowlyHoldsNoPlace(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", func(c *platform.Config) { c.Checks = platform.ChecksConfig{AtOnce: 1, PerTenant: 1} })
	slow := b.Register("tenant:slow", origin)
	conn := must2(net.Dial("tcp", strings.TrimPrefix(b.Origin, "http://")))(t)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/verifications HTTP/1.1\r\nHost: platform\r\nExpect: 100-continue\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", b.accessToken(slow))
	line, err := bufio.NewReader(conn).ReadString('\n') // it reads the body now
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	fmt.Fprint(conn, `{"purpose":`)
	b.verify(b.signed(b.Agency.Resident("霧島　花子")))
}
