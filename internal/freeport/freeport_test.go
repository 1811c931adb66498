package freeport

import (
	"net"
	"testing"
)

func TestPortsAreFreeAndGivenOnce(t *testing.T) {
	had := map[string]bool{}
	for range 50 {
		address, err := Address()
		if err != nil {
			t.Fatal(err)
		}
		if had[address] {
			t.Errorf("%s was given twice", address)
		}
		had[address] = true
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
}
