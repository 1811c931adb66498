package jp2

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// judge gives OpenJPEG's reader.
func judge(t testing.TB) string {
	t.Helper()
	p, err := exec.LookPath("opj_decompress")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("opj_decompress is not installed: run scripts/judges")
		}
		t.Skip("######## opj_decompress is not installed: nobody judged the JPEG 2000 files; run scripts/judges ########")
	}
	return p
}

// decoded is what OpenJPEG reads from a file of ours.
func decoded(t testing.TB, program string, file []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "p.jp2"), filepath.Join(dir, "p.pgm")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(program, "-i", in, "-o", out).CombinedOutput(); err != nil || bytes.Contains(said, []byte("WARNING")) {
		t.Fatalf("opj_decompress: %v\n%s", err, said)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// pictures of every awkward shape, flat, noisy and with edges.
func pictures() map[string]*image.Gray {
	random := rand.New(rand.NewPCG(1, 2))
	fill := map[string]func(x, y int) uint8{
		"black":  func(int, int) uint8 { return 0 },
		"grey":   func(int, int) uint8 { return 128 },
		"noise":  func(int, int) uint8 { return uint8(random.IntN(256)) },
		"checks": func(x, y int) uint8 { return uint8((x ^ y) & 1 * 255) },
		"ramp":   func(x, y int) uint8 { return uint8(x*3 + y) },
		"disc":   func(x, y int) uint8 { return uint8(min(255, ((x-40)*(x-40)+(y-50)*(y-50))/900*200)) },
	}
	out := map[string]*image.Gray{}
	for _, size := range [][2]int{{1, 1}, {1, 9}, {7, 1}, {2, 2}, {3, 5}, {17, 33}, {64, 64}, {96, 120}, {130, 257}} {
		for name, f := range fill {
			m := image.NewGray(image.Rect(0, 0, size[0], size[1]))
			for i := range m.Pix {
				m.Pix[i] = f(i%size[0], i/size[0])
			}
			out[fmt.Sprintf("%s-%dx%d", name, size[0], size[1])] = m
		}
	}
	return out
}

// OpenJPEG reads from each file exactly the picture that was put in.
func TestOpenJPEGReadsThePicture(t *testing.T) {
	program := judge(t)
	for name, m := range pictures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			raw := decoded(t, program, file)
			if len(raw) < len(m.Pix) || !bytes.Equal(raw[len(raw)-len(m.Pix):], m.Pix) {
				t.Error("the picture that was read is another one")
			}
		})
	}
}

func TestEmptyAndHugePicturesAreRefused(t *testing.T) {
	for _, r := range []image.Rectangle{image.Rect(0, 0, 0, 5), image.Rect(0, 0, 4097, 1)} {
		if _, err := Encode(image.NewGray(r)); err == nil {
			t.Errorf("%v was encoded", r)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	m := pictures()["disc-96x120"]
	for b.Loop() {
		if _, err := Encode(m); err != nil {
			b.Fatal(err)
		}
	}
}
