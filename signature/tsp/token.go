package tsp

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha1" // read in old tokens; never makes one pass
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Token is a time-stamp token as read. Nothing in it is verified.
type Token struct {
	Info Info
	CMS  *cms.SignedData
	DER  []byte // as it came
}

// Parse reads one token: SignedData with a TSTInfo inside, BER or DER, that fills b; the TSTInfo is
// DER. Errors are *jitsuin.Error, of kind Invalid for what is no token and Unsupported for a form
// of SignedData that is not provided.
func Parse(b []byte) (*Token, error) {
	if len(b) > MaxToken {
		return nil, malformed("a token of %d octets, at most %d are read", len(b), MaxToken)
	}
	sd, err := cms.Parse(b)
	if err != nil {
		return nil, err
	}
	if !sd.ContentType.Equal(OIDTSTInfo) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "tsp-content-type", "signed data of the type %s is no time-stamp token", sd.ContentType)
	}
	if !sd.Embedded {
		return nil, malformed("the token has no content")
	}
	info, err := parseInfo(sd.Content)
	if err != nil {
		return nil, err
	}
	return &Token{Info: *info, CMS: sd, DER: b}, nil
}

// Sum reads what is said to be stamped and gives its digest with the token's algorithm, nil where
// that is not one that can be computed. Errors are the reader's and the context's.
func (t *Token) Sum(ctx context.Context, covered io.Reader) ([]byte, error) {
	if t.Info.Imprint.Hash == 0 {
		return nil, nil
	}
	h, buffer := t.Info.Imprint.Hash.New(), make([]byte, 32<<10)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := covered.Read(buffer)
		h.Write(buffer[:n])
		if err == io.EOF {
			return h.Sum(nil), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read what is stamped: %w", err)
		}
	}
}

// VerifyBytes is Verify for something that lies in memory.
func (t *Token) VerifyBytes(covered []byte, more []*x509.Certificate) *cms.Result {
	sum, _ := t.Sum(context.Background(), bytes.NewReader(covered)) // memory does not fail
	return t.Verify(sum, more)
}

// Verify applies every rule of RFC 3161 §2.4.2 and §2.3 and of RFC 5816 that needs no trust and no
// clock: the token stamps the digest sum (made with Info.Imprint.Hash; nil where what is stamped is
// not at hand), has one signer, is signed as its attributes say, and names by ESS a certificate that
// is for time-stamping alone. more are certificates that may be the authority's beside the embedded
// ones. Result.Intact tells whether all of them hold; a SHA-1 imprint leaves a FaultWeak.
func (t *Token) Verify(sum []byte, more []*x509.Certificate) *cms.Result {
	r := &cms.Result{}
	if n := len(t.CMS.Signers); n != 1 {
		note(r, "one-signer", "one signer", fmt.Sprint(n), cms.FaultFormat)
		return r
	}
	signer := t.CMS.Signers[0]
	// The content is embedded, so this reads memory only and cannot fail.
	if d, err := t.CMS.Digest(context.Background(), nil); err == nil {
		r = t.CMS.Verify(signer, d, more)
	}
	judge(r, "signing-certificate-present", "signing-certificate or signing-certificate-v2", "neither", signer.CAdES(), cms.FaultFormat)
	t.checkImprint(r, sum)
	for _, e := range t.Info.Extensions {
		if e.Critical {
			note(r, "critical-extension", "none that is not understood", e.ID.String(), cms.FaultUnsupported)
		}
	}
	if r.Certificate != nil {
		checkPurpose(r, r.Certificate)
		t.checkName(r, r.Certificate)
	}
	return r
}

// checkImprint compares what is stamped with the imprint.
func (t *Token) checkImprint(r *cms.Result, sum []byte) {
	i := t.Info.Imprint
	switch {
	case i.Hash == 0:
		note(r, "imprint-algorithm", "SHA-256, SHA-384 or SHA-512", i.name(), cms.FaultUnsupported)
		return
	case i.Hash == crypto.SHA1:
		note(r, "imprint-strength", "SHA-256, SHA-384 or SHA-512", i.name(), cms.FaultWeak)
	}
	if sum == nil {
		note(r, "imprint", "what is stamped, or its digest with "+i.name(), "neither", cms.FaultNoContent)
		return
	}
	ok := bytes.Equal(sum, i.Sum)
	fault := cms.Fault("")
	if !ok {
		fault = cms.FaultContent
	}
	note(r, "imprint", hex.EncodeToString(i.Sum), hex.EncodeToString(sum[:min(len(sum), 64)]), fault)
}

