package tlslogin_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/tlslogin"
)

func leafOf(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(path, path)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

// A certificate of our own making says in its name that it is none of an authority's, is for this machine and nothing else, and stays until a
// month before its end.
func TestACertificateOfItsOwnMaking(t *testing.T) {
	path, now := filepath.Join(t.TempDir(), "tls-login.pem"), time.Now()
	draw := func(host string, at time.Time) *x509.Certificate {
		t.Helper()
		if err := tlslogin.DrawOwn(path, host, at); err != nil {
			t.Fatal(err)
		}
		return leafOf(t, path)
	}
	first := draw("localhost", now)
	if err := first.VerifyHostname("localhost"); err != nil {
		t.Error(err)
	}
	if name := first.Subject.String(); !strings.Contains(name, "FOR TESTS ONLY") || first.IsCA || len(first.DNSNames) != 1 || len(first.IPAddresses) != 0 {
		t.Errorf("%s, for %v and %v, CA %v", name, first.DNSNames, first.IPAddresses, first.IsCA)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key lies there as %v: %v", info.Mode(), err)
	}
	for _, c := range []struct {
		says string
		host string
		at   time.Time
		same bool
	}{
		{"the next start finds it", "localhost", now.Add(24 * time.Hour), true},
		{"32 days before its end", "localhost", first.NotAfter.Add(-32 * 24 * time.Hour), true},
		{"29 days before its end", "localhost", first.NotAfter.Add(-29 * 24 * time.Hour), false},
		{"for another host", "127.0.0.1", now, false},
	} {
		before := leafOf(t, path)
		if after := draw(c.host, c.at); after.Equal(before) != c.same || after.VerifyHostname(c.host) != nil {
			t.Errorf("%s: the same %v, %v", c.says, after.Equal(before), after.VerifyHostname(c.host))
		}
	}
	if err := os.WriteFile(path, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	draw("platform.localhost", now)
	for _, host := range []string{"login.example", "192.0.2.1", "localhost.example", ""} {
		if err := tlslogin.DrawOwn(path, host, now); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%q: %v", host, err)
		}
	}
}
