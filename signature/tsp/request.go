package tsp

import (
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Request is TimeStampReq (RFC 3161 §2.4.1).
type Request struct {
	Imprint    Imprint
	Policy     asn1.ObjectIdentifier // nil: any
	Nonce      *big.Int              // nil: none
	CertReq    bool                  // the authority's certificate is wanted inside the token
	Extensions []Extension
}

// nonceSize is how many octets a nonce of ours has.
const nonceSize = 16

// NewRequest makes a request for a time-stamp over the digest sum, with a fresh nonce from random
// (nil: the system's) and with the authority's certificate.
func NewRequest(h crypto.Hash, sum []byte, random io.Reader) (*Request, error) {
	imprint, err := NewImprint(h, sum)
	if err != nil {
		return nil, err
	}
	if random == nil {
		random = rand.Reader
	}
	nonce := make([]byte, nonceSize)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	return &Request{Imprint: imprint, Nonce: new(big.Int).SetBytes(nonce), CertReq: true}, nil
}

// ParseRequest reads one request in DER that fills der. Default values may be written out, which
// other implementations do. The error is of kind Invalid.
func ParseRequest(der []byte) (*Request, error) {
	if len(der) > MaxRequest {
		return nil, malformed("a request of %d octets, at most %d are read", len(der), MaxRequest)
	}
	in := cryptobyte.String(der)
	var body, extensions cryptobyte.String
	var version int
	var hasExtensions, ok bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Integer(&version) {
		return nil, malformed("not a TimeStampReq")
	}
	if version != 1 {
		return nil, malformed("version %d of TimeStampReq is not known", version)
	}
	r := &Request{}
	if r.Imprint, ok = readImprint(&body); !ok {
		return nil, malformed("the imprint is not readable or has not the length that its algorithm gives")
	}
	if body.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) && !readOID(&body, &r.Policy) {
		return nil, malformed("the policy is not readable")
	}
	if r.Nonce, ok = readOptionalInteger(&body); !ok {
		return nil, malformed("the nonce is not an integer of at most %d octets", maxInteger)
	}
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&r.CertReq) ||
		!body.ReadOptionalASN1(&extensions, &hasExtensions, explicit(0)) || !body.Empty() {
		return nil, malformed("certReq or extensions are not readable, or something follows them")
	}
	if hasExtensions {
		if r.Extensions, ok = readExtensions(extensions); !ok {
			return nil, malformed("the extensions are not readable")
		}
	}
	return r, nil
}

// Marshal writes the request in DER.
func (r *Request) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addImprint(b, r.Imprint)
		if r.Policy != nil {
			b.AddASN1ObjectIdentifier(r.Policy)
		}
		if r.Nonce != nil {
			b.AddASN1BigInt(r.Nonce)
		}
		if r.CertReq {
			b.AddASN1Boolean(true)
		}
		if len(r.Extensions) > 0 {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addExtensions(b, r.Extensions) })
		}
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	return der, nil
}

func addExtensions(b *cryptobyte.Builder, all []Extension) {
	for _, e := range all {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(e.ID)
			if e.Critical {
				b.AddASN1Boolean(true)
			}
			b.AddASN1OctetString(e.Value)
		})
	}
}
