package platform_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

func TestASignedDocumentIsVerified(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		v := b.verify(b.signed(hanako))
		if v.Report.Verdict != signature.Passed || v.Report.Revocation.Source != cert.SourceOCSP || v.Purpose != "account" {
			t.Fatalf("%+v", v.Report)
		}
		if v.Items == nil || *v.Items != hanako.Items {
			t.Errorf("items %+v", v.Items)
		}
		if v.User == nil || !v.User.New || len(v.User.ID) != 32 {
			t.Errorf("user %+v", v.User)
		}
		if v.Legal == nil || !v.Legal.Presumed || len(v.Legal.Must) == 0 {
			t.Errorf("legal %+v", v.Legal)
		}
		if v.Record == nil || v.Record.Kind != "confirmation" || !v.Record.KeepUntil.IsZero() || v.Record.Law == "" {
			t.Errorf("record %+v", v.Record)
		}
		for _, s := range v.Report.Signatures {
			if s.Signer.Restricted != nil || s.Items != nil || s.Signer.Subject != "" {
				t.Errorf("the report gives away %+v %+v", s.Signer, s.Items)
			}
		}
		again := b.verify(b.signed(hanako))
		if again.User == nil || again.User.New || again.User.ID != v.User.ID || again.ID == v.ID {
			t.Errorf("the second time: %+v", again.User)
		}
		var got api.Verification
		if err := b.Tenant(b.tenant).Call(t.Context(), "GET", "/v1/verifications/"+string(v.ID), "", nil, &got); err != nil {
			t.Fatal(err)
		}
		if got.ID != v.ID || got.Items != nil || *got.User != *v.User || got.Record == nil || got.Record.ID != v.Record.ID || !got.CheckedAt.Equal(v.CheckedAt) {
			t.Errorf("read again: %+v, was %+v", got, v)
		}
	})
}

func TestWhatIsNotAccepted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		good := b.signed(hanako)
		altered := good
		altered.Document = append([]byte("第1条 "), document...)
		refused(t, b.verify(altered), signature.Failed, signature.HashFailure)
		if *b.verify(good).Items != hanako.Items {
			t.Error("the unaltered one does not pass")
		}
		garbage := good
		garbage.Signature = []byte("no signature at all")
		refused(t, b.verify(garbage), signature.Malformed, signature.FormatFailure)
		missing := good
		missing.Document = nil
		refused(t, b.verify(missing), signature.Indeterminate, signature.SignedDataNotFound)

		taro := b.Agency.Resident("沢渡　太郎")
		revoked := b.signed(taro)
		if b.verify(revoked).Report.Verdict != signature.Passed {
			t.Error("before its revocation the signature does not pass")
		}
		b.Agency.Revoke(jitsuin.SignCert, taro.Sign.Cert)
		refused(t, b.verify(revoked), signature.Failed, signature.Revoked)

		b.refuseCertificates(t)
		if users := b.count(`SELECT COUNT(*) FROM users`); users != 2 {
			t.Errorf("%d users after refusals, want the two who were accepted", users)
		}
		if records := b.count(`SELECT COUNT(*) FROM vault_records`); records != 2 {
			t.Errorf("%d records in the vault, want 2", records)
		}
	})
}

