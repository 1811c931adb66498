package httpapi

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestABodyThatDoesNotComeEndsTheRequest(t *testing.T) {
	ended := make(chan error, 1)
	s := httptest.NewServer(withBodyDeadline(time.Second, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		ended <- err
	})))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc") // and then nothing
	select {
	case err := <-ended:
		if err == nil {
			t.Fatal("three bytes of ten were taken for the whole body")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the request holds on to its goroutine")
	}
}

func TestAReadBodyLeavesTheHandlerItsTime(t *testing.T) {
	s := httptest.NewServer(withBodyDeadline(50*time.Millisecond, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusServiceUnavailable)
		case <-time.After(1500 * time.Millisecond):
		}
	})))
	defer s.Close()
	resp, err := http.Post(s.URL, "text/plain", http.NoBody)
	if err == nil {
		resp.Body.Close()
		resp, err = http.Post(s.URL, "text/plain", io.LimitReader(zeros{}, 100))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal("the deadline of the body cut the handler short")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
