package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
)

// A key is the first for thirty days and opens for seven more, also after a restart; then it is gone from the file, too.
func TestAdapterKeysRotate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), adapterKeyFile)
	open := func() *adapterKeys { return &adapterKeys{path: path, now: func() time.Time { return now }} }
	encrypt := func(k *adapterKeys) string {
		t.Helper()
		set, err := k.Public(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: set.Keys[0].Key}, nil)
		if err != nil {
			t.Fatal(err)
		}
		o, err := e.Encrypt([]byte("certificate"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := o.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := open()
	jwe := encrypt(first)
	for _, at := range []struct {
		after time.Duration
		keys  int
		opens bool
	}{{0, 1, true}, {adapterKeyLife - time.Second, 1, true}, {adapterKeyLife, 2, true}, {adapterKeyLife + adapterKeyAfter - time.Second, 2, true}, {adapterKeyLife + adapterKeyAfter, 1, false}} {
		now = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(at.after)
		for _, k := range []*adapterKeys{first, open()} {
			set, err := k.Public(t.Context())
			if err != nil || len(set.Keys) != at.keys {
				t.Errorf("after %s: %d keys, %v", at.after, len(set.Keys), err)
			}
			for _, key := range set.Keys {
				if !key.IsPublic() {
					t.Fatal("a private key is published")
				}
			}
			_, err = k.Open(t.Context(), jwe)
			if (err == nil) != at.opens || err != nil && jitsuin.CodeOf(err) != "jwe-key" {
				t.Errorf("after %s: %v", at.after, err)
			}
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, bad := range []string{"", "a.b.c", strings.Repeat("x", 100), strings.Replace(jwe, ".", "..", 1)} {
		if _, err := first.Open(t.Context(), bad); jitsuin.CodeOf(err) != "jwe-form" {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}