// refuseCertificates tries certificates that are not what they should be.
func (b *bank) refuseCertificates(t *testing.T) {
	t.Helper()
	jiro := b.Agency.Resident("雨宮　次郎")
	now := time.Now()
	b.Agency.Reissue(jiro, jitsuin.SignCert, func(c *cert.Template) {
		c.NotBefore, c.LastDay = now.AddDate(-1, 0, 0).Truncate(time.Second), jitsuin.DateOf(now).AddDays(-1)
	})
	refused(t, b.verify(b.signed(jiro)), signature.Failed, signature.Expired)
	b.Agency.Reissue(jiro, jitsuin.SignCert, func(c *cert.Template) { c.NotBefore = now.AddDate(0, 0, 2).Truncate(time.Second) })
	refused(t, b.verify(b.signed(jiro)), signature.Failed, signature.NotYetValid)

	// The right name, another key: a generation of the authority that is not trusted here.
	forger := platformtest.NewAuthority(t, jitsuin.SignCert, 99)
	tmpl := forger.Resident(t, jiro.Sign.Cert.SerialNumber)
	tmpl.Key, tmpl.NotBefore, tmpl.LastDay = jiro.Sign.Cert.PublicKey, now.AddDate(0, -1, 0).Truncate(time.Second), jitsuin.DateOf(now).AddDays(900)
	jiro.Sign.Cert = forger.Issue(t, tmpl)
	refused(t, b.verify(b.signed(jiro)), signature.Indeterminate, signature.NoCertificateChain)

	// An authentication certificate over a document: the resident's own software refuses, so the
	// signature is made as somebody would make it who has only the key.
	asAuth := platformtest.Credential{Cert: jiro.Auth.Cert, Key: jiro.Auth.Key}
	refused(t, b.verify(api.VerificationRequest{Document: document, Signature: rawCMS(t, asAuth, document)}), signature.Failed, signature.ChainConstraints)
}

func TestStatusThatCannotBeHadIsNeverGood(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	b.Status.Down.Store(true)
	refused(t, b.verify(b.signed(hanako)), signature.Indeterminate, signature.TryLater)
	b.Status.Down.Store(false)
	if b.verify(b.signed(hanako)).Report.Verdict != signature.Passed {
		t.Error("with the status service back the signature does not pass")
	}
	b.Status.Freeze(time.Now().Add(-2 * time.Hour)) // answers of two hours ago
	refused(t, b.verify(b.signed(hanako)), signature.Indeterminate, signature.TryLater)
}

func TestRevocationLists(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, func(c *platform.Config) { c.Validity = platform.ValidityCRL })
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		b.Agency.Revoke(jitsuin.SignCert, taro.Sign.Cert)
		if v := b.verify(b.signed(hanako)); v.Report.Verdict != signature.Passed || v.Report.Revocation.Source != cert.SourceCRL {
			t.Fatalf("%+v", v.Report)
		}
		refused(t, b.verify(b.signed(taro)), signature.Failed, signature.Revoked)
		b.Status.Freeze(time.Now()) // no new lists
		b.advance(72 * time.Hour)
		refused(t, b.verify(b.signed(hanako)), signature.Indeterminate, signature.TryLater)
		b.Status.Freeze(time.Time{})
		if v := b.verify(b.signed(hanako)); v.Report.Verdict != signature.Passed {
			t.Errorf("with a fresh list: %+v", v.Report.Reasons)
		}
	})
}

func TestOnlyTheDigestIsSent(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	sum := sha256.Sum256(document)
	request := api.VerificationRequest{DocumentDigest: sum[:], Signature: hanako.Sign.Over(t, document)}
	if v := b.verify(request); v.Report.Verdict != signature.Passed || v.Items == nil || *v.Items != hanako.Items || v.Report.Integrity != signature.Intact {
		t.Fatalf("%+v", v.Report)
	}
	other := sha256.Sum256([]byte("another document"))
	wrong := request
	wrong.DocumentDigest = other[:]
	refused(t, b.verify(wrong), signature.Failed, signature.HashFailure)
	longer := sha512.Sum384(document)
	otherHash := request
	otherHash.DocumentDigest = longer[:] // the signature has SHA-256
	refused(t, b.verify(otherHash), signature.Indeterminate, signature.SignedDataNotFound)

	b.Status.Down.Store(true)
	refused(t, b.verify(request), signature.Indeterminate, signature.TryLater)
	b.Status.Down.Store(false)
	b.Agency.Revoke(jitsuin.SignCert, hanako.Sign.Cert)
	refused(t, b.verify(request), signature.Failed, signature.Revoked)

	short := request
	short.DocumentDigest = sum[:20]
	_, err := b.verifyAs(b.tenant, short)
	code(t, err, jitsuin.Invalid, "digest-length")
	both := request
	both.Document = document
	_, err = b.verifyAs(b.tenant, both)
	code(t, err, jitsuin.Invalid, "document-and-digest")
	embedded := request
	embedded.Signature = embed(t, hanako, document)
	_, err = b.verifyAs(b.tenant, embedded)
	code(t, err, jitsuin.Invalid, "digest-embedded")
}

