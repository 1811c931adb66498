package pades

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Finish gives the signed document. signature is CMS in DER over Digest, without the content. Nothing that does not hold
// gets into a document: a signature over something else, of several signers, with its content inside, without the
// signer's certificate, or not of the prepared form is refused with Invalid "pdf-signature"; one that is too long with
// Invalid "pdf-room", which says how many octets are missing.
func (p *Prepared) Finish(ctx context.Context, signature []byte) ([]byte, error) {
	sd, err := cms.Parse(signature)
	if err != nil {
		return nil, err
	}
	if len(sd.Signers) != 1 || sd.Embedded || !sd.ContentType.Equal(cms.OIDData) {
		return nil, unfit("it has %d signers, or holds its content, or is over content of another type", len(sd.Signers))
	}
	one := sd.Signers[0]
	digests, err := sd.Digest(ctx, p.Covered())
	if err != nil {
		return nil, err
	}
	if result := sd.Verify(one, digests, nil); !result.Intact() {
		return nil, unfit("%s", firstFault(result))
	}
	_, timed, _ := one.SigningTime()
	if p.kind.form == CAdES && (!one.CAdES() || timed) {
		return nil, unfit("PAdES has the attribute signing-certificate and none of signing-time")
	}
	return p.put(signature)
}

func unfit(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "pdf-signature", "the signature does not belong into this document: "+format, args...)
}

func firstFault(r *cms.Result) string {
	for _, c := range r.Checks {
		if !c.OK {
			return c.What + " is " + c.Got + " in place of " + c.Expected
		}
	}
	return "the signer's certificate is missing"
}