var (
	oidEKU          = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidSAN          = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
)

// What Verify calls the checks of the authority's certificate, for who explains a refusal.
const (
	CheckPurpose = "tsa-purpose"
	CheckUsage   = "tsa-key-usage"
	CheckName    = "tsa-name"
)

// checkPurpose holds c to RFC 3161 §2.3: extended key usage timeStamping, alone and critical. A key
// usage, where there is one, allows signatures and nothing else.
func checkPurpose(r *cms.Result, c *x509.Certificate) {
	got := "no extended key usage"
	for _, e := range c.Extensions {
		if e.Id.Equal(oidEKU) {
			got = purposeOf(e.Value, e.Critical)
			break
		}
	}
	judge(r, CheckPurpose, "timeStamping", got, got == "timeStamping", cms.FaultFormat)
	const signing = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	usage := c.KeyUsage == 0 || c.KeyUsage&signing != 0 && c.KeyUsage&^signing == 0
	judge(r, CheckUsage, "digitalSignature or nonRepudiation alone", "another", usage, cms.FaultFormat)
}

// purposeOf says what an extended key usage is for; "timeStamping" is the one right answer.
func purposeOf(value cryptobyte.String, critical bool) string {
	var body cryptobyte.String
	var purpose asn1.ObjectIdentifier
	switch {
	case !value.ReadASN1(&body, cbasn1.SEQUENCE) || !value.Empty() || !readOID(&body, &purpose):
		return "an extended key usage that is not readable"
	case !body.Empty():
		return "several purposes"
	case !purpose.Equal(oidTimeStamping):
		return "another purpose, " + purpose.String()
	case !critical:
		return "timeStamping, not critical"
	}
	return "timeStamping"
}

// checkName holds a stated name of the authority to the names in its certificate (RFC 3161 §2.4.2).
func (t *Token) checkName(r *cms.Result, c *x509.Certificate) {
	if t.Info.TSA == nil {
		return
	}
	ok := namesSubject(t.Info.TSA, c.RawSubject)
	for _, e := range c.Extensions {
		if e.Id.Equal(oidSAN) {
			ok = ok || namesAlternative(t.Info.TSA, e.Value)
		}
	}
	judge(r, CheckName, "a name in the certificate", "another", ok, cms.FaultReference)
}

// namesSubject tells whether the GeneralName is the distinguished name subject.
func namesSubject(general cryptobyte.String, subject []byte) bool {
	var name cryptobyte.String
	return general.ReadASN1(&name, explicit(4)) && general.Empty() && cert.SameName(name, subject)
}

// namesAlternative tells whether the GeneralName is among the GeneralNames of an extension.
func namesAlternative(general []byte, extension cryptobyte.String) bool {
	var names cryptobyte.String
	if !extension.ReadASN1(&names, cbasn1.SEQUENCE) || !extension.Empty() {
		return false
	}
	for !names.Empty() {
		var one cryptobyte.String
		var tag cbasn1.Tag
		if !names.ReadAnyASN1Element(&one, &tag) {
			return false
		}
		if bytes.Equal(one, general) {
			return true
		}
	}
	return false
}

// note records a check; it holds where fault is "".
func note(r *cms.Result, what, expected, got string, fault cms.Fault) {
	r.Checks = append(r.Checks, cms.Check{What: what, Expected: expected, Got: got, OK: fault == "", Fault: fault})
}

// judge records a check that holds or has the fault; otherwise is what was found in place of it.
func judge(r *cms.Result, what, expected, otherwise string, ok bool, fault cms.Fault) {
	if ok {
		otherwise, fault = expected, ""
	}
	note(r, what, expected, otherwise, fault)
}
