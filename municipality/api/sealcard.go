package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// SealPermitRequest asks the town to let its counter lay the seal-registration application (印鑑登録証) on the card
// of a resident. Chip and Challenge are what the card on the reader says.
type SealPermitRequest struct {
	Clerk     string `json:"clerk" minLength:"1" maxLength:"100"`
	Chip      string `json:"chip" minLength:"16" maxLength:"16" doc:"the chip's serial number"`
	Challenge []byte `json:"challenge" doc:"32 bytes, drawn by the chip for this"`
}

// SealPermit is what the terminal needs for it. Authentication is good for this one session of the chip.
type SealPermit struct {
	ID             jitsuin.ID `json:"id"`
	AID            string     `json:"aid" doc:"hex"`
	Bytes          int        `json:"bytes" doc:"room that the ordinance gives the application"`
	Number         string     `json:"number" doc:"the resident's seal registration number, 8 digits"`
	Authentication []byte     `json:"authentication" doc:"data of EXTERNAL AUTHENTICATE: J-LIS's ticket and the town's signature"`
	ReaderKey      []byte     `json:"reader_key" doc:"whom the application trusts to certify readers: P-256 point, uncompressed"`
}

// States of a SealCard.
const (
	SealBegun   = "begun"   // the counter was let; the application may lie on the card and cannot be used
	SealLoaded  = "loaded"  // it lies on the card
	SealDeleted = "deleted" // it was taken off
	SealLost    = "lost"    // the person has another card since, to which it was not carried over
)

// SealCard is a seal-registration application on a card.
type SealCard struct {
	ID      jitsuin.ID `json:"id"`
	Subject jitsuin.ID `json:"subject"`
	Chip    string     `json:"chip"`
	Number  string     `json:"number"`
	State   string     `json:"state" enum:"begun,loaded,deleted,lost"`
	Clerk   string     `json:"clerk"`
	BegunAt time.Time  `json:"begun_at" doc:"civil time"`
	DoneAt  time.Time  `json:"done_at,omitzero"`
}

// Code is the municipality's.
func (c Client) Code() jitsuin.MunicipalityCode {
	return jitsuin.MunicipalityCode(strings.TrimPrefix(c.Target(), "municipality:"))
}

// SealPermit asks for leave to lay the application on a card. Errors: Conflict "no-ordinance" where none is in force,
// "not-resident", "no-card"; Denied "no-ground" where J-LIS does not know of the ordinance (yet).
func (c Client) SealPermit(ctx context.Context, subject jitsuin.ID, r SealPermitRequest) (SealPermit, error) {
	return httpapi.Do[SealPermit](ctx, c.Remote, http.MethodPost, "/residents/"+string(subject)+"/seal-card", newKey(), r)
}

// SealLoaded records that the application lies on the card.
func (c Client) SealLoaded(ctx context.Context, id jitsuin.ID, clerk string) (SealCard, error) {
	return httpapi.Do[SealCard](ctx, c.Remote, http.MethodPost, "/seal-cards/"+string(id)+"/loaded", newKey(), map[string]string{"clerk": clerk})
}

// SealDeleted records that it was taken off.
func (c Client) SealDeleted(ctx context.Context, id jitsuin.ID, clerk string) (SealCard, error) {
	return httpapi.Do[SealCard](ctx, c.Remote, http.MethodPost, "/seal-cards/"+string(id)+"/deleted", newKey(), map[string]string{"clerk": clerk})
}

// SealCards lists a person's, the newest first.
func (c Client) SealCards(ctx context.Context, subject jitsuin.ID) ([]SealCard, error) {
	out, err := httpapi.Do[struct {
		Cards []SealCard `json:"cards"`
	}](ctx, c.Remote, http.MethodGet, "/residents/"+string(subject)+"/seal-cards", "", nil)
	return out.Cards, err
}

// SealRecord is what is written on a card, see package card/freearea.
type SealRecord struct {
	Record    []byte `json:"record"`
	Signature []byte `json:"signature"`
}

// SealRecord has the town sign the record for the key that the card has made: P-256, DER SubjectPublicKeyInfo.
func (c Client) SealRecord(ctx context.Context, id jitsuin.ID, publicKey []byte) (SealRecord, error) {
	return httpapi.Do[SealRecord](ctx, c.Remote, http.MethodPost, "/seal-cards/"+string(id)+"/record", newKey(), TerminalKey{PublicKey: publicKey})
}

// SealReader is what a terminal needs to read the number from cards (freearea.Reader).
type SealReader struct {
	Certificate []byte `json:"certificate" doc:"what cards take, see card.ReaderCertificate"`
	Provider    []byte `json:"provider" doc:"the town's key on records, DER SubjectPublicKeyInfo"`
}

// CertifySealReader has the town certify a terminal that may read the number from cards: its P-256 key, DER
// SubjectPublicKeyInfo. The same key gets the same certificate.
func (c Client) CertifySealReader(ctx context.Context, publicKey []byte) (SealReader, error) {
	return httpapi.Do[SealReader](ctx, c.Remote, http.MethodPost, "/seal-readers", newKey(), TerminalKey{PublicKey: publicKey})
}