// Without signed attributes a signature covers the bytes themselves: what they are cannot be told
// from a digest, and might be a login's challenge or another signature's attributes.
func TestADirectSignatureNeedsItsDocument(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	sum := sha256.Sum256(document)
	direct := directCMS(t, hanako.Sign, document)
	if v := b.verify(api.VerificationRequest{Document: document, Signature: direct}); v.Report.Verdict != signature.Passed {
		t.Fatalf("with its document: %+v", v.Report)
	}
	refused(t, b.verify(api.VerificationRequest{DocumentDigest: sum[:], Signature: direct}), signature.Failed, signature.SigConstraints)
}

func embed(t *testing.T, p *platformtest.Person, document []byte) []byte {
	t.Helper()
	s := signature.DocumentSigner{Certificate: p.Sign.Cert, Key: p.Sign.Key}
	der, err := s.Embedded(context.Background(), document, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// What lies in the vault is evidence: openssl accepts the kept signature over the document, also
// where the signature came with the document inside.
func TestTheKeptSignatureStillProves(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	v := b.verify(api.VerificationRequest{Signature: embed(t, hanako, document)})
	if v.Report.Verdict != signature.Passed {
		t.Fatalf("%+v", v.Report)
	}
	var kept, leaf, status []byte
	err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT signature, certificate, status FROM vault_records WHERE verification = $1`, v.ID).Scan(&kept, &leaf, &status)
	})
	if err != nil || bytes.Contains(kept, document) || !bytes.Equal(leaf, hanako.Sign.Cert.Raw) {
		t.Fatalf("kept %d bytes, %v", len(kept), err)
	}
	if _, err := cert.ParseOCSPResponse(status); err != nil {
		t.Errorf("the status evidence: %v", err)
	}
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the judge openssl is missing")
		}
		t.Skip("SKIPPED WITHOUT ITS JUDGE: openssl is not installed")
	}
	file := func(name string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	judge := func(content []byte) ([]byte, error) {
		return exec.Command(openssl, "cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", file("kept.p7s", kept),
			"-content", file("document", content), "-out", os.DevNull).CombinedOutput()
	}
	if out, err := judge(document); err != nil {
		t.Errorf("openssl refuses the kept signature: %s", out)
	}
	if _, err := judge(append(bytes.Clone(document), '.')); err == nil {
		t.Error("openssl accepts it over another document")
	}
}

func TestLookingBackGivesNobody(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	taro := b.Agency.Resident("沢渡　太郎")
	before := time.Now().Add(-time.Hour)
	b.Agency.Revoke(jitsuin.SignCert, taro.Sign.Cert)
	request := b.signed(taro)
	request.At = &before
	v := b.verify(request)
	if v.Report.Verdict != signature.Passed || v.User != nil || v.Items != nil || v.Record != nil {
		t.Errorf("an hour before the revocation: %+v %+v %+v", v.Report.Verdict, v.User, v.Items)
	}
	ahead := time.Now().Add(time.Hour)
	request.At = &ahead
	_, err := b.verifyAs(b.tenant, request)
	code(t, err, jitsuin.Invalid, "at-future")
}

// The authority records a revocation after the check has begun and before it answers: what is told
// to be dead by then is not accepted, whatever it was at the first instant.
func TestWhatIsRevokedDuringTheCheckIsNotAccepted(t *testing.T) {
	t.Parallel()
	for _, validity := range []string{platform.ValidityOCSP, platform.ValidityCRL} {
		b := open(t, "sqlite::memory:", func(c *platform.Config) { c.Validity = validity })
		hanako := b.Agency.Resident("霧島　花子")
		during := b.Platform.Clock.Now().Add(20 * time.Second)
		b.Agency.RevokeAt(jitsuin.SignCert, hanako.Sign.Cert, during)
		b.Agency.RevokeAt(jitsuin.AuthCert, hanako.Auth.Cert, during)
		v := b.verify(b.signed(hanako))
		refused(t, v, signature.Indeterminate, signature.TryLater)
		if r := v.Report.Revocation; r == nil || r.RevokedAt == nil || r.Status == cert.Good {
			t.Errorf("%s: the report keeps to itself what was told: %+v", validity, r)
		}
		l, err := b.login(b.tenant, hanako.Auth)
		if err != nil || l.User != nil || l.Report.Verdict != signature.Indeterminate {
			t.Errorf("%s: login: %+v, %v", validity, l, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM users`) + b.count(`SELECT COUNT(*) FROM vault_records`); n != 0 {
			t.Errorf("%s: %d users and records", validity, n)
		}
		b.advance(30 * time.Second)
		refused(t, b.verify(b.signed(hanako)), signature.Failed, signature.Revoked)
		back := b.signed(hanako)
		before := during.Add(-time.Minute)
		back.At = &before
		if v := b.verify(back); v.Report.Verdict != signature.Passed || v.User != nil || v.Items != nil {
			t.Errorf("%s: looking back: %+v", validity, v.Report)
		}
	}
}

