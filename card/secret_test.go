package card_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

// privateParts takes D, P and Q of every key out of a chip's memory, as only the memory's owner
// can.
func privateParts(t testing.TB, memory *cardtest.Memory) [][]byte {
	t.Helper()
	raw, err := memory.Load()
	if err != nil {
		t.Fatal(err)
	}
	type pair struct{ PKCS8 []byte }
	var image struct {
		Applications []struct {
			Files []struct {
				Key struct{ Active, Pending *pair }
			}
		}
	}
	if err := json.Unmarshal(raw, &image); err != nil {
		t.Fatal(err)
	}
	var parts [][]byte
	for _, app := range image.Applications {
		for _, f := range app.Files {
			for _, k := range []*pair{f.Key.Active, f.Key.Pending} {
				if k == nil {
					continue
				}
				parsed, err := x509.ParsePKCS8PrivateKey(k.PKCS8)
				if err != nil {
					t.Fatal(err)
				}
				key := parsed.(*rsa.PrivateKey)
				parts = append(parts, key.D.Bytes(), key.Primes[0].Bytes(), key.Primes[1].Bytes())
			}
		}
	}
	return parts
}

// A terminal and a holder who may do everything ask every instruction for every file, and no
// answer holds a piece of a private key or of a PIN's digest.
func TestPrivateKeysNeverLeave(t *testing.T) {
	issued := cardtest.Issue(t)
	j := session(t, issued.Chip)
	if err := j.Authenticate(t.Context(), issued.Production); err != nil {
		t.Fatal(err)
	}
	if _, err := j.GenerateKey(t.Context(), jitsuin.AuthCert); err != nil {
		t.Fatal(err)
	}
	secrets := privateParts(t, issued.Memory)
	if len(secrets) != 9 {
		t.Fatalf("found %d private numbers in the memory, want 9", len(secrets))
	}
	login := func() {
		issued.Chip.Reset()
		s := session(t, issued.Chip)
		if err := s.Authenticate(t.Context(), issued.Production); err != nil {
			t.Fatal(err)
		}
		for _, kind := range jitsuin.CertKinds {
			if err := s.Verify(t.Context(), kind, cardtest.PINOf(kind)); err != nil {
				t.Fatal(err)
			}
		}
	}
	login()
	read := 0
	for _, cla := range []byte{0x00, 0x80} {
		for ins := range 256 {
			if ins == 0x46 || ins == 0x24 || ins == 0x2C || ins == 0x20 || ins == 0x82 {
				continue // these change the chip or the session; their answers are tested elsewhere
			}
			for sfi := range 31 {
				for p1 := range 2 {
					response := issued.Chip.Transmit(card.Command{CLA: cla, INS: byte(ins), P1: byte(0x80 | sfi), P2: byte(p1), Le: 4096}.Bytes())
					response = append(response, issued.Chip.Transmit(card.Command{CLA: cla, INS: byte(ins), P1: byte(p1), P2: byte(0x80 | sfi), Data: []byte{0, 0}, Le: 4096}.Bytes())...)
					read += len(response)
					for _, s := range secrets {
						if bytes.Contains(response, s[:16]) || bytes.Contains(response, s[len(s)-16:]) {
							t.Fatalf("%02X %02X for %02X gives out a private key", cla, ins, sfi)
						}
					}
				}
			}
		}
	}
	if read < 100000 {
		t.Errorf("only %d bytes were answered; the test asks too little", read)
	}
	for _, p2 := range []byte{0x97, 0x9A} {
		response := issued.Chip.Transmit(card.Command{CLA: 0x80, INS: 0x46, P1: 1, P2: p2, Data: []byte{0, 0}, Le: 65536}.Bytes())
		for _, s := range secrets {
			if bytes.Contains(response, s[:16]) {
				t.Fatal("GENERATE KEY PAIR gives out a private key")
			}
		}
	}
}

func TestNoDumpShowsTheMemory(t *testing.T) {
	chip := cardtest.Issue(t).Chip
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "chip", chip)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "chip", chip)
	//lint:ignore SA9005 that nothing of a chip is marshalled is what is tested
	if js, err := json.Marshal(chip); err != nil || string(js) != "{}" {
		t.Errorf("JSON: %s %v", js, err)
	}
	for _, s := range []string{fmt.Sprintf("%v", chip), fmt.Sprintf("%+v", chip), fmt.Sprintf("%#v", chip), fmt.Sprintf("%s %q %x %d", chip, chip, chip, chip), log.String()} {
		if len(s) > 250 || bytes.Contains([]byte(s), []byte("PKCS8")) {
			t.Errorf("a dump shows too much: %.300s", s)
		}
	}
}
