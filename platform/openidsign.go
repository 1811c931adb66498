package platform

import (
	"bytes"
	"context"
	"crypto"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/platform/openid"
	"github.com/jitsuin/jitsuin/platform/tlslogin"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// The sign API as a part of the platform: package openid has the protocol and the transactions, here is what is shown to the person, and the
// check of what they signed, which is the platform's own (verify).

const errandSign = "openid-sign"

// Sign implements openid.Host.
func (h openidHost) Sign(w http.ResponseWriter, r *http.Request, a openid.Ask, t openid.Signing, document string) error {
	who, err := h.p.askerOf(r.Context(), a)
	if err != nil {
		return err
	}
	q := errand.Request{Name: errandSign, About: string(a.Request), Act: api.ActSign, Client: &who, Purpose: "電子署名", PurposeEN: "To sign", With: a.With,
		Documents: []api.RequestDocument{{Name: t.Name, MediaType: t.MediaType, SHA256: t.Digest, HRef: document, Bare: true}}}
	if t.Document == nil {
		q.Documents[0].HRef = ""
	}
	return h.p.errands.Begin(w, r, q)
}

// MaySign implements openid.Host.
func (h openidHost) MaySign(_ context.Context, purpose string) error {
	_, err := checkRequest(api.VerificationRequest{Purpose: purpose, Signature: []byte{}}, h.p.Clock.Now())
	return err
}

// Verified implements openid.Host: the answer of the check, with items and user, read again from log and certificate.
func (h openidHost) Verified(ctx context.Context, t openid.Signing, check jitsuin.ID, certificate []byte) (any, error) {
	return h.p.answer(ctx, t.Tenant, check, api.VerificationRequest{Purpose: t.Purpose}, certificate)
}

// decideSign judges what a holder answers to a transaction of the sign API.
func (p *Platform) decideSign(ctx context.Context, v errand.Visit, a api.HolderAnswer) (outcome, result string, err error) {
	var l *openid.Login
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		l, err = p.openid.Pending(tx, jitsuin.ID(v.About), v.Txn)
		return err
	})
	if err == nil && l.Done {
		return string(openid.Welcome), "", nil
	}
	var t openid.Signing
	if err == nil {
		t, err = p.openid.Signing(ctx, l)
	}
	if err != nil {
		if jitsuin.KindOf(err) == jitsuin.NotFound {
			return string(openid.TooLate), "", nil
		}
		return "", "", err
	}
	found, err := p.verifySigned(ctx, l, t, a)
	switch {
	case jitsuin.KindOf(err) == jitsuin.NotFound && err != nil: // signed in another window meanwhile
		return string(openid.TooLate), "", nil
	case err != nil && (jitsuin.KindOf(err) == jitsuin.Invalid || jitsuin.KindOf(err) == jitsuin.Unsupported):
	case err != nil:
		return "", "", err
	case found.Report.SubIndication == signature.TryLater:
		return "", "", jitsuin.Errorf(jitsuin.Unavailable, "status-unknown", "it cannot be told now whether the certificate is in force")
	case found.Report.Verdict == signature.Passed:
		return string(openid.Welcome), "", nil
	}
	return string(signRefusal(found.Report.SubIndication)), unattended(a), p.openid.EndSigning(ctx, jitsuin.ID(v.About), true)
}

// signRefusal is how the person is told that a signature was not accepted.
func signRefusal(sub signature.SubIndication) openid.Outcome {
	if o, ok := openidRefusals[tlslogin.ReasonOf(sub)]; ok {
		return o
	}
	return openid.Refused
}

// verifySigned checks a signature for its tenant and, where it passes, closes the transaction in the same commit. Each answer is a check of
// its own: one whose status could not be had is asked again.
func (p *Platform) verifySigned(ctx context.Context, l *openid.Login, t openid.Signing, a api.HolderAnswer) (api.Verification, error) {
	leaf, err := cert.Parse(a.Certificate)
	if err != nil {
		return api.Verification{}, jitsuin.Errorf(jitsuin.Invalid, "certificate", "the certificate cannot be read")
	}
	in := api.VerificationRequest{Purpose: t.Purpose, Document: t.Document}
	if t.Document == nil {
		in.DocumentDigest = t.Digest
	}
	if l.CRL {
		in.Validity = ValidityCRL
	}
	if in.Signature, err = cms.Bare(leaf, crypto.SHA256, a.Signature); err != nil {
		return api.Verification{}, err
	}
	signed, err := p.openid.Signed(l, t, leaf.Raw, a.Signature)
	if err != nil {
		return api.Verification{}, err
	}
	ctx = httpapi.WithIdempotencyKey(httpapi.WithCaller(ctx, httpapi.Caller{ID: t.Tenant, Role: roleTenant}), string(jitsuin.NewID()))
	return p.verify(withTerms(ctx, terms{vouched: t.Document == nil, signed: signed}), t.Tenant, in)
}

func (p *Platform) signEnded(ctx context.Context, v errand.Visit) error {
	return p.openid.EndSigning(ctx, jitsuin.ID(v.About), false)
}

// unsealed puts the certificate of a result of the sign API together with the bare signature of that result.
func (p *Platform) unsealed(ctx context.Context, tenant string, in api.VerificationRequest) (context.Context, api.VerificationRequest, error) {
	if in.CertificateJWE == "" {
		return ctx, in, nil
	}
	if in.Signature == nil || in.Document == nil && in.DocumentDigest == nil {
		return ctx, in, jitsuin.Errorf(jitsuin.Invalid, "signature-missing", "with the certificate come the signature of the same result, and the document or its digest").At("signature")
	}
	raw, err := p.openid.OpenCertificate(tenant, in.CertificateJWE)
	if err != nil {
		return ctx, in, err
	}
	leaf, err := cert.Parse(raw)
	if err == nil {
		in.Signature, err = cms.Bare(leaf, crypto.SHA256, bytes.Clone(in.Signature))
	}
	in.CertificateJWE = ""
	t := termsOf(ctx)
	t.vouched = in.DocumentDigest != nil
	return withTerms(ctx, t), in, err
}
