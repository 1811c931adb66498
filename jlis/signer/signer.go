// Package signer keeps the CA's private keys (発行者署名符号) and accounts for every use of them.
//
// It owns the keys and the journal of signatures, which lies outside the CA's database: a counter,
// the key, the purpose and the digest of each signature are durable before the signature is given
// out. It takes whole to-be-signed data with its purpose and looks at it, so that a key for
// certificates never signs something else. It never knows residents, feeds or databases; of packages
// card and card/contents it knows the form of the bytes for chips.
package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
)

// Purpose says what the bytes to be signed are.
type Purpose string

const (
	Certificate Purpose = "certificate" // a TBSCertificate
	CRL         Purpose = "crl"         // a TBSCertList
	Terminal    Purpose = "terminal"    // a chip-terminal certificate, see package card
	Face        Purpose = "card-face"   // what a reader verifies of a card's face, see package card/contents
	Ticket      Purpose = "ticket"      // lets a provider act on one chip's free area, see package card
)

// Receipt accounts for one signature.
type Receipt struct {
	Epoch   uint32   // of the CA; rises at every restore of the CA's database
	Counter uint64   // of all signatures of all keys, without gaps
	Digest  [32]byte // SHA-256 of the bytes signed
	Key     string
	Purpose Purpose
	// Serial is the serial number of a certificate; zero for anything else, and in journals of the first release.
	Serial [16]byte
	At     time.Time // wall time
}

// Signer signs for the CA. The file signer is for the sandbox; an HSM process offers the same.
type Signer interface {
	// Public gives the public key of a key by its name; NotFound for an unknown one.
	Public(key string) (crypto.PublicKey, error)
	// Sign signs whole to-be-signed data: RSA PKCS#1 v1.5 with SHA-256, or ECDSA with the hash of
	// the curve's size. The account of the signature is durable before it is returned. The same
	// RSA input gives the same signature; a repetition is accounted for again.
	Sign(ctx context.Context, key string, purpose Purpose, tbs []byte) ([]byte, Receipt, error)
	// Last gives the newest receipt; the zero Receipt with the epoch before the first signature.
	Last() Receipt
	// Since lists the receipts with a counter above the given one, in order.
	Since(counter uint64) ([]Receipt, error)
	// NewEpoch raises the epoch, at least to the one given: after the CA's database was restored.
	NewEpoch(atLeast uint32) (uint32, error)
}

// check looks whether tbs is what the purpose says, as far as its outer form tells, and gives the
// serial number of a certificate where it is one of 16 octets.
func check(purpose Purpose, tbs []byte) (number [16]byte, err error) {
	bad := func(why string) ([16]byte, error) {
		return number, jitsuin.Errorf(jitsuin.Denied, "signer-purpose", "the bytes are no %s: %s", purpose, why)
	}
	switch purpose {
	case Terminal:
		if !card.IsTerminalTBS(tbs) {
			return bad("a terminal certificate has its own beginning and length")
		}
		return number, nil
	case Face:
		if !contents.IsSigned(tbs) {
			return bad("what is signed of a card's face has its own objects")
		}
		return number, nil
	case Ticket:
		if !card.IsTicketTBS(tbs) {
			return bad("a ticket has its own beginning and length")
		}
		return number, nil
	}
	s, inner := cryptobyte.String(tbs), cryptobyte.String(nil)
	if !s.ReadASN1(&inner, asn1.SEQUENCE) || !s.Empty() {
		return bad("not one DER sequence")
	}
	// A TBSCertificate has [0] version then INTEGER serial; a TBSCertList version 2 begins INTEGER, SEQUENCE.
	switch purpose {
	case Certificate:
		var version, serial cryptobyte.String
		if !inner.ReadASN1(&version, asn1.Tag(0).Constructed().ContextSpecific()) || !inner.ReadASN1(&serial, asn1.INTEGER) {
			return bad("no version 3 certificate")
		}
		if len(serial) <= len(number) {
			copy(number[len(number)-len(serial):], serial)
		}
	case CRL:
		var version int64
		var algorithm cryptobyte.String
		if !inner.ReadASN1Integer(&version) || version != 1 || !inner.ReadASN1(&algorithm, asn1.SEQUENCE) {
			return bad("no version 2 CRL")
		}
	default:
		return bad("unknown purpose")
	}
	return number, nil
}

// sign makes the raw signature with the algorithm that fits purpose and key.
func sign(key crypto.Signer, purpose Purpose, tbs []byte) ([]byte, error) {
	if purpose == Face {
		return contents.Sign(key, tbs)
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		d := sha256.Sum256(tbs)
		return rsa.SignPKCS1v15(nil, k, crypto.SHA256, d[:])
	case *ecdsa.PrivateKey:
		if k.Curve.Params().BitSize == 384 {
			d := sha512.Sum384(tbs)
			return ecdsa.SignASN1(rand.Reader, k, d[:])
		}
		d := sha256.Sum256(tbs)
		return ecdsa.SignASN1(rand.Reader, k, d[:])
	}
	return nil, fmt.Errorf("no signature algorithm for a key of type %T", key)
}
