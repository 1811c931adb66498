package cms_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

var update = flag.Bool("update", false, "write the seeds of the fuzz targets anew")

// seeds are files because the processes of a fuzz run must agree on the keys. TestSeeds -update makes
// them anew.
const seeds = "testdata/seeds"

func TestSeeds(t *testing.T) {
	if *update {
		p := signtest.New(t)
		all := levels(t, p.P384)
		for name, der := range map[string][]byte{
			"b.p7m": all[0], "lta.p7m": all[4], "countersigned.p7m": countersigned(t, document),
			"direct.p7m": forgery{who: p.RSA, direct: true, content: document}.make(t),
			"keyid.p7m":  forgery{who: p.RSA, keyID: p.RSA.Certificate.SubjectKeyId, content: document}.make(t),
		} {
			if err := os.WriteFile(filepath.Join(seeds, name), der, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, der := range seedFiles(t) {
		if got := anyFault(t, der, nil); got != "" {
			t.Errorf("a seed is not good: %q", got)
		}
	}
}

func seedFiles(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(seeds, "*.p7m"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d seeds, %v", len(files), err)
	}
	var all [][]byte
	for _, f := range files {
		der, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, der)
	}
	return all
}

// FuzzSignedData reads, judges, takes apart and writes anything. Nothing may panic; content that is not a
// seed's is never intact; what is added to keeps its signatures.
func FuzzSignedData(f *testing.F) {
	for _, der := range seedFiles(f) {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		sd, err := cms.Parse(der)
		if err != nil {
			return
		}
		d, err := sd.Digest(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		intact, over := 0, 0
		for _, s := range sd.All() {
			if sd.Verify(s, d, nil).Intact() {
				intact++
				if s.Countersigns() == nil {
					over++
				}
			}
			for _, st := range sd.Stamps(s, d) {
				if st.Fault == "" && len(st.Digest) != st.Hash.Size() {
					t.Fatal("a time-stamp has no fault and no digest")
				}
			}
			sd.Evidence(s)
		}
		if over > 0 && !bytes.Equal(sd.Content, document) {
			t.Fatal("intact, and the content is none that was signed")
		}
		more, err := cms.AddUnsigned(der, 0, cms.Attribute{Type: attrStamp, Values: [][]byte{{5, 0}}})
		if err != nil {
			return
		}
		again, err := cms.Parse(more)
		if err != nil {
			return // one attribute, one time-stamp or one octet too many
		}
		after := 0
		for _, s := range again.All() {
			if again.Verify(s, d, nil).Intact() {
				after++
			}
		}
		if after != intact {
			t.Fatalf("%d signatures were intact, and %d are after something unsigned was added", intact, after)
		}
	})
}
