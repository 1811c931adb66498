package tsp_test

import (
	"bytes"
	gocontext "context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := signtest.Judge(t, "openssl", args...); err != nil {
		t.Fatalf("openssl %v: %s", args, out)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOpenSSLAcceptsWhatWeStamp has openssl ask, us answer, and openssl judge; and near copies.
func TestOpenSSLAcceptsWhatWeStamp(t *testing.T) {
	a, dir := signtest.NewTSA(t), t.TempDir()
	root, unit := signtest.WritePEM(t, "root.pem", a.Root.Certificate), signtest.WritePEM(t, "unit.pem", a.Unit.Certificate)
	content, near := signtest.Write(t, "content", document), signtest.Write(t, "near", append([]byte("x"), document...))
	for name, args := range map[string][]string{
		"with certificates": {"-cert", "-sha256"}, "without certificates": {"-sha256"}, "SHA-384": {"-cert", "-sha384"},
		"SHA-512": {"-cert", "-sha512"}, "without nonce": {"-cert", "-no_nonce", "-sha256"}, "with a policy": {"-cert", "-sha256", "-tspolicy", signtest.TimePolicy.String()},
	} {
		t.Run(name, func(t *testing.T) {
			query, reply, token := filepath.Join(dir, "q.tsq"), filepath.Join(dir, "r.tsr"), filepath.Join(dir, "t.tst")
			run(t, append([]string{"ts", "-query", "-data", content, "-out", query}, args...)...)
			q, err := tsp.ParseRequest(read(t, query))
			if err != nil {
				t.Fatal(err)
			}
			if again := mustMarshal(t, q); !bytes.Equal(again, read(t, query)) {
				t.Errorf("the request is written as %x and not as %x", again, read(t, query))
			}
			der, err := a.Issuer().Token(gocontext.Background(), q, big.NewInt(4711), signtest.Now)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := tsp.Grant(der).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			for path, b := range map[string][]byte{reply: resp, token: der} {
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			verify := []string{"ts", "-verify", "-CAfile", root, "-untrusted", unit, "-attime", "1795489445"}
			run(t, append(verify, "-queryfile", query, "-in", reply)...)
			run(t, append(verify, "-data", content, "-in", token, "-token_in")...)
			if out, err := signtest.Judge(t, "openssl", append(verify, "-data", near, "-in", token, "-token_in")...); err == nil {
				t.Errorf("the judge accepts another content, so it judges nothing: %s", out)
			}
		})
	}
}

const authorityConfig = `[ tsa ]
default_tsa = one
[ one ]
serial = %s/serial
crypto_device = builtin
default_policy = 2.999.3161
digests = sha256, sha384, sha512
signer_digest = sha256
accuracy = secs:1, millisecs:500, microsecs:100
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_chain = %s
ess_cert_id_alg = %s
`

// TestWeAcceptWhatOpenSSLStamps has openssl be the authority.
func TestWeAcceptWhatOpenSSLStamps(t *testing.T) {
	a, dir := signtest.NewTSA(t), t.TempDir()
	root, unit, key := signtest.WritePEM(t, "root.pem", a.Root.Certificate), signtest.WritePEM(t, "unit.pem", a.Unit.Certificate), signtest.WriteKey(t, "unit.key", a.Unit.Key)
	for _, c := range []struct{ chain, hash string }{{"no", "sha256"}, {"yes", "sha256"}, {"no", "sha1"}, {"yes", "sha1"}, {"no", "sha512"}} {
		t.Run(fmt.Sprintf("references by %s, chain %s", c.hash, c.chain), func(t *testing.T) {
			config := signtest.Write(t, "tsa.cnf", fmt.Appendf(nil, authorityConfig, dir, c.chain, c.hash))
			if err := os.WriteFile(filepath.Join(dir, "serial"), []byte("0A\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			q := request(t, document)
			query, reply := signtest.Write(t, "q.tsq", mustMarshal(t, q)), filepath.Join(dir, "r.tsr")
			run(t, "ts", "-reply", "-config", config, "-section", "one", "-queryfile", query, "-signer", unit, "-inkey", key, "-chain", root, "-out", reply)
			r, err := tsp.ParseResponse(read(t, reply))
			if err != nil {
				t.Fatal(err)
			}
			token, err := r.Answer(q)
			if err != nil {
				t.Fatal(err)
			}
			if result := token.VerifyBytes(document, nil); !result.Intact() {
				t.Fatalf("%+v", result.Checks)
			}
			if token.VerifyBytes(document[1:], nil).Intact() {
				t.Fatal("intact over another document")
			}
			if !token.Info.Ordering || token.Info.Accuracy == nil || *token.Info.Accuracy != tsp.Accuracy(1_500_100_000) || token.Info.TSA == nil {
				t.Fatalf("%+v", token.Info)
			}
		})
	}
}

// What openssl refuses to stamp, it says in a way that we read.
func TestWeReadHowOpenSSLRefuses(t *testing.T) {
	a, dir := signtest.NewTSA(t), t.TempDir()
	config := signtest.Write(t, "tsa.cnf", fmt.Appendf(nil, authorityConfig, dir, "no", "sha256"))
	if err := os.WriteFile(filepath.Join(dir, "serial"), []byte("0A\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	q := request(t, document)
	q.Policy = oidData
	query, reply := signtest.Write(t, "q.tsq", mustMarshal(t, q)), filepath.Join(dir, "r.tsr")
	run(t, "ts", "-reply", "-config", config, "-section", "one", "-queryfile", query, "-signer", signtest.WritePEM(t, "unit.pem", a.Unit.Certificate),
		"-inkey", signtest.WriteKey(t, "unit.key", a.Unit.Key), "-out", reply)
	r, err := tsp.ParseResponse(read(t, reply))
	if err != nil || r.Status != tsp.Rejection || len(r.Failures) != 1 || r.Failures[0] != tsp.UnacceptedPolicy {
		t.Fatalf("%+v %v", r, err)
	}
	if _, err := r.Answer(q); err == nil {
		t.Fatal("a refusal is an answer")
	}
}
