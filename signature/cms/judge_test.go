package cms_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

var document = []byte(strings.Repeat("婚姻届 a document that somebody signs\r\n", 50))

func sign(t testing.TB, who signtest.Identity, embed bool, content []byte) []byte {
	t.Helper()
	s := &cms.Signer{Certificate: who.Certificate, Key: who.Key}
	var der []byte
	var err error
	if embed {
		der, err = s.Embedded(context.Background(), content, signtest.Now)
	} else {
		der, err = s.Detached(context.Background(), bytes.NewReader(content), signtest.Now)
	}
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// verify reads der and checks every signer; content is nil for embedded content.
func verify(t testing.TB, der, content []byte) ([]*cms.Result, error) {
	t.Helper()
	sd, err := cms.Parse(der)
	if err != nil {
		return nil, err
	}
	var r io.Reader
	if content != nil {
		r = bytes.NewReader(content)
	}
	d, err := sd.Digest(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	var all []*cms.Result
	for _, s := range sd.All() {
		all = append(all, sd.Verify(s, d, nil))
	}
	return all, nil
}

// intact fails the test unless n signatures are whole.
func intact(t testing.TB, n int, der, content []byte) {
	t.Helper()
	all, err := verify(t, der, content)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != n {
		t.Fatalf("%d signatures, not %d", len(all), n)
	}
	for _, r := range all {
		if !r.Intact() {
			t.Fatalf("broken: %+v", r.Checks)
		}
	}
}

// fault gives the first fault of the first signature that is more than weakness, "" where it is intact.
func fault(t testing.TB, der, content []byte) cms.Fault {
	t.Helper()
	all, err := verify(t, der, content)
	if err != nil {
		return "unreadable"
	}
	for _, c := range all[0].Checks {
		if !c.OK && c.Fault != cms.FaultWeak {
			return c.Fault
		}
	}
	return ""
}

func TestOpenSSLAcceptsWhatWeSign(t *testing.T) {
	p := signtest.New(t)
	root := signtest.WritePEM(t, "root.pem", p.Root.Certificate)
	for name, who := range map[string]signtest.Identity{"RSA-2048": p.RSA, "P-384": p.P384} {
		t.Run(name, func(t *testing.T) {
			content := signtest.Write(t, "content", document)
			near := signtest.Write(t, "near", append([]byte("x"), document[1:]...))
			detached := signtest.Write(t, "detached.p7s", sign(t, who, false, document))
			embedded := signtest.Write(t, "embedded.p7m", sign(t, who, true, document))
			base := []string{"cms", "-verify", "-binary", "-inform", "DER", "-CAfile", root, "-purpose", "any", "-cades", "-attime", "1795489445", "-out", os.DevNull, "-in"}
			if out, err := signtest.Judge(t, "openssl", append(base, detached, "-content", content)...); err != nil {
				t.Errorf("detached: %s", out)
			}
			if out, err := signtest.Judge(t, "openssl", append(base, embedded)...); err != nil {
				t.Errorf("embedded: %s", out)
			}
			if out, err := signtest.Judge(t, "openssl", append(base, detached, "-content", near)...); err == nil {
				t.Errorf("the judge accepts another content, so it judges nothing: %s", out)
			}
		})
	}
}

func TestCerttoolAcceptsWhatWeSign(t *testing.T) {
	p := signtest.New(t)
	root := signtest.WritePEM(t, "root.pem", p.Root.Certificate)
	for name, who := range map[string]signtest.Identity{"RSA-2048": p.RSA, "P-384": p.P384} {
		t.Run(name, func(t *testing.T) {
			content := signtest.Write(t, "content", document)
			near := signtest.Write(t, "near", append([]byte("x"), document[1:]...))
			detached := signtest.Write(t, "detached.p7s", sign(t, who, false, document))
			args := []string{"--p7-verify", "--inder", "--load-ca-certificate", root, "--infile", detached, "--load-data"}
			if out, err := signtest.Judge(t, "certtool", append(args, content)...); err != nil {
				t.Errorf("%s", out)
			}
			if _, err := signtest.Judge(t, "certtool", append(args, near)...); err == nil {
				t.Error("the judge accepts another content, so it judges nothing")
			}
		})
	}
}

func TestWeAcceptWhatOpenSSLSigns(t *testing.T) {
	p := signtest.New(t)
	content := signtest.Write(t, "content", document)
	files := map[string][2]string{}
	for name, who := range map[string]signtest.Identity{"rsa": p.RSA, "other": p.Other, "p384": p.P384} {
		files[name] = [2]string{signtest.WritePEM(t, name+".pem", who.Certificate), signtest.WriteKey(t, name+".key", who.Key)}
	}
	by := func(name string) []string { return []string{"-signer", files[name][0], "-inkey", files[name][1]} }
	for _, c := range []struct {
		name    string
		args    []string
		signers int
	}{
		{"DER, detached", by("rsa"), 1},
		{"DER, embedded", append(by("rsa"), "-nodetach"), 1},
		{"BER in a stream, embedded", append(by("rsa"), "-nodetach", "-stream"), 1},
		{"BER in a stream, detached", append(by("rsa"), "-stream"), 1},
		{"direct, without attributes", append(by("rsa"), "-noattr"), 1},
		{"direct, in a stream", append(by("p384"), "-noattr", "-nodetach", "-stream"), 1},
		{"SHA-512", append(by("rsa"), "-md", "sha512"), 1},
		{"PSS", append(by("rsa"), "-keyopt", "rsa_padding_mode:pss"), 1},
		{"PSS, salt as long as the hash", append(by("rsa"), "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:-1", "-md", "sha384"), 1},
		{"ECDSA", append(by("p384"), "-md", "sha384"), 1},
		{"by key identifier", append(by("p384"), "-keyid"), 1},
		{"CAdES", append(by("rsa"), "-cades"), 1},
		{"CAdES with SHA-384", append(by("p384"), "-cades", "-md", "sha384"), 1},
		{"several signers", append(append(by("rsa"), by("other")...), by("p384")...), 3},
		{"several signers in a stream", append(append(by("rsa"), by("p384")...), "-nodetach", "-stream"), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			args := append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-in", content, "-out", out}, c.args...)
			if log, err := signtest.Judge(t, "openssl", args...); err != nil {
				t.Fatalf("openssl: %s", log)
			}
			der, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			detached := document
			if strings.Contains(strings.Join(c.args, " "), "-nodetach") {
				detached = nil
			}
			intact(t, c.signers, der, detached)
			if f := fault(t, der, append([]byte("x"), document[1:]...)); f != cms.FaultContent && f != cms.FaultValue {
				t.Fatalf("with another content the fault is %q", f)
			}
		})
	}
}

func TestWeReadAndDistrustWhatOpenSSLSignsWithSHA1(t *testing.T) {
	p := signtest.New(t)
	out := filepath.Join(t.TempDir(), "out")
	if log, err := signtest.Judge(t, "openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in", signtest.Write(t, "c", document), "-out", out,
		"-md", "sha1", "-signer", signtest.WritePEM(t, "s.pem", p.RSA.Certificate), "-inkey", signtest.WriteKey(t, "s.key", p.RSA.Key)); err != nil {
		t.Fatalf("openssl: %s", log)
	}
	der, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	intact(t, 1, der, document)
	all, _ := verify(t, der, document)
	if !slices.ContainsFunc(all[0].Checks, func(c cms.Check) bool { return c.What == "digest-strength" && c.Fault == cms.FaultWeak }) {
		t.Fatal("SHA-1 is not called weak")
	}
}

func certificates(all ...signtest.Identity) []*x509.Certificate {
	var list []*x509.Certificate
	for _, one := range all {
		list = append(list, one.Certificate)
	}
	return list
}

func TestWeAcceptWhatCerttoolSigns(t *testing.T) {
	p := signtest.New(t)
	for name, who := range map[string]signtest.Identity{"RSA-2048": p.RSA, "P-384": p.P384} {
		cert, key := signtest.WritePEM(t, "s.pem", who.Certificate), signtest.WriteKey(t, "s.key", who.Key)
		for _, c := range []struct {
			name     string
			args     []string
			embedded bool
		}{
			{"embedded", []string{"--p7-sign"}, true},
			{"embedded with a time", []string{"--p7-sign", "--p7-time"}, true},
			{"detached", []string{"--p7-detached-sign"}, false},
			{"SHA-384", []string{"--p7-detached-sign", "--hash", "sha384"}, false},
		} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "out")
				args := append([]string{"--load-certificate", cert, "--load-privkey", key, "--infile", signtest.Write(t, "d", document), "--outder", "--outfile", out}, c.args...)
				if log, err := signtest.Judge(t, "certtool", args...); err != nil {
					t.Fatalf("certtool: %s", log)
				}
				der, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				content := document
				if c.embedded {
					content = nil
				}
				intact(t, 1, der, content)
				if f := fault(t, der, otherDocument); f != cms.FaultContent && f != cms.FaultValue {
					t.Errorf("with another document the fault is %q", f)
				}
			})
		}
	}
}
