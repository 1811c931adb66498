package platform

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/metering"
	"github.com/jitsuin/jitsuin/platform/records"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/report"
)

// MaxDocument is the largest document, and the largest signature, in bytes.
const MaxDocument = 16 << 20

// maxVerificationBody holds a document and a signature over it in base64.
const maxVerificationBody = 2*MaxDocument/3*4 + 64<<10

// errNew says that a request has not been seen before.
var errNew = errors.New("not seen before")

// done is what is kept under an Idempotency-Key: the answer itself is read from the log, and the four items from the
// request, which carries the certificate each time.
type done struct {
	ID jitsuin.ID `json:"id"`
}

// request is what makes two verification requests the same one.
type request struct {
	Document  string            `json:"document"`
	Digest    []byte            `json:"digest"`
	Signature string            `json:"signature"`
	Purpose   string            `json:"purpose"`
	At        *time.Time        `json:"at"`
	Format    string            `json:"format,omitempty"`
	Validity  string            `json:"validity,omitempty"`
	Files     map[string]string `json:"files,omitempty"`
	Nameless  bool              `json:"nameless,omitempty"`
	// Customer is the record to compare with. Only a digest of the whole is stored.
	Customer *api.CustomerRecord `json:"customer_record,omitempty"`
	Record   *api.RecordFacts    `json:"record,omitempty"`
}

func requestOf(in api.VerificationRequest) request {
	r := request{Document: hexSum(in.Document), Digest: in.DocumentDigest, Signature: hexSum(in.Signature), Purpose: in.Purpose, At: in.At, Format: in.Format, Validity: in.Validity, Customer: in.CustomerRecord, Record: in.Record}
	for _, f := range in.Files {
		if r.Files == nil {
			r.Files = map[string]string{}
		}
		r.Files[f.Name] = hexSum(f.Content)
	}
	return r
}

const operationVerify = "verify"

// verify checks one signed document for a tenant.
//
//  1. Our accreditation and the tenant's contract are in force, and the purpose is one that the signature
//     certificate serves. The tenant's turn has come.
//  2. A request that took effect before is answered from the log; who signed is read from the request.
//  3. The signature is judged: bytes, certificate, status.
//  4. If it passed, J-LIS is asked whose certificate it is, unless this tenant's user is known by it, or is not to be named.
//  5. User, log, vault and what is metered are written in one transaction with the request's key.
func (p *Platform) verify(ctx context.Context, tenant string, in api.VerificationRequest) (api.Verification, error) {
	if err := p.mayVerify(ctx); err != nil {
		return api.Verification{}, err
	}
	now := p.Clock.Now()
	known, err := p.mayCheck(tenant, jitsuin.DateOf(now))
	if err != nil {
		return api.Verification{}, err
	}
	reading, err := checkRequest(in, now)
	if err != nil {
		return api.Verification{}, err
	}
	if ctx, in, err = p.unsealed(ctx, tenant, in); err != nil {
		return api.Verification{}, err
	}
	leave, err := p.enter(ctx, tenant)
	if err != nil {
		return api.Verification{}, err
	}
	defer leave()
	asked := requestOf(in)
	before, err := httpapi.Once(ctx, p.DB, operationVerify, asked, func(*store.Tx) (done, error) { return done{}, errNew })
	if !errors.Is(err, errNew) {
		if err != nil {
			return api.Verification{}, err
		}
		return p.answer(ctx, tenant, before.ID, in, nil)
	}
	c, err := p.judge(ctx, tenant, in, or(in.Validity, p.validityOf(known)), now)
	if err != nil {
		return api.Verification{}, err
	}
	var links []jlis.Link
	if c.accepted {
		if in.Identifies() {
			if links, err = p.linksOf(ctx, tenant, c.link); err != nil {
				return api.Verification{}, err
			}
		}
		if err := c.keepEvidence(in, reading); err != nil {
			return api.Verification{}, err
		}
	}
	fresh := jitsuin.NewID()
	stored, err := httpapi.Once(ctx, p.DB, operationVerify, asked, func(tx *store.Tx) (done, error) {
		if err := mayVerifyOn(tx, jitsuin.DateOf(now)); err != nil {
			return done{}, err
		}
		return done{c.entry.id}, c.store(ctx, tx, links, fresh)
	})
	if turnedAway(err) {
		return api.Verification{}, p.logTurnedAway(ctx, c.entry, c.used, err)
	}
	if err != nil {
		return api.Verification{}, err
	}
	p.PokeJobs()
	return p.answer(ctx, tenant, stored.ID, in, c.leaf)
}

