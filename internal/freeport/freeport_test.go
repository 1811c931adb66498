package freeport

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Several programs look for ports at the same time. None is given one that another was given, whether or not somebody listens there yet.
func TestPortsAreFreeAndGivenOnce(t *testing.T) {
	if os.Getenv("FREEPORT_CHILD") != "" {
		for range 50 {
			address, err := Address()
			if err != nil {
				t.Fatal(err)
			}
			t.Log("given", address)
		}
		os.Stdout.Write([]byte("done\n"))
		os.Stdin.Read(make([]byte, 1)) // the blocks are this process's until it ends
		return
	}
	had := map[string]bool{}
	take := func(address string) {
		if had[address] {
			t.Errorf("%s was given twice", address)
		}
		had[address] = true
	}
	for range 4 {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPortsAreFreeAndGivenOnce$", "-test.v")
		c.Env = append(os.Environ(), "FREEPORT_CHILD=1")
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { in.Close(); c.Wait() })
		text := ""
		for b := make([]byte, 4096); !strings.Contains(text, "done\n"); {
			n, err := out.Read(b)
			if text += string(b[:n]); err != nil {
				t.Fatalf("%v after %q", err, text)
			}
		}
		for _, line := range strings.Split(text, "\n") {
			if _, address, ok := strings.Cut(line, "given "); ok {
				take(address)
			}
		}
	}
	for range 50 {
		address, err := Address()
		if err != nil {
			t.Fatal(err)
		}
		take(address)
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	if len(had) != 250 {
		t.Errorf("%d ports", len(had))
	}
}