// The authority vouches for a certificate whose four items make no sense: nobody is accepted by it, and
// nothing half-made stays behind.
func TestACertificateThatDoesNotSayWho(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	tbs := bytes.Replace(hanako.Sign.Cert.RawTBSCertificate, []byte("19800217"), []byte("19801317"), 1)
	if bytes.Equal(tbs, hanako.Sign.Cert.RawTBSCertificate) {
		t.Fatal("the date of birth was not found")
	}
	strange := platformtest.Credential{Cert: b.Agency.Authorities[jitsuin.SignCert].Assemble(t, tbs), Key: hanako.Sign.Key}
	_, err := b.verifyAs(b.tenant, api.VerificationRequest{Document: document, Signature: rawCMS(t, strange, document)})
	code(t, err, jitsuin.Unsupported, "items-unreadable")
	if n := b.count(`SELECT COUNT(*) FROM users`) + b.count(`SELECT COUNT(*) FROM checks`); n != 0 {
		t.Errorf("%d users and checks", n)
	}
	if v := b.verify(b.signed(hanako)); v.Items == nil || *v.Items != hanako.Items {
		t.Errorf("with her own: %+v", v.Items)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	good := b.signed(b.Agency.Resident("霧島　花子"))
	for want, spoil := range map[string]func(*api.VerificationRequest){
		"purpose":      func(r *api.VerificationRequest) { r.Purpose = "marketing" },
		"purpose-kind": func(r *api.VerificationRequest) { r.Purpose = "login" },
		"request-form": func(r *api.VerificationRequest) { r.Signature = []byte{} },
	} {
		r := good
		spoil(&r)
		_, err := b.verifyAs(b.tenant, r)
		code(t, err, jitsuin.Invalid, want)
	}
	// A document of no bytes is not taken for none, beside one inside the signature.
	err := b.once(b.tenant, "/v1/verifications", string(jitsuin.NewID()), map[string]any{"document": "", "purpose": "account",
		"signature": embed(t, b.Agency.Resident("沢渡　太郎"), document)}, nil)
	code(t, err, jitsuin.Invalid, "request-form")
	large := good
	large.Document = make([]byte, platform.MaxDocument+1)
	_, err = b.verifyAs(b.tenant, large)
	code(t, err, jitsuin.Invalid, "document-too-large")
}
