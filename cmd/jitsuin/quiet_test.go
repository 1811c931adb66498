package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
)

// lures are documents that name files and addresses which a careless verifier would open.
var lures = map[string]string{
	"entity.xml": `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>`,
	"dtd.xml":    `<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>`,
	"style.xml":  `<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1:9/a.xsl"?>` + signatureOver("http://127.0.0.1:9/document", ""),
	"file.xml":   signatureOver("file:///etc/hostname", ""),
	"beside.xml": signatureOver("hostname", ""),
	"key.xml": signatureOver("", `<RetrievalMethod URI="http://127.0.0.1:9/key" Type="http://www.w3.org/2000/09/xmldsig#X509Data"/>`+
		`<X509Data><X509CRL>bm90aGluZw==</X509CRL></X509Data>`),
	"keys.jws": base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","jku":"http://127.0.0.1:9/keys","x5u":"http://127.0.0.1:9/chain"}`)) + ".bm90aGluZw.bm90aGluZw",
	"link.pdf": "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/OpenAction<</S/URI/URI(http://127.0.0.1:9/)>>/AcroForm<</Fields[4 0 R]>>>>\nendobj\n" +
		"2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 5 0 R>>\nendobj\n" +
		"4 0 obj\n<</FT/Sig/T(a)/V 6 0 R>>\nendobj\n5 0 obj\n<</Length 0/F(/etc/hostname)>>\nstream\n\nendstream\nendobj\n" +
		"6 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/ByteRange[0 1 2 3]/Contents<00>>>\nendobj\n" +
		"trailer\n<</Root 1 0 R/Size 7/Prev 1>>\nstartxref\n0\n%%EOF\n",
}

// signatureOver is an XML signature with one reference; it is not a good one.
func signatureOver(uri, info string) string {
	return `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>` +
		`<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><Reference URI="` + uri + `"><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>` +
		`<DigestValue>bm90aGluZw==</DigestValue></Reference></SignedInfo><SignatureValue>bm90aGluZw==</SignatureValue><KeyInfo>` + info + `</KeyInfo></Signature>`
}

// luringCertificate names places for its issuer, its list and its responder.
func luringCertificate(t *testing.T) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const place = "http://127.0.0.1:9/"
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "A lure"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		OCSPServer: []string{place}, IssuingCertificateURL: []string{place}, CRLDistributionPoints: []string{place, "ldap://127.0.0.1:9/cn=list"}}
	issuer := &x509.Certificate{SerialNumber: big.NewInt(8), Subject: pkix.Name{CommonName: "An authority elsewhere"}}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// openCalls finds the paths in what strace writes; networkCalls are those that lead to a network.
var (
	openCalls    = regexp.MustCompile(`(?:open|openat|openat2|execve|creat)\((?:AT_FDCWD, )?"([^"]*)"`)
	networkCalls = regexp.MustCompile(`\b(?:socket|connect|bind|sendto|sendmsg|io_uring_setup)\(`)
)

// system are the places that every program on the machine looks at when it starts.
var system = []string{"/proc/", "/sys/", "/etc/ld.so", "/lib/", "/lib64/", "/usr/lib/", "/dev/null"}

// TestAVerificationOpensNothingElse watches the system calls: whatever a document, a certificate or a list
// names, a verification opens the files that it was given and nothing else, and no socket.
func TestAVerificationOpensNothingElse(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the judge strace is not installed")
		}
		t.Skip("SKIPPED: the judge strace is not installed; nobody has watched the system calls")
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	leaf := write("lure.pem", luringCertificate(t))
	write("empty.crl", nil)
	lines := []string{
		`{"id":"chain","mode":"chain","file":"lure.pem","anchors":"lure.pem"}`,
		`{"id":"status","mode":"status","file":"lure.pem","anchors":"lure.pem","crl":["empty.crl"]}`}
	given := map[string]bool{leaf: true, filepath.Join(dir, "empty.crl"): true}
	for name, content := range lures {
		given[write(name, []byte(content))] = true
		for _, anchors := range []string{"none", "lure.pem"} {
			lines = append(lines, fmt.Sprintf(`{"id":%q,"file":%q,"anchors":%q,"intermediates":["lure.pem"]}`, name, name, anchors))
		}
	}
	batch := write("batch.jsonl", []byte(strings.Join(lines, "\n")))
	given[batch] = true
	self := filepath.Join(programs(t), "jitsuin")
	log := filepath.Join(t.TempDir(), "calls")
	cmd := exec.Command("strace", "-f", "-o", log, "-e", "trace=%file,%network,io_uring_setup", self, "verify", "--batch", batch)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
	out, err := cmd.Output()
	if err != nil || strings.Count(string(out), "\n") != len(lines) {
		t.Fatalf("%v: %d answers of %d", err, strings.Count(string(out), "\n"), len(lines))
	}
	calls, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, call := range strings.Split(string(calls), "\n") {
		if networkCalls.MatchString(call) {
			t.Errorf("a verification reached for a network: %s", call)
		}
		m := openCalls.FindStringSubmatch(call)
		if m == nil {
			continue
		}
		path := m[1]
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		seen[path] = true
		if !given[path] && path != self && !startsWithAny(path, system) && !isSelf(t, path) {
			t.Errorf("a verification opened what it was not given: %s", call)
		}
	}
	for path := range given {
		if !seen[path] {
			t.Errorf("%s was given and is not among the calls: the watch sees nothing", path)
		}
	}
}

func startsWithAny(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// isSelf tells whether a path is the program under test.
func isSelf(t *testing.T, path string) bool {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path == self
}
