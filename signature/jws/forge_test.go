package jws_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/jws"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func certificates(all []signtest.Identity) []*x509.Certificate {
	var list []*x509.Certificate
	for _, i := range all {
		list = append(list, i.Certificate)
	}
	return list
}

// value signs a signing input as the algorithm of the key says, whatever the header says.
func value(t testing.TB, who signtest.Identity, hash crypto.Hash, input string) []byte {
	t.Helper()
	h := hash.New()
	h.Write([]byte(input))
	if key, ok := who.Key.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, key, h.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return pair(key, r, s)
	}
	sum, err := who.Key.Sign(rand.Reader, h.Sum(nil), hash)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func pair(key *ecdsa.PrivateKey, r, s *big.Int) []byte {
	size := (key.Params().BitSize + 7) / 8
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return out
}

// forge makes a compact JWS with any header.
func forge(t testing.TB, who signtest.Identity, header string, body []byte) string {
	t.Helper()
	input := b64([]byte(header)) + "." + b64(body)
	return input + "." + b64(value(t, who, crypto.SHA256, input))
}

// chain is the member x5c with one certificate.
func chain(who signtest.Identity) string {
	return fmt.Sprintf(`"x5c":[%q]`, base64.StdEncoding.EncodeToString(who.Certificate.Raw))
}

// mutant is a message that looks like a good one and must be refused.
type mutant struct {
	name, raw string
	content   []byte
	want      string // the first fault of each signature, or "malformed"
}

// mutants are near copies of good messages.
func mutants(t *testing.T) []mutant {
	p := signers(t)
	good := forge(t, p.rsa, `{"alg":"RS256",`+chain(p.rsa)+`}`, payload)
	parts := strings.Split(good, ".")
	all := headerMutants(t, p)
	all = append(all, valueMutants(t, p)...)
	all = append(all, jsonMutants(t, p, parts)...)
	for _, c := range []struct{ name, raw string }{
		{"nothing", ""}, {"two parts", parts[0] + "." + parts[1]}, {"four parts", good + "."}, {"five parts of an encryption", "a.b.c.d.e"},
		{"padding", good + "="}, {"a line break inside", parts[0] + ".\n" + parts[1] + "." + parts[2]}, {"standard base64", parts[0] + "." + parts[1] + ".+/+/"},
		{"a header that is no base64", "!" + good}, {"a header that is no JSON", b64([]byte("alg")) + "." + parts[1] + "." + parts[2]},
		{"a header that is a list", b64([]byte(`["alg"]`)) + "." + parts[1] + "." + parts[2]},
		{"an empty header", "." + parts[1] + "." + parts[2]}, {"a header without members", b64([]byte("{}")) + "." + parts[1] + "." + parts[2]},
		{"a payload with loose bits", parts[0] + "." + loosen(parts[1]) + "." + parts[2]},
		{"a value with loose bits", parts[0] + "." + parts[1] + "." + loosen(parts[2])},
	} {
		all = append(all, mutant{c.name, c.raw, nil, "malformed"})
	}
	other := b64([]byte(strings.Replace(string(payload), "10000", "90000", 1)))
	return append(all,
		mutant{"a payload that was changed", parts[0] + "." + other + "." + parts[2], nil, "value"},
		mutant{"a payload cut off", parts[0] + "." + parts[1][:len(parts[1])-4] + "." + parts[2], nil, "value"},
		mutant{"a value of another message", parts[0] + "." + parts[1] + "." + strings.Split(forge(t, p.rsa, `{"alg":"RS256",`+chain(p.rsa)+`}`, []byte("x")), ".")[2], nil, "value"},
		mutant{"no value", parts[0] + "." + parts[1] + ".", nil, "value"},
		mutant{"another document beside the one inside", good, []byte("x"), "content"},
		mutant{"an empty document beside the one inside", good, []byte{}, "content"},
		mutant{"a detached one without its document", parts[0] + ".." + parts[2], nil, "no-content"},
		mutant{"a detached one with another document", parts[0] + ".." + parts[2], []byte("x"), "value"})
}

// loosen sets bits that the last character of a base64 text leaves unused, or adds such a character.
func loosen(s string) string {
	if len(s)%4 == 0 {
		return s + "B"
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1])
}