func hexSum(b []byte) string {
	if b == nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// checkRequest refuses what cannot be checked, and gives the legal reading of the purpose today.
func checkRequest(in api.VerificationRequest, now time.Time) (rules.Reading, error) {
	reading, err := rules.LegalReading(jitsuin.SignCert, rules.Purpose(in.Purpose), jitsuin.DateOf(now))
	switch {
	case err != nil:
		return reading, err
	case !reading.Fits:
		return reading, jitsuin.Errorf(jitsuin.Invalid, "purpose-kind", "the purpose %q is not served by a signature", in.Purpose).At("purpose")
	case in.Signature == nil && in.Document == nil:
		return reading, jitsuin.Errorf(jitsuin.Invalid, "signature-missing", "there is nothing to check: send the signature, or the document that holds it").At("signature")
	case len(in.Signature) > MaxDocument || len(in.Document)+filesSize(in.Files) > MaxDocument:
		return reading, jitsuin.Errorf(jitsuin.Invalid, "document-too-large", "a signature, and a document with its files, have at most %d bytes each", MaxDocument).
			WithHint("send the document's digest instead")
	case repeated(in.Files):
		return reading, jitsuin.Errorf(jitsuin.Invalid, "file-twice", "two files have one name").At("files")
	case in.Document != nil && in.DocumentDigest != nil:
		return reading, jitsuin.Errorf(jitsuin.Invalid, "document-and-digest", "send the document or its digest, not both").At("digest")
	case in.CustomerRecord != nil && in.At != nil:
		return reading, jitsuin.Errorf(jitsuin.Invalid, "compare-past", "a look back gives no items to compare with the customer record").At("customer_record")
	case in.At != nil && in.At.After(now):
		return reading, jitsuin.Errorf(jitsuin.Invalid, "at-future", "a signature cannot be checked for a time to come").At("at")
	}
	return reading, checkCustomer(in.CustomerRecord)
}

// checkCustomer refuses a customer record that could not be compared, before anything is judged.
func checkCustomer(r *api.CustomerRecord) error {
	if r == nil {
		return nil
	}
	if r.Empty() {
		return jitsuin.Errorf(jitsuin.Invalid, "record-empty", "the customer record has nothing to compare").At("customer_record")
	}
	return r.Check()
}

// check is one judged document on its way into log and vault.
type check struct {
	entry    entry
	accepted bool              // passed, and asked about now
	refused  *x509.Certificate // suspended or revoked, though the signature is its key's; found is the report then
	found    *signature.Report
	link     jlis.Link
	held     held
	leaf     []byte // DER
	status   []byte // evidence of the status
	record   *records.Draft
	used     []metering.Use
}

// judge has package signature judge the document as it stands at the instant asked about.
func (p *Platform) judge(ctx context.Context, tenant string, in api.VerificationRequest, validity string, now time.Time) (*check, error) {
	anchors, err := p.trusted()
	if err != nil {
		return nil, err
	}
	at := now
	if in.At != nil {
		at = *in.At
	}
	w := p.witnessBy(validity, in.At == nil)
	policy := signature.Policy{Anchors: anchors, TimeAnchors: p.timeAnchors(), At: at, Revocation: w, Kind: jitsuin.SignCert}
	input, err := inputOf(in)
	if err != nil {
		return nil, err
	}
	input.Vouched = termsOf(ctx).vouched
	found, err := signature.Verify(ctx, input, policy)
	if err != nil {
		return nil, err
	}
	if err := p.served(found); err != nil {
		return nil, err
	}
	p.count.judged(sortDocument, found)
	return newCheck(ctx, tenant, in, found, w, now)
}

func newCheck(ctx context.Context, tenant string, in api.VerificationRequest, found *signature.Report, w *witness, now time.Time) (*check, error) {
	open, err := json.Marshal(publicReport(found))
	if err != nil {
		return nil, fmt.Errorf("encode the report: %w", err)
	}
	c := &check{accepted: found.Verdict == signature.Passed && in.At == nil, used: w.used(metering.Document, jitsuin.SignCert)}
	c.accepted = c.accepted && found.Format != signature.FormatTST // a time-stamp is nobody's signature
	c.entry = entry{id: jitsuin.NewID(), tenant: tenant, sort: sortDocument, purpose: in.Purpose, checkedAt: now,
		digest: digestOf(in, found), verdict: string(found.Verdict), why: whyNot(found), report: string(open), requestID: httpapi.RequestID(ctx)}
	if in.At != nil {
		c.entry.atInstant = *in.At
	}
	if !c.accepted {
		if in.At == nil && refusedFor(found) != "" {
			if c.refused, err = onlySigner(found); err != nil {
				c.refused = nil // several have signed: whose certificate is meant, is not told
			}
			c.found = found
		}
		return c, nil
	}
	leaf, err := onlySigner(found)
	if err != nil {
		return nil, err
	}
	if _, err := cert.ItemsOf(leaf); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "items-unreadable", "the certificate does not say who signed: its four items cannot be read")
	}
	c.leaf, c.link, c.held = leaf.Raw, linkOf(jitsuin.SignCert, leaf), heldOf(jitsuin.SignCert, leaf)
	c.status, err = w.evidence(leaf)
	return c, err
}

