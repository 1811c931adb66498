package audit

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Findings of a witness: what it saw besides a log that grows.
const (
	// FindingNewEpoch says that a new epoch began and continues what was witnessed: nothing is lost.
	FindingNewEpoch = "new-epoch"
	// FindingLost says that a new epoch began behind what was witnessed: lines are lost.
	FindingLost = "lines-lost"
	// FindingRewritten says that the log no longer continues what was witnessed, in one and the same epoch.
	FindingRewritten = "rewritten"
	// FindingRolledBack says that the log ends before what was witnessed, in one and the same epoch.
	FindingRolledBack = "rolled-back"
)

// Place is a position of a log with the hash there.
type Place struct {
	Epoch uint32    `json:"epoch"`
	N     uint64    `json:"n"`
	Hash  feed.Hash `json:"hash"`
}

// PlaceOf gives a mark as a place.
func PlaceOf(m feed.Mark) Place { return Place{m.Epoch, m.N, m.Hash} }

// Position is where the place is.
func (p Place) Position() jitsuin.Position { return jitsuin.Position{Epoch: p.Epoch, N: p.N} }

// Mark gives the place as a feed knows it.
func (p Place) Mark() feed.Mark { return feed.Mark{Position: p.Position(), Hash: p.Hash} }

// Statement is what an outside witness signs: it read a log up to a place, and all of it continues what
// it had read before. It is carried as a compact JWS (ES256, typ jitsuin-witness+jws).
type Statement struct {
	Witness  string `json:"witness"`  // instance
	Verifier string `json:"verifier"` // instance whose log it is
	Topic    string `json:"topic"`
	// Number counts the statements on one log, from 1: one that is missing is missed.
	Number uint64 `json:"number"`
	// Seen is the last line that was read; Before the one of the statement before, empty in the first.
	Seen   Place  `json:"seen"`
	Before *Place `json:"before,omitempty"`
	// Finding is empty where the log grew and nothing else, else one of the findings. Start is then the
	// hash that the first line of a new epoch continues.
	Finding string     `json:"finding,omitempty"`
	Start   *feed.Hash `json:"start,omitempty"`
	Note    string     `json:"note,omitempty"`
	// Civil is the civil time of the statement, Wall that of the witness's machine.
	Civil time.Time `json:"civil"`
	Wall  time.Time `json:"wall"`
}

const typeStatement = "jitsuin-witness+jws"

// Sign signs the statement with its witness's key. The same statement has the same signature (RFC 6979).
func (s Statement) Sign(key *ecdsa.PrivateKey) (string, error) {
	return signJWS(typeStatement, s.Witness, key, s)
}

// Keys gives the public keys of an instance, as the signed directory has them.
type Keys func(instance string) ([]jose.JSONWebKey, error)

// DirectoryKeys are the keys in a directory.
func DirectoryKeys(d *httpapi.Directory) Keys {
	return func(instance string) ([]jose.JSONWebKey, error) {
		i, err := d.Lookup(instance)
		return i.Keys, err
	}
}

// of gives the keys of one instance as a feed wants them.
func (k Keys) of(instance string) feed.Keys {
	return func(keyID string) (*ecdsa.PublicKey, error) {
		all, err := k(instance)
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			if key, ok := one.Key.(*ecdsa.PublicKey); ok && keyID == instance {
				return key, nil
			}
		}
		return nil, jitsuin.Errorf(jitsuin.Denied, "feed-key", "%s has no key %q in the directory", instance, keyID)
	}
}

// ReadStatement checks a statement's signature and gives it. The witness that it names must have signed it.
func ReadStatement(compact string, keys Keys) (s Statement, err error) {
	payload, who, err := verifyJWS(typeStatement, compact, keys)
	if err == nil {
		err = json.Unmarshal(payload, &s)
	}
	if err == nil && (s.Witness != who || s.Topic != Topic) {
		err = fmt.Errorf("it is signed by %s and names %s and the topic %s", who, s.Witness, s.Topic)
	}
	if err != nil {
		return s, jitsuin.Errorf(jitsuin.Conflict, "statement", "a witness's statement: %w", err)
	}
	return s, nil
}

// peekStatement reads a statement without checking it.
func peekStatement(compact string) (s Statement, err error) {
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &s)
}

// signJWS signs v as JSON; keyID names the instance that signs. The signature follows from key and content.
func signJWS(typ, keyID string, key *ecdsa.PrivateKey, v any) (string, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return SignPayload(typ, keyID, key, payload)
}

// SignPayload makes a compact JWS (ES256) whose signature follows from key and content alone (RFC 6979), so that what
// is made twice is the same.
func SignPayload(typ, keyID string, key *ecdsa.PrivateKey, payload []byte) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: steady{key}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", keyID))
	if err != nil {
		return "", fmt.Errorf("the key of %s: %w", keyID, err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign as %s: %w", keyID, err)
	}
	return jws.CompactSerialize()
}

// VerifyPayload checks a compact JWS of SignPayload and gives its content and who signed it.
func VerifyPayload(typ, compact string, keys Keys) (payload []byte, who string, err error) {
	return verifyJWS(typ, compact, keys)
}

func verifyJWS(typ, compact string, keys Keys) (payload []byte, who string, err error) {
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, "", fmt.Errorf("it is no JWS: %w", err)
	}
	if again, err := jws.CompactSerialize(); err != nil || again != compact {
		return nil, "", errors.New("it is written otherwise than a signer writes it")
	}
	protected := jws.Signatures[0].Protected
	if have, _ := protected.ExtraHeaders[jose.HeaderType].(string); have != typ {
		return nil, "", fmt.Errorf("its type is %q, not %q", have, typ)
	}
	all, err := keys(protected.KeyID)
	if err != nil {
		return nil, "", err
	}
	err = fmt.Errorf("%s has no key", protected.KeyID)
	for _, k := range all {
		if payload, err = jws.Verify(k.Key); err == nil {
			return payload, protected.KeyID, nil
		}
	}
	return nil, "", fmt.Errorf("it is not signed with a key of %s: %w", protected.KeyID, err)
}

// steady is a jose.OpaqueSigner whose signatures follow from key and content.
type steady struct{ key *ecdsa.PrivateKey }

// Public gives the public key.
func (s steady) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: &s.key.PublicKey, Algorithm: string(jose.ES256), Use: "sig"}
}

// Algs are the algorithms that the key signs with.
func (s steady) Algs() []jose.SignatureAlgorithm { return []jose.SignatureAlgorithm{jose.ES256} }

// SignPayload signs with ES256 (RFC 7518 §3.4): R and S of 32 octets each.
func (s steady) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	h := crypto.SHA256.New()
	h.Write(payload)
	der, err := s.key.Sign(nil, h.Sum(nil), crypto.SHA256) // no randomness: RFC 6979
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, err
	}
	return append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...), nil
}