// headerMutants are signed by the right key over the header as it stands.
func headerMutants(t *testing.T, p people) []mutant {
	x5c := chain(p.rsa)
	sum256, sum1 := sha256.Sum256(p.p384.Certificate.Raw), sha1.Sum(p.p384.Certificate.Raw)
	otherKey, err := (&jose.JSONWebKey{Key: p.p384.Key.Public()}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var all []mutant
	for _, c := range []struct{ name, header, want string }{
		{"alg none", `{"alg":"none",` + x5c + `}`, "forbidden"},
		{"alg None", `{"alg":"NoNe",` + x5c + `}`, "forbidden"},
		{"alg HS256", `{"alg":"HS256",` + x5c + `}`, "forbidden"},
		{"alg HS512", `{"alg":"HS512",` + x5c + `}`, "forbidden"},
		{"alg in lower case", `{"alg":"rs256",` + x5c + `}`, "unsupported"},
		{"alg RS1", `{"alg":"RS1",` + x5c + `}`, "unsupported"},
		{"alg EdDSA", `{"alg":"EdDSA",` + x5c + `}`, "unsupported"},
		{"alg ES256K", `{"alg":"ES256K",` + x5c + `}`, "unsupported"},
		{"alg of an encryption", `{"alg":"RSA-OAEP",` + x5c + `}`, "unsupported"},
		{"no alg", `{` + x5c + `}`, "format"},
		{"alg is a number", `{"alg":256,` + x5c + `}`, "malformed"},
		{"alg in capitals", `{"ALG":"RS256",` + x5c + `}`, "format"},
		{"alg twice", `{"alg":"RS256","alg":"RS256",` + x5c + `}`, "malformed"},
		{"alg twice, once escaped", `{"alg":"RS256","\u0061lg":"none",` + x5c + `}`, "malformed"},
		{"a name twice deep inside", `{"alg":"RS256","x":{"a":1,"a":2},` + x5c + `}`, "malformed"},
		{"not UTF-8", "{\"alg\":\"RS256\",\"x\":\"\xff\"," + x5c + `}`, "malformed"},
		{"something behind the object", `{"alg":"RS256",` + x5c + `} {}`, "malformed"},
		{"nested too deep", `{"alg":"RS256","x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `,` + x5c + `}`, "malformed"},
		{"the algorithm of another hash", `{"alg":"RS512",` + x5c + `}`, "value"},
		{"PSS named over PKCS #1", `{"alg":"PS256",` + x5c + `}`, "value"},
		{"ECDSA named over RSA", `{"alg":"ES256",` + x5c + `}`, "value"},
		{"another's certificate", `{"alg":"RS256",` + chain(signtest.New(t).Other) + `}`, "value"},
		{"a certificate on another kind of key", `{"alg":"RS256",` + chain(p.p384) + `}`, "value"},
		{"no certificate", `{"alg":"RS256"}`, "signer"},
		{"only a key id", `{"alg":"RS256","kid":"1"}`, "signer"},
		{"only an address of a certificate", `{"alg":"RS256","x5u":"http://127.0.0.1:1/c.pem"}`, "signer"},
		{"only an address of keys", `{"alg":"RS256","jku":"http://127.0.0.1:1/keys"}`, "signer"},
		{"another key beside the certificate", `{"alg":"RS256","jwk":` + string(otherKey) + `,` + x5c + `}`, "reference"},
		{"a broken key beside the certificate", `{"alg":"RS256","jwk":{},` + x5c + `}`, "reference"},
		{"another's thumbprint", `{"alg":"RS256","x5t#S256":"` + b64(sum256[:]) + `",` + x5c + `}`, "reference"},
		{"another's old thumbprint", `{"alg":"RS256","x5t":"` + b64(sum1[:]) + `",` + x5c + `}`, "reference"},
		{"an empty thumbprint", `{"alg":"RS256","x5t#S256":"",` + x5c + `}`, "reference"},
		{"a thumbprint of nobody at hand", `{"alg":"RS256","x5t#S256":"` + b64(make([]byte, 32)) + `"}`, "signer"},
		{"x5c is a string", `{"alg":"RS256","x5c":"MIIC"}`, "malformed"},
		{"x5c is empty", `{"alg":"RS256","x5c":[]}`, "malformed"},
		{"x5c in base64url", `{"alg":"RS256","x5c":["` + strings.TrimRight(base64.URLEncoding.EncodeToString(p.rsa.Certificate.Raw), "=") + `"]}`, "malformed"},
		{"x5c with a line break", `{"alg":"RS256",` + strings.Replace(x5c, `["M`, `["\nM`, 1) + `}`, "malformed"},
		{"x5c with too many", `{"alg":"RS256","x5c":[` + strings.Repeat(`"",`, 20) + `""]}`, "malformed"},
		{"crit of something unknown", `{"alg":"RS256","crit":["exp"],"exp":1,` + x5c + `}`, "unsupported"},
		{"crit of what is not there", `{"alg":"RS256","crit":["b64"],` + x5c + `}`, "format"},
		{"crit is empty", `{"alg":"RS256","crit":[],` + x5c + `}`, "format"},
		{"crit is a string", `{"alg":"RS256","crit":"b64","b64":true,` + x5c + `}`, "format"},
		{"crit is null", `{"alg":"RS256","crit":null,` + x5c + `}`, "format"},
		{"crit names the standard's own", `{"alg":"RS256","crit":["alg"],` + x5c + `}`, "format"},
		{"crit names one twice", `{"alg":"RS256","crit":["b64","b64"],"b64":true,` + x5c + `}`, "format"},
		{"b64 is no truth", `{"alg":"RS256","crit":["b64"],"b64":"false",` + x5c + `}`, "format"},
		{"b64 is null", `{"alg":"RS256","crit":["b64"],"b64":null,` + x5c + `}`, "format"},
		{"b64 false that is not critical", `{"alg":"RS256","b64":false,` + x5c + `}`, "format"},
		{"a time that is none", `{"alg":"RS256","crit":["sigT"],"sigT":"yesterday",` + x5c + `}`, "format"},
		{"a key code of nothing", `{"alg":"RS256","x5t#S256":5,` + x5c + `}`, "malformed"},
	} {
		all = append(all, mutant{c.name, forge(t, p.rsa, c.header, payload), nil, c.want})
	}
	return all
}

// valueMutants have headers that are right, and values that are nearly.
func valueMutants(t *testing.T, p people) []mutant {
	key := p.p256.Key.(*ecdsa.PrivateKey)
	input := b64([]byte(`{"alg":"ES256",`+chain(p.p256)+`}`)) + "." + b64(payload)
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	der, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	order := key.Params().N
	good, zero := pair(key, r, s), make([]byte, 64)
	ec := func(name string, v []byte) mutant { return mutant{name, input + "." + b64(v), nil, "value"} }
	confused := b64([]byte(`{"alg":"ES384",`+chain(p.p256)+`}`)) + "." + b64(payload)
	weaker := b64([]byte(`{"alg":"ES256",`+chain(p.p384)+`}`)) + "." + b64(payload)
	code := b64([]byte(`{"alg":"HS256",`+chain(p.rsa)+`}`)) + "." + b64(payload)
	mac := hmac.New(sha256.New, p.rsa.Certificate.RawSubjectPublicKeyInfo)
	mac.Write([]byte(code))
	pss := b64([]byte(`{"alg":"PS256",`+chain(p.rsa)+`}`)) + "." + b64(payload)
	pssSum := sha256.Sum256([]byte(pss))
	short, err := p.rsa.Key.Sign(rand.Reader, pssSum[:], &rsa.PSSOptions{SaltLength: 0, Hash: crypto.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	return []mutant{
		ec("ECDSA in DER", der), ec("ECDSA of zeros", zero), ec("ECDSA with R zero", append(make([]byte, 32), good[32:]...)),
		ec("ECDSA with S zero", append(append([]byte{}, good[:32]...), zero[:32]...)), ec("ECDSA turned round", append(append([]byte{}, good[32:]...), good[:32]...)),
		ec("ECDSA a byte short", good[:63]), ec("ECDSA a byte long", append(append([]byte{}, good...), 0)), ec("ECDSA padded in front", append([]byte{0}, good...)),
		ec("ECDSA with R the order", pair(key, order, s)), ec("ECDSA with S the order", pair(key, r, order)),
		{"P-256 with the name of P-384", confused + "." + b64(value(t, p.p256, crypto.SHA384, confused)), nil, "value"},
		{"P-384 with the name of P-256", weaker + "." + b64(value(t, p.p384, crypto.SHA256, weaker)), nil, "value"},
		{"HMAC with the public key", code + "." + b64(mac.Sum(nil)), nil, "forbidden"},
		{"PSS without salt", pss + "." + b64(short), nil, "value"},
	}
}

// jsonMutants are in the JSON forms; parts are those of a good compact message.
func jsonMutants(t *testing.T, p people, parts []string) []mutant {
	flat := func(more string) string {
		return fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q%s}`, parts[1], parts[0], parts[2], more)
	}
	one := fmt.Sprintf(`{"protected":%q,"signature":%q}`, parts[0], parts[2])
	spoilt := fmt.Sprintf(`{"protected":%q,"signature":%q}`, parts[0], b64(make([]byte, 256)))
	general := func(list string) string { return fmt.Sprintf(`{"payload":%q,"signatures":[%s]}`, parts[1], list) }
	if got := faults(t, []byte(general(one)), nil) + faults(t, []byte(flat("")), nil); got != "" {
		t.Fatalf("what the mutants are made of is not good: %s", got)
	}
	raw := b64([]byte(`{"alg":"RS256","crit":["b64"],"b64":false,` + chain(p.rsa) + `}`))
	text, err := json.Marshal(string(payload))
	if err != nil {
		t.Fatal(err)
	}
	unencoded := fmt.Sprintf(`{"protected":%q,"signature":%q}`, raw, b64(value(t, p.rsa, crypto.SHA256, raw+"."+string(payload))))
	if got := faults(t, []byte(fmt.Sprintf(`{"payload":%s,"signatures":[%s]}`, text, unencoded)), nil); got != "" {
		t.Fatalf("an unencoded payload: %s", got)
	}
	bare := fmt.Sprintf(`{"payload":%q,"header":{"alg":"RS256",%s},"signature":%q}`, parts[1], chain(p.rsa), b64(value(t, p.rsa, crypto.SHA256, "."+parts[1])))
	return []mutant{
		{"both forms at once", flat(`,"signatures":[` + one + `]`), nil, "malformed"},
		{"no signatures", general(""), nil, "malformed"}, {"signatures is an object", fmt.Sprintf(`{"payload":%q,"signatures":%s}`, parts[1], one), nil, "malformed"},
		{"too many signatures", general(one + strings.Repeat(","+one, jws.MaxSignatures)), nil, "malformed"},
		{"payload twice", flat(`,"payload":"eA"`), nil, "malformed"}, {"signature twice", flat(`,"signature":"eA"`), nil, "malformed"},
		{"a name twice in one of several", general(strings.Replace(one, "{", `{"protected":"e30",`, 1)), nil, "malformed"},
		{"no signature member", fmt.Sprintf(`{"payload":%q,"protected":%q}`, parts[1], parts[0]), nil, "malformed"},
		{"payload is a number", strings.Replace(flat(""), `"payload":"`, `"payload":5,"x":"`, 1), nil, "malformed"},
		{"payload is null", strings.Replace(flat(""), `"payload":"`, `"payload":null,"x":"`, 1), nil, "malformed"},
		{"something behind the message", flat("") + "x", nil, "malformed"}, {"a list", "[" + flat("") + "]", nil, "malformed"},
		{"a header that stands in both", flat(`,"header":{"alg":"RS256"}`), nil, "malformed"},
		{"crit outside", flat(`,"header":{"crit":["b64"]}`), nil, "format"}, {"b64 outside", flat(`,"header":{"b64":false}`), nil, "format"},
		{"alg outside", bare, nil, "format"},
		{"the payload's name in capitals", strings.Replace(flat(""), `"payload"`, `"PAYLOAD"`, 1), nil, "no-content"},
		{"the second of two is spoilt", general(one + "," + spoilt), nil, " value"}, {"the first of two is spoilt", general(spoilt + "," + one), nil, "value "},
		{"two that disagree on b64", general(one + "," + unencoded), nil, "malformed"},
		{"an unencoded payload in the compact form with a period", raw + ".a.b." + b64(value(t, p.rsa, crypto.SHA256, raw+".a.b")), nil, "malformed"},
		{"an unencoded payload in the compact form with a tab", raw + ".a\tb." + b64(value(t, p.rsa, crypto.SHA256, raw+".a\tb")), nil, "malformed"},
		{"an unencoded payload taken for an encoded one", fmt.Sprintf(`{"payload":%q,"signatures":[%s]}`, b64(payload), unencoded), nil, "value"},
	}
}

func TestNearCopiesAreRefused(t *testing.T) {
	all, names := mutants(t), map[string]bool{}
	if len(all) < 40 {
		t.Fatalf("only %d near copies", len(all))
	}
	for _, m := range all {
		if names[m.name] {
			t.Errorf("two near copies are called %q", m.name)
		}
		names[m.name] = true
		t.Run(m.name, func(t *testing.T) {
			if got := faults(t, []byte(m.raw), m.content, signers(t).rsa); got != m.want || strings.TrimSpace(got) == "" {
				t.Errorf("found %q, want %q", got, m.want)
			}
		})
	}
}

// The good ones beside them: each of these is one word away from a near copy.
func TestWhatMayStandInAHeader(t *testing.T) {
	p := signers(t)
	x5c := chain(p.rsa)
	sum := sha256.Sum256(p.rsa.Certificate.Raw)
	own, err := (&jose.JSONWebKey{Key: p.rsa.Key.Public()}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]string{
		"a type and a key id":       `{"typ":"JWT","kid":"1","alg":"RS256",` + x5c + `}`,
		"addresses, not looked at":  `{"alg":"RS256","jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/",` + x5c + `}`,
		"the certificate's own key": `{"alg":"RS256","jwk":` + string(own) + `,` + x5c + `}`,
		"its thumbprint":            `{"alg":"RS256","x5t#S256":"` + b64(sum[:]) + `",` + x5c + `}`,
		"its thumbprint alone":      `{"alg":"RS256","x5t#S256":"` + b64(sum[:]) + `"}`,
		"a member nobody knows":     `{"alg":"RS256","https://example.invalid/x":[1,{"a":null}],` + x5c + `}`,
		"white space":               "{ \r\n\t\"alg\" : \"RS256\" , " + x5c + " }",
		"an escaped name":           `{"\u0061lg":"RS256",` + x5c + `}`,
		"b64 true and critical":     `{"alg":"RS256","crit":["b64"],"b64":true,` + x5c + `}`,
		"a claimed time":            `{"alg":"RS256","crit":["sigT"],"sigT":"2026-11-24T03:04:05Z",` + x5c + `}`,
	} {
		if got := faults(t, []byte(forge(t, p.rsa, header, payload)), nil, p.rsa); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// quick makes an identity without an authority: a fuzz run's processes would spend their time on RSA keys.
func quick(f *testing.F) signtest.Identity {
	f.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: signtest.Now, NotAfter: signtest.Now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		f.Fatal(err)
	}
	return signtest.Identity{Certificate: c, Key: key}
}

func FuzzParse(f *testing.F) {
	who := quick(f)
	header := b64([]byte(`{"alg":"ES256",` + chain(who) + `}`))
	f.Add([]byte(header+"."+b64(payload)+"."+b64(make([]byte, 64))), []byte(nil))
	f.Add([]byte(`{"payload":"","signatures":[{"protected":"`+header+`","header":{"kid":"1"},"signature":"AA"}]}`), []byte("x"))
	f.Add([]byte(`{"protected":"eyJhbGciOiJFUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9","signature":"AA"}`), []byte("x"))
	f.Fuzz(func(t *testing.T, raw, content []byte) {
		if got := faults(t, raw, content, who); strings.TrimSpace(got) == "" {
			t.Errorf("accepted: %q over %q", raw, content)
		}
		if kept, err := jws.Detach(raw); err == nil {
			if m, err := jws.Parse(kept); err != nil || !m.Detached {
				t.Errorf("detached, %q is no detached message: %v", kept, err)
			}
		}
	})
}
