package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

var keys = map[string]Algorithm{"sign": RSA2048, "terminal": P256}

func open(t *testing.T, dir string) *File {
	t.Helper()
	f, err := OpenFile(dir, "correct horse", keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// tbs gives the to-be-signed part of a certificate.
func tbs(t *testing.T, f *File) []byte {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, c, c, f.keys["sign"].Public(), f.keys["sign"])
	if err != nil {
		t.Fatal(err)
	}
	parsed, _ := x509.ParseCertificate(der)
	return parsed.RawTBSCertificate
}

func TestASignatureIsAccountedForAndSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	data := tbs(t, f)
	sig, r, err := f.Sign(t.Context(), "sign", Certificate, data)
	if err != nil {
		t.Fatal(err)
	}
	d := sha256.Sum256(data)
	pub, _ := f.Public("sign")
	if err := rsa.VerifyPKCS1v15(pub.(*rsa.PublicKey), crypto.SHA256, d[:], sig); err != nil {
		t.Fatal(err)
	}
	if r.Counter != 1 || r.Digest != d || r.Epoch != 1 {
		t.Fatalf("receipt %+v", r)
	}
	f.Close()
	again := open(t, dir)
	if again.Last() != r {
		t.Fatalf("after reopening the last receipt is %+v", again.Last())
	}
	same, r2, err := again.Sign(t.Context(), "sign", Certificate, data)
	if err != nil || string(same) != string(sig) || r2.Counter != 2 {
		t.Fatalf("signing again: %v, counter %d, same bytes %v", err, r2.Counter, string(same) == string(sig))
	}
	if s, _ := again.Since(1); len(s) != 1 || s[0] != r2 {
		t.Fatalf("since 1: %+v", s)
	}
	if e, err := again.NewEpoch(0); e != 2 || err != nil || again.Last().Epoch != 2 {
		t.Fatal("the epoch did not rise", e, err)
	}
}

func TestAKeySignsOnlyWhatThePurposeSays(t *testing.T) {
	f := open(t, t.TempDir())
	data := tbs(t, f)
	for name, try := range map[string]struct {
		p Purpose
		b []byte
	}{
		"a certificate as a CRL":  {CRL, data},
		"a digest":                {Certificate, data[:32]},
		"trailing bytes":          {Certificate, append(append([]byte{}, data...), 0)},
		"a certificate to a chip": {Terminal, data},
		"an unknown purpose":      {"letter", data},
		"nothing":                 {Certificate, nil},
	} {
		if _, _, err := f.Sign(t.Context(), "sign", try.p, try.b); jitsuin.CodeOf(err) != "signer-purpose" {
			t.Errorf("%s was signed: %v", name, err)
		}
	}
	if f.Last().Counter != 0 {
		t.Error("refusals were counted as signatures")
	}
}

// A ticket for the free area of a chip is not signed as a terminal certificate, nor the other way round.
func TestBytesForChipsAreSignedForTheirPurposeOnly(t *testing.T) {
	f := open(t, t.TempDir())
	public, err := f.Public("terminal")
	if err != nil {
		t.Fatal(err)
	}
	key := public.(*ecdsa.PublicKey)
	terminal, err := card.TerminalTBS(card.RoleCounter, key)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := card.TicketTBS(card.Ticket{Operations: card.OpLoad, AID: card.TownAID("91201", 1), Chip: "0000000000000001", Provider: key, Challenge: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		p  Purpose
		b  []byte
		ok bool
	}{{Terminal, terminal, true}, {Ticket, ticket, true}, {Terminal, ticket, false}, {Ticket, terminal, false}, {Ticket, ticket[:len(ticket)-1], false}, {Terminal, make([]byte, 64), false}} {
		_, r, err := f.Sign(t.Context(), "terminal", try.p, try.b)
		if (err == nil) != try.ok || try.ok && r.Purpose != try.p {
			t.Errorf("%s of %d bytes: %v", try.p, len(try.b), err)
		}
	}
}

func TestTheJournalForgivesATornTailAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	data := tbs(t, f)
	for range 3 {
		if _, _, err := f.Sign(t.Context(), "sign", Certificate, data); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	path := filepath.Join(dir, journalFile)
	whole, _ := os.ReadFile(path)
	// The power went at every byte of the last line.
	last := strings.LastIndexByte(strings.TrimSuffix(string(whole), "\n"), '\n') + 1
	for cut := last; cut < len(whole); cut++ {
		os.WriteFile(path, whole[:cut], 0o600)
		j, err := openJournal(path)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if n := j.last().Counter; n != 2 {
			t.Fatalf("cut at %d: counter %d", cut, n)
		}
		j.file.Close()
	}
	for name, spoil := range map[string]string{
		"a line taken out": string(whole[:0]) + strings.Join(strings.SplitAfter(string(whole), "\n")[1:], ""),
		"a line twice":     string(whole) + strings.SplitAfter(string(whole), "\n")[0],
		"a changed line":   strings.Replace(string(whole), `"counter":2`, `"counter":9`, 1),
	} {
		os.WriteFile(path, []byte(spoil), 0o600)
		if _, err := openJournal(path); jitsuin.CodeOf(err) != "journal-broken" {
			t.Errorf("%s was accepted: %v", name, err)
		}
	}
}

func TestKeysOpenOnlyWithTheirPassphrase(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, err := OpenFile(dir, "wrong horse", keys); jitsuin.CodeOf(err) != "signer-passphrase" {
		t.Fatalf("a wrong passphrase: %v", err)
	}
	sealed, _ := os.ReadFile(filepath.Join(dir, keysFile))
	if strings.Contains(string(sealed), "PRIVATE KEY") {
		t.Fatal("the keys lie open")
	}
	sealed[len(sealed)-1] ^= 1
	os.WriteFile(filepath.Join(dir, keysFile), sealed, 0o600)
	if _, err := OpenFile(dir, "correct horse", keys); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Fatalf("changed keys: %v", err)
	}
}
