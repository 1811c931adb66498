package openid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
)

// The certificate of a signature leaves the sign API only as a JWE for the verifier, which here is the platform itself: the client hands it
// to POST /v1/verifications and reads nothing of it. Algorithms are our choice: ECDH-ES+A256KW on P-256, A256GCM.

// certificateKey comes from the platform's own key: every node of it opens what another has sealed.
func (p *Provider) certificateKey() *ecdsa.PrivateKey {
	for use := "sign certificate"; ; use += "+" { // one in 2^32 is no scalar of P-256
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), p.secret(use)); err == nil {
			return key
		}
	}
}

// sealedCertificate is what lies in such a JWE: it is good for one tenant.
type sealedCertificate struct {
	Tenant      string `json:"tenant"`
	Certificate []byte `json:"certificate"` // DER
}

func (p *Provider) certificateJWE(tenant string, certificate []byte) (string, error) {
	e, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES_A256KW, Key: &p.certificateKey().PublicKey}, nil)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(sealedCertificate{tenant, certificate})
	if err != nil {
		return "", err
	}
	sealed, err := e.Encrypt(raw)
	if err != nil {
		return "", err
	}
	return sealed.CompactSerialize()
}

// OpenCertificate gives the certificate (DER) of a result of the sign API, to the tenant whose it was; Invalid "certificate-jwe" for one that
// is another tenant's, or was not sealed here.
func (p *Provider) OpenCertificate(tenant, jwe string) ([]byte, error) {
	wrong := jitsuin.Errorf(jitsuin.Invalid, "certificate-jwe", "this is no certificate that the sign API sealed for this tenant").At("sign_certificate_jwe")
	sealed, err := jose.ParseEncryptedCompact(jwe, []jose.KeyAlgorithm{jose.ECDH_ES_A256KW}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return nil, wrong
	}
	raw, err := sealed.Decrypt(p.certificateKey())
	var s sealedCertificate
	if err != nil || json.Unmarshal(raw, &s) != nil || s.Tenant != tenant {
		return nil, wrong
	}
	return s.Certificate, nil
}
