package platform_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/report"
)

const origin = "https://securities.example"

var document = []byte("口座開設申込書。私は取引約款に同意します。")

// bank is a world with one tenant, accredited.
type bank struct {
	*platformtest.World
	t      *testing.T
	tenant httpapi.Identity
}

func open(t *testing.T, database string, change func(*platform.Config)) *bank {
	t.Helper()
	w := platformtest.New(t, database, change)
	w.Accredit(minister.InForce)
	return &bank{w, t, w.Register("tenant:bank", origin)}
}

// verifyAs sends a request with a fresh key.
func (b *bank) verifyAs(tenant httpapi.Identity, r api.VerificationRequest) (api.Verification, error) {
	return b.verifyWith(tenant, string(jitsuin.NewID()), r)
}

func (b *bank) verifyWith(tenant httpapi.Identity, key string, r api.VerificationRequest) (v api.Verification, err error) {
	if r.Purpose == "" {
		r.Purpose = "account"
	}
	err = b.once(tenant, "/v1/verifications", key, r, &v)
	return v, err
}

// once posts without the repetitions of httpapi.Remote.Call, so that what is unavailable is seen at once.
func (b *bank) once(tenant httpapi.Identity, path, key string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, "http://callee"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(httpapi.HeaderIdempotencyKey, key)
	remote := b.Tenant(tenant)
	defer remote.Close()
	resp, err := remote.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := json.NewDecoder(resp.Body)
	if resp.StatusCode < 400 {
		if resp.StatusCode != http.StatusCreated {
			b.t.Errorf("%s answered %s", path, resp.Status)
		}
		if out == nil {
			return nil
		}
		return answer.Decode(out)
	}
	var p httpapi.Problem
	if err := answer.Decode(&p); err != nil {
		return err
	}
	for k := jitsuin.Internal; k <= jitsuin.Unavailable; k++ {
		if k.String() == p.Kind {
			return &jitsuin.Error{Kind: k, Code: p.Code, Message: p.Detail}
		}
	}
	return errors.New("a problem without a kind")
}

// verify checks document, as p signed it, for the bank, and fails the test if there is no answer.
func (b *bank) verify(r api.VerificationRequest) api.Verification {
	b.t.Helper()
	v, err := b.verifyAs(b.tenant, r)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *bank) signed(p *platformtest.Person) api.VerificationRequest {
	return api.VerificationRequest{Document: document, Signature: p.Sign.Over(b.t, document)}
}

// login answers a fresh challenge for a tenant with a credential.
func (b *bank) login(tenant httpapi.Identity, c platformtest.Credential) (api.Login, error) {
	b.t.Helper()
	return b.answer(tenant, b.challenge(tenant), c)
}

func (b *bank) challenge(tenant httpapi.Identity) api.Challenge {
	b.t.Helper()
	var c api.Challenge
	if err := b.once(tenant, "/v1/login-challenges", "", api.ChallengeRequest{Origin: origin, Purpose: "証券口座へのログイン"}, &c); err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bank) answer(tenant httpapi.Identity, c api.Challenge, with platformtest.Credential) (api.Login, error) {
	b.t.Helper()
	a, err := c.Challenge.ToSign().Sign(with.Cert, with.Key)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(tenant, api.LoginRequest{Challenge: c.ID, Certificate: a.Certificate.Raw, Signature: a.Signature, DigestAlg: a.DigestAlg})
}

func (b *bank) send(tenant httpapi.Identity, r api.LoginRequest) (l api.Login, err error) {
	err = b.once(tenant, "/v1/logins", "", r, &l)
	return l, err
}

// count asks the platform's database for a number.
func (b *bank) count(query string, args ...any) (n int) {
	b.t.Helper()
	err := b.Platform.DB.View(b.t.Context(), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// until waits for a count in the platform's database.
func (b *bank) until(what, query string, want int) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); b.count(query) != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// refused checks that a verification did not pass, for the reason, and gave nothing away.
func refused(t *testing.T, v api.Verification, verdict signature.Verdict, sub signature.SubIndication) {
	t.Helper()
	if v.Report.Verdict != verdict || v.Report.SubIndication != sub {
		t.Errorf("verdict %s %s, want %s %s: %+v", v.Report.Verdict, v.Report.SubIndication, verdict, sub, v.Report.Reasons)
	}
	if v.Items != nil || v.User != nil || v.Record != nil {
		t.Errorf("a refusal gave %+v %+v %+v", v.Items, v.User, v.Record)
	}
	if l := v.Legal; l == nil || l.Presumed || len(l.Basis)+len(l.Keep) > 0 || len(l.Next) == 0 || l.Action == report.Accept || l.Action == report.AcceptWithCare {
		t.Errorf("a refusal is read as %+v", l)
	}
	if len(v.Report.Reasons) == 0 || v.Report.Reasons[0].JA == "" || v.Report.Reasons[0].EN == "" {
		t.Error("a refusal without a reason")
	}
}

func code(t *testing.T, err error, kind jitsuin.Kind, want string) {
	t.Helper()
	if jitsuin.KindOf(err) != kind || jitsuin.CodeOf(err) != want {
		t.Errorf("got %v %q, want %v %q: %v", jitsuin.KindOf(err), jitsuin.CodeOf(err), kind, want, err)
	}
}

// advance moves the platform's civil clock.
func (b *bank) advance(d time.Duration) { b.Platform.Clock.Set(b.Platform.Clock.Offset() + d) }

// rawCMS signs a document with any key, as the resident's own software refuses to.
func rawCMS(t *testing.T, c platformtest.Credential, document []byte) []byte {
	t.Helper()
	s := cms.Signer{Certificate: c.Cert, Key: c.Key}
	der, err := s.Detached(t.Context(), bytes.NewReader(document), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// directCMS makes a detached RSA signature without signed attributes, as old software does.
func directCMS(t *testing.T, c platformtest.Credential, document []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(document)
	value, err := c.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	type algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	type signer struct {
		Version int
		ID      struct {
			Issuer asn1.RawValue
			Serial *big.Int
		}
		Digest, Algorithm algorithm
		Value             []byte
	}
	type signedData struct {
		Version      int
		Digests      []algorithm `asn1:"set"`
		Content      struct{ Type asn1.ObjectIdentifier }
		Certificates asn1.RawValue
		Signers      []signer `asn1:"set"`
	}
	hash, rsa := algorithm{OID: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}, algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, asn1.NullRawValue}
	s := signer{Version: 1, Digest: hash, Algorithm: rsa, Value: value}
	s.ID.Issuer, s.ID.Serial = asn1.RawValue{FullBytes: c.Cert.RawIssuer}, c.Cert.SerialNumber
	sd := signedData{Version: 1, Digests: []algorithm{hash}, Signers: []signer{s},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: c.Cert.Raw}}
	sd.Content.Type = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	der, err := asn1.Marshal(struct {
		Type asn1.ObjectIdentifier
		Data signedData `asn1:"explicit,tag:0"`
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, sd})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// text asks the platform's database for a text.
func (b *bank) text(query string, args ...any) (s string) {
	b.t.Helper()
	err := b.Platform.DB.View(b.t.Context(), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&s) })
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}
