package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/holder/holdertest"
)

// desktop is a machine with a card in its reader and programs that know PKCS #11, as docs/pkcs11.md has it.
type desktop struct {
	*pcscdtest.PCSCD
	t      *testing.T
	world  *holdertest.World
	card   *holdertest.Card
	module string
}

// moduleOf finds OpenSC's module for PKCS #11.
func moduleOf(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/*/opensc-pkcs11.so", "/usr/lib/opensc-pkcs11.so", "/usr/lib64/opensc-pkcs11.so"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	pcscdtest.Missing(t, "opensc-pkcs11.so")
	return ""
}

// run runs a program that finds the card. env is NAME=VALUE.
func (d *desktop) run(env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(d.t.Context(), name, args...)
	cmd.Env = append(append(os.Environ(), "PCSCLITE_CSOCK_NAME="+d.Socket(), "HOME="+d.Dir), env...)
	cmd.Dir = d.Dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (d *desktop) must(env []string, name string, args ...string) string {
	d.t.Helper()
	out, err := d.run(env, name, args...)
	if err != nil {
		d.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// What docs/pkcs11.md promises of desktop programs, each of them another's.
func TestDesktopProgramsUseTheCard(t *testing.T) {
	p := pcscdtest.Start(t, "opensc-tool", "pdfsig", "certutil", "modutil", "ssh", "ssh-keygen", "gnutls-cli")
	d := &desktop{PCSCD: p, world: holdertest.New(t), module: moduleOf(t)}
	data := t.TempDir()
	d.card = d.world.Card(t, data, holdertest.Order{})
	startShelf(t, p, "--data", data).says("1 in the reader")
	p.WaitFor("Yes", 1)
	for name, test := range map[string]func(*testing.T, *desktop){"a PDF signed by poppler": signsPDF, "ssh": logsInBySSH, "TLS": logsInByTLS} {
		t.Run(name, func(t *testing.T) { d.t = t; test(t, d) })
	}
}

// onePDF is the smallest document.
func onePDF() string {
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>"}
	out, table := "%PDF-1.7\n", "xref\n0 4\n0000000000 65535 f \n"
	for i, o := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", len(out))
		out += fmt.Sprintf("%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	return out + table + fmt.Sprintf("trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(out))
}

func signsPDF(t *testing.T, d *desktop) {
	nss := filepath.Join(d.Dir, "nss")
	if err := os.Mkdir(nss, 0o700); err != nil {
		t.Fatal(err)
	}
	// poppler gives one password to every token, so it is shown the signature key's token alone.
	conf := []string{"OPENSC_CONF=" + d.Write("opensc.conf", "app default {\n card_drivers = jpki;\n}\napp opensc-pkcs11 {\n pkcs11 {\n  create_slots_for_pins = \"sign\";\n }\n}\n")}
	d.must(conf, "certutil", "-N", "-d", "sql:"+nss, "--empty-password")
	d.must(conf, "certutil", "-A", "-d", "sql:"+nss, "-n", "authority", "-t", "CT,C,C", "-i", d.Write("sign-ca.pem", pemOf(d.world.CAs[jitsuin.SignCert].Cert)))
	d.must(conf, "modutil", "-dbdir", "sql:"+nss, "-add", "opensc", "-libfile", d.module, "-force")
	plain, signed := d.Write("contract.pdf", onePDF()), filepath.Join(d.Dir, "signed.pdf")
	d.must(conf, "pdfsig", "-nssdir", "sql:"+nss, "-add-signature", "-nick", "JPKI (Digital Signature PIN):Digital Signature Certificate",
		"-nss-pwd", holdertest.SignPIN, plain, signed)
	out := d.must(conf, "pdfsig", "-nssdir", "sql:"+nss, "-nss-pwd", holdertest.SignPIN, signed)
	for _, want := range []string{"Signature is Valid", "Certificate is Trusted", "Total document signed", d.card.Certificates[jitsuin.SignCert].Subject.CommonName} {
		if !strings.Contains(out, want) {
			t.Errorf("pdfsig does not say %q:\n%s", want, out)
		}
	}
	b, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	altered := d.Write("altered.pdf", string(bytes.Replace(b, []byte("[0 0 200 200]"), []byte("[0 0 200 201]"), 1)))
	if out := d.must(conf, "pdfsig", "-nssdir", "sql:"+nss, "-nss-pwd", holdertest.SignPIN, altered); !strings.Contains(out, "Digest Mismatch") {
		t.Errorf("an altered document:\n%s", out)
	}
}

// logsInBySSH has OpenSSH's client log in with the authentication key at a server that knows nothing but its public half.
func logsInBySSH(t *testing.T, d *desktop) {
	public, err := ssh.NewPublicKey(d.card.Certificates[jitsuin.AuthCert].PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	listed, _ := d.run(nil, "ssh-keygen", "-D", d.module) // it complains of the signature key, which is not shown without its password
	if !strings.Contains(listed, line) {
		t.Fatalf("ssh-keygen -D does not list the authentication key:\n%s", listed)
	}
	port := sshServer(t, public, d)
	askpass := d.Write("askpass", "#!/bin/sh\necho "+holdertest.AuthPIN+"\n")
	if err := os.Chmod(askpass, 0o700); err != nil {
		t.Fatal(err)
	}
	login := func(pinProgram string) (string, error) {
		return d.run([]string{"SSH_ASKPASS=" + pinProgram, "SSH_ASKPASS_REQUIRE=force", "SSH_AUTH_SOCK="}, "ssh", "-F", "none", "-p", fmt.Sprint(port), "-o", "PKCS11Provider="+d.module,
			"-o", "UserKnownHostsFile="+filepath.Join(d.Dir, "known"), "-o", "StrictHostKeyChecking=accept-new", "-o", "PreferredAuthentications=publickey",
			"-o", "IdentityFile=none", "-o", "NumberOfPasswordPrompts=1", "holder@127.0.0.1", "hello")
	}
	if out, err := login(askpass); err != nil || !strings.Contains(out, "hello, holder") {
		t.Errorf("%v:\n%s", err, out)
	}
	silent := d.Write("silent", "#!/bin/sh\nexit 1\n")
	if err := os.Chmod(silent, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := login(silent); err == nil {
		t.Errorf("without the PIN:\n%s", out)
	}
}

// sshServer lets in who has the key and says hello.
func sshServer(t *testing.T, key ssh.PublicKey, d *desktop) (port int) {
	t.Helper()
	host := filepath.Join(d.Dir, "host")
	d.must(nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host)
	b, err := os.ReadFile(host)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ssh.ParsePrivateKey(b)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, shown ssh.PublicKey) (*ssh.Permissions, error) {
		if !bytes.Equal(shown.Marshal(), key.Marshal()) {
			return nil, fmt.Errorf("another key")
		}
		return nil, nil
	}}
	config.AddHostKey(own)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go greet(conn, config)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func greet(conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	c, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for n := range channels {
		channel, in, err := n.Accept()
		if err != nil {
			return
		}
		for r := range in {
			r.Reply(r.Type == "exec", nil)
			if r.Type != "exec" {
				continue
			}
			fmt.Fprintf(channel, "hello, %s\n", c.User())
			channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
			channel.Close()
		}
	}
}

// logsInByTLS has GnuTLS's client show the authentication certificate to a server of TLS 1.2.
func logsInByTLS(t *testing.T, d *desktop) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "welcome,", r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	known := x509.NewCertPool()
	known.AddCert(d.world.CAs[jitsuin.AuthCert].Cert)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known, MaxVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	trust := d.Write("server.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	const key = "pkcs11:token=JPKI%20%28User%20Authentication%20PIN%29;id=%01;type="
	cmd := exec.CommandContext(t.Context(), "gnutls-cli", "--x509cafile", trust, "--verify-hostname", "example.com", "-p", port, "--provider", d.module,
		"--x509certfile", key+"cert", "--x509keyfile", key+"private;pin-value="+holdertest.AuthPIN, "127.0.0.1")
	cmd.Env = append(os.Environ(), "PCSCLITE_CSOCK_NAME="+d.Socket())
	cmd.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
	out, err := cmd.CombinedOutput()
	if name := d.card.Certificates[jitsuin.AuthCert].Subject.CommonName; err != nil || !strings.Contains(string(out), "welcome, "+name) {
		t.Errorf("%v:\n%s", err, out)
	}
}
