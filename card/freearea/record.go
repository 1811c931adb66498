package freearea

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Files of both applications.
const (
	fileRecord    uint16 = 0x0001
	fileSignature uint16 = 0x0002
	fileKey       uint16 = 0x0012
	fileReaders   uint16 = 0x0013

	maxRecord    = 255
	maxSignature = 80
)

// Layout says what the applications consist of: nothing in them is readable but for the provider's readers.
func Layout(aid []byte) card.FreeApplication {
	return card.FreeApplication{AID: aid, Files: []card.FreeFile{
		{ID: fileRecord, Kind: card.FreeData, Size: maxRecord, Rule: card.RuleReader},
		{ID: fileSignature, Kind: card.FreeData, Size: maxSignature, Rule: card.RuleReader},
		{ID: fileKey, Kind: card.FreeKey, Rule: card.RuleReader},
		{ID: fileReaders, Kind: card.FreeReader},
	}}
}

const recordDomain = "JITSUIN-APPLICATION-RECORD-v1\x00"

func recordDigest(aid []byte, public *ecdsa.PublicKey, record []byte) ([]byte, error) {
	point, err := public.Bytes()
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "application-key", "the application's key is on P-256: %w", err)
	}
	b := append([]byte(recordDomain), byte(len(aid)))
	b = append(append(append(b, aid...), point...), record...)
	sum := sha256.Sum256(b)
	return sum[:], nil
}

// Sign is the provider's signature (ECDSA P-256, DER) over SHA-256("JITSUIN-APPLICATION-RECORD-v1" ‖ 00 ‖ length and name of the
// application ‖ the point of the card's key, uncompressed ‖ record): this record lies on the card that has this key.
func Sign(provider crypto.Signer, aid []byte, public *ecdsa.PublicKey, record []byte) ([]byte, error) {
	digest, err := recordDigest(aid, public, record)
	if err != nil {
		return nil, err
	}
	return provider.Sign(rand.Reader, digest, crypto.SHA256)
}

// Signer signs the record for a key that a card has made.
type Signer func(ctx context.Context, public *ecdsa.PublicKey) (record, signature []byte, err error)

// Load lays the application out, has the card make its key, and writes record and signature; at the end it can be
// selected. area has authenticated with a ticket for loading and personalising. readers is the point of the key that certifies
// readers. Where the application is there already its key stays and the record is written anew, in one act of the
// card: whenever the power goes, there is the old application or the new one, or none that could be selected.
func Load(ctx context.Context, area *reader.FreeArea, aid, readers []byte, sign Signer) error {
	there, err := area.List(ctx)
	if err != nil {
		return err
	}
	isNew := len(there) == 0 || !there[0].Selectable
	if isNew {
		if err := area.Install(ctx, Layout(aid)); err != nil {
			return err
		}
		if err := area.Personalise(ctx, reader.Item{File: fileKey}); err != nil {
			return err
		}
	}
	public, err := area.PublicKey(ctx, fileKey)
	if err != nil {
		return err
	}
	record, signature, err := sign(ctx, public)
	if err != nil {
		return err
	}
	err = area.Personalise(ctx, reader.Item{File: fileRecord, Value: record}, reader.Item{File: fileSignature, Value: signature}, reader.Item{File: fileReaders, Value: readers})
	if err != nil || !isNew {
		return err
	}
	return area.MakeSelectable(ctx, aid)
}

// Reader is a terminal that may read the application: its key with the certificate of the provider's reader authority
// (card.ReaderCertificate), and the provider's key, by which it knows records.
type Reader struct {
	AID         []byte
	Certificate []byte
	Key         crypto.Signer
	Provider    *ecdsa.PublicKey
}

// read gives the record of the card on the channel, after all checks. NotFound "card-application" where the card does not
// have the application, Unauthenticated "terminal-refused" where it does not trust the reader, Conflict "record-not-signed"
// for a record that is not the provider's or belongs to another card, "card-copied" for a card without the key.
func (r Reader) read(ctx context.Context, ch reader.Channel) ([]byte, error) {
	app, err := reader.SelectFree(ctx, ch, r.AID)
	if err != nil {
		return nil, err
	}
	if err := app.AuthenticateReader(ctx, r.Certificate, r.Key); err != nil {
		return nil, err
	}
	record, err := app.ReadFile(ctx, fileRecord, maxRecord)
	if err != nil {
		return nil, err
	}
	signature, err := app.ReadFile(ctx, fileSignature, maxSignature)
	if err != nil {
		return nil, err
	}
	public, err := app.PublicKey(ctx, fileKey)
	if err != nil {
		return nil, err
	}
	digest, err := recordDigest(r.AID, public, record)
	if err != nil {
		return nil, err
	}
	if !ecdsa.VerifyASN1(r.Provider, digest, signature) {
		return nil, jitsuin.Errorf(jitsuin.Conflict, "record-not-signed", "what the card says is not what the application's provider wrote on it")
	}
	return record, app.Prove(ctx, fileKey, public)
}

// Records are BER-TLV as the card's own applications have it: FF 70 length { DF 71 length value … }, one byte each, the
// inner tags counted from DF 71. The tags are ours.
const (
	outerTag = "\xFF\x70"
	firstTag = 0x71
)

func encodeFields(fields ...string) ([]byte, error) {
	var inner []byte
	for i, f := range fields {
		if len(f) > 127 {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "record-too-long", "no field of a record has more than 127 bytes")
		}
		inner = append(inner, 0xDF, byte(firstTag+i), byte(len(f)))
		inner = append(inner, f...)
	}
	if len(inner) > maxRecord-5 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "record-too-long", "a record has at most 250 bytes")
	}
	out := append([]byte(outerTag), byte(len(inner)))
	if len(inner) > 0x7F {
		out = append([]byte(outerTag), 0x81, byte(len(inner)))
	}
	return append(out, inner...), nil
}

func decodeFields(b []byte, n int) ([]string, error) {
	bad := jitsuin.Errorf(jitsuin.Invalid, "record-form", "the application's record cannot be read")
	if len(b) < 3 || string(b[:2]) != outerTag {
		return nil, bad
	}
	size, b := int(b[2]), b[3:]
	if size == 0x81 && len(b) > 0 {
		size, b = int(b[0]), b[1:]
	}
	if size != len(b) {
		return nil, bad
	}
	var fields []string
	for i := range n {
		if len(b) < 3 || b[0] != 0xDF || int(b[1]) != firstTag+i || len(b) < 3+int(b[2]) {
			return nil, bad
		}
		fields, b = append(fields, string(b[3:3+int(b[2])])), b[3+int(b[2]):]
	}
	if len(b) > 0 {
		return nil, bad
	}
	return fields, nil
}