// onlySigner gives the certificate of the one person who signed; time-stamps of the document are nobody's.
func onlySigner(r *signature.Report) (leaf *x509.Certificate, err error) {
	n := 0
	for i := range r.Signatures {
		if s := &r.Signatures[i]; s.Format != signature.FormatTST {
			leaf, n = s.Certificate, n+1
		}
	}
	if n != 1 {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "several-signers", "the document has %d signatures; one person's is verified at a time", n)
	}
	return leaf, nil
}

// digestOf names the document in the log: by the digest that was sent or computed.
func digestOf(in api.VerificationRequest, r *signature.Report) string {
	if in.DocumentDigest != nil {
		return hex.EncodeToString(in.DocumentDigest)
	}
	if len(r.Signatures) > 0 && r.Signatures[0].Covers != nil {
		return r.Signatures[0].Covers.Digest
	}
	return hexSum(in.Document)
}

// store writes log, user and vault.
func (c *check) store(ctx context.Context, tx *store.Tx, links []jlis.Link, fresh jitsuin.ID) error {
	e := c.entry
	if c.accepted && links != nil {
		u, err := assignUser(tx, e.tenant, links, true, fresh, e.checkedAt)
		if err == nil {
			err = termsOf(ctx).allow(u)
		}
		if err != nil {
			return err
		}
		e.user, e.userNew = u.ID, u.New
	}
	if c.accepted {
		if err := termsOf(ctx).take(ctx, tx, e); err != nil {
			return err
		}
	}
	if err := putEntry(tx, e); err != nil {
		return err
	}
	if !c.accepted && c.refused != nil {
		if err := putRefused(tx, e, jitsuin.SignCert, c.refused, c.found); err != nil {
			return err
		}
	}
	if c.accepted {
		if err := putHeld(tx, e.tenant, e.id, e.user, c.held, e.checkedAt); err != nil {
			return err
		}
		if signed := termsOf(ctx).signed; signed != nil {
			if err := signed(tx, e.id, e.user); err != nil {
				return err
			}
		}
	}
	if err := audit.Record(ctx, tx, e.checkedAt, e.line()); err != nil {
		return err
	}
	if err := metering.Record(tx, e.tenant, e.checkedAt, c.used...); err != nil {
		return err
	}
	return c.keep(ctx, tx, e.user)
}

// verification gives a tenant's check again, without the four items: those are answered once, to the request that brought
// the certificate. Another tenant's, and one that never was, are refused alike.
func (p *Platform) verification(ctx context.Context, tenant string, id jitsuin.ID) (v api.Verification, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		e, err := getEntry(tx, tenant, sortDocument, id)
		if err != nil {
			return err
		}
		v = api.Verification{ID: e.id, CheckedAt: e.checkedAt, Purpose: e.purpose}
		if err := json.Unmarshal([]byte(e.report), &v.Report); err != nil {
			return fmt.Errorf("the stored report: %w", err)
		}
		legal, err := report.Read(&v.Report, rules.Purpose(e.purpose))
		if err != nil {
			return err
		}
		v.Legal = &legal
		if e.user != "" {
			v.User = &api.User{ID: e.user, New: e.userNew}
		}
		return addRecord(tx, e, &v)
	})
	return v, err
}
