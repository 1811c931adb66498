package card

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"encoding/binary"
	"io"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Operations are what a provider may do in the free area with one ticket.
type Operations byte

const (
	OpLoad        Operations = 1 << iota // INSTALL: lay the application out anew, and let it be selected
	OpPersonalise                        // STORE DATA: contents, PIN, keys
	OpDelete                             // DELETE

	allOperations = OpLoad | OpPersonalise | OpDelete
)

// Ticket lets the provider of one application act on one chip, in one session. It is the authority's word that
// the provider has a ground for the application today. A chip has no clock, so a ticket is not bound to a time but
// to the chip's challenge, which the chip has drawn for this session and forgets at its end: a ticket that was kept
// is worth nothing, and whoever loses the ground gets no other. A counter in the chip would have served against
// repetition as well, but a ticket that was never shown would have outlived its ground.
type Ticket struct {
	Operations Operations
	// Bytes is how much of the free area the application may take.
	Bytes int
	// AID is the one application's name; see CheckProviderAID.
	AID []byte
	// Chip is the serial number of the one chip, 16 digits, so that the authority's account tells cards apart.
	Chip string
	// Provider is the provider's key, P-256.
	Provider *ecdsa.PublicKey
	// Challenge is what the chip answered to GET CHALLENGE: 32 bytes.
	Challenge []byte
}

const (
	ticketDomain   = "JITSUIN-PROVIDER-TICKET-v1\x00"
	providerDomain = "JITSUIN-PROVIDER-AUTHENTICATE-v1\x00"

	ticketRole      = 0x10 // no role of a terminal certificate has this byte
	ticketBody      = 2 + 1 + 2 + 1 + aidMax + serialSize + pointSize
	ticketSize      = ticketBody + signatureSize
	serialSize      = 16
	ticketChallenge = 32
)

// TicketTBS gives the bytes that the terminal authority signs for a ticket (ECDSA with SHA-256): the domain
// "JITSUIN-PROVIDER-TICKET-v1" ‖ 00, then the body of 103 bytes (version 01, role 10, operations, room in two bytes,
// length and name padded to 16, serial number, the provider's point uncompressed), then the challenge, which the
// ticket itself leaves out because the chip knows it.
func TicketTBS(t Ticket) ([]byte, error) {
	if err := CheckProviderAID(t.AID); err != nil {
		return nil, err
	}
	switch {
	case t.Operations == 0 || t.Operations&^allOperations != 0:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "ticket-operations", "a ticket lets a provider load, personalise or delete").At("operations")
	case t.Bytes < 0 || t.Bytes > 0xFFFF:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "ticket-room", "a ticket gives at most 65535 bytes of room").At("bytes")
	case len(t.Chip) != serialSize || strings.Trim(t.Chip, "0123456789") != "":
		return nil, jitsuin.Errorf(jitsuin.Invalid, "chip-serial", "a chip's serial number has 16 digits").At("chip")
	case len(t.Challenge) != ticketChallenge:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "ticket-challenge", "the chip's challenge has 32 bytes").At("challenge")
	}
	point, err := encodePoint(t.Provider)
	if err != nil {
		return nil, err
	}
	b := append([]byte(ticketDomain), 1, ticketRole, byte(t.Operations))
	b = binary.BigEndian.AppendUint16(b, uint16(t.Bytes))
	b = append(b, byte(len(t.AID)))
	b = append(b, t.AID...)
	b = append(b, make([]byte, aidMax-len(t.AID))...)
	b = append(b, t.Chip...)
	b = append(b, point...)
	return append(b, t.Challenge...), nil
}

// IsTicketTBS tells whether bytes to be signed are a ticket's by their domain and length, IsTerminalTBS whether
// they are a terminal certificate's: for a signer that keeps purposes apart.
func IsTicketTBS(tbs []byte) bool {
	return bytes.HasPrefix(tbs, []byte(ticketDomain)) && len(tbs) == len(ticketDomain)+ticketBody+ticketChallenge
}

// IsTerminalTBS is described at IsTicketTBS.
func IsTerminalTBS(tbs []byte) bool {
	return bytes.HasPrefix(tbs, []byte(terminalDomain)) && len(tbs) == len(terminalDomain)+2+pointSize
}

// AssembleTicket makes the ticket of the bytes that TicketTBS gave and the authority's ECDSA signature over them,
// in the DER form of crypto.Signer: 167 bytes.
func AssembleTicket(tbs, signature []byte) ([]byte, error) {
	if !IsTicketTBS(tbs) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "ticket-form", "these are not the bytes of a ticket")
	}
	raw, err := rawSignature(signature, signatureSize)
	if err != nil {
		return nil, err
	}
	body := tbs[len(ticketDomain) : len(ticketDomain)+ticketBody]
	return append(bytes.Clone(body), raw...), nil
}

// IssueTicket has a terminal authority whose key is at hand sign a ticket.
func IssueTicket(random io.Reader, authority crypto.Signer, t Ticket) ([]byte, error) {
	tbs, err := TicketTBS(t)
	if err != nil {
		return nil, err
	}
	raw, err := signRaw(random, authority, "", tbs)
	if err != nil {
		return nil, err
	}
	return append(bytes.Clone(tbs[len(ticketDomain):len(ticketDomain)+ticketBody]), raw...), nil
}

// SignTicket makes the data of EXTERNAL AUTHENTICATE with a ticket (231 bytes): the ticket ‖ the provider's ECDSA
// signature r ‖ s over SHA-256("JITSUIN-PROVIDER-AUTHENTICATE-v1" ‖ 00 ‖ the ticket's body ‖ challenge).
func SignTicket(random io.Reader, ticket []byte, provider crypto.Signer, challenge []byte) ([]byte, error) {
	if len(ticket) != ticketSize {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "ticket-form", "a ticket has %d bytes, not %d", ticketSize, len(ticket))
	}
	signature, err := signRaw(random, provider, providerDomain, append(bytes.Clone(ticket[:ticketBody]), challenge...))
	if err != nil {
		return nil, err
	}
	return append(bytes.Clone(ticket), signature...), nil
}

// checkTicket verifies the data of EXTERNAL AUTHENTICATE with a ticket and gives what it allows.
func checkTicket(authority []byte, serial string, data, challenge []byte) (Ticket, bool) {
	body, bySignature, answer := data[:ticketBody], data[ticketBody:ticketSize], data[ticketSize:]
	trusted, err := decodePoint(authority)
	signed := append(bytes.Clone(body), challenge...)
	if err != nil || len(challenge) != ticketChallenge || body[0] != 1 || body[1] != ticketRole || !verifyRaw(trusted, ticketDomain, signed, bySignature) {
		return Ticket{}, false
	}
	n := int(body[5])
	if n > aidMax {
		return Ticket{}, false
	}
	t := Ticket{Operations: Operations(body[2]), Bytes: int(binary.BigEndian.Uint16(body[3:])), AID: bytes.Clone(body[6 : 6+n]),
		Chip: string(body[6+aidMax : 6+aidMax+serialSize]), Challenge: challenge}
	if t.Provider, err = decodePoint(body[6+aidMax+serialSize:]); err != nil {
		return Ticket{}, false
	}
	if tbs, err := TicketTBS(t); err != nil || !bytes.Equal(tbs[len(ticketDomain):len(ticketDomain)+ticketBody], body) || t.Chip != serial {
		return Ticket{}, false
	}
	return t, verifyRaw(t.Provider, providerDomain, signed, answer)
}

// Certificates of readers: the provider of an application certifies the terminals that may use it.

const readerDomain = "JITSUIN-READER-v1\x00"

// ReaderCertificate has the provider's reader authority (a P-256 key, the one that the application was given when
// it was personalised) certify a terminal's P-256 key for one application, such as a kiosk. It has 129 bytes:
// the point uncompressed ‖ signature r ‖ s over SHA-256("JITSUIN-READER-v1" ‖ 00 ‖ length and name of the application
// ‖ point). It does not expire; a lost key means a new reader authority.
func ReaderCertificate(random io.Reader, authority crypto.Signer, aid []byte, reader *ecdsa.PublicKey) ([]byte, error) {
	if err := CheckProviderAID(aid); err != nil {
		return nil, err
	}
	point, err := encodePoint(reader)
	if err != nil {
		return nil, err
	}
	signature, err := signRaw(random, authority, readerDomain, readerBody(aid, point))
	if err != nil {
		return nil, err
	}
	return append(point, signature...), nil
}

func readerBody(aid, point []byte) []byte {
	return append(append([]byte{byte(len(aid))}, aid...), point...)
}

const readerCertificateSize = pointSize + signatureSize

// SignReader makes the data of EXTERNAL AUTHENTICATE inside an application of the free area: the reader's
// certificate ‖ its signature over SHA-256("JITSUIN-EXTERNAL-AUTHENTICATE-v1" ‖ 00 ‖ name's length and name ‖ challenge).
func SignReader(random io.Reader, certificate []byte, reader crypto.Signer, aid, challenge []byte) ([]byte, error) {
	signature, err := signRaw(random, reader, authenticateDomain, readerBody(aid, challenge))
	if err != nil {
		return nil, err
	}
	return append(bytes.Clone(certificate), signature...), nil
}

func checkReader(authority, aid, data, challenge []byte) bool {
	trusted, err := decodePoint(authority)
	if err != nil {
		return false
	}
	point, bySignature, answer := data[:pointSize], data[pointSize:readerCertificateSize], data[readerCertificateSize:]
	if !verifyRaw(trusted, readerDomain, readerBody(aid, point), bySignature) {
		return false
	}
	reader, err := decodePoint(point)
	return err == nil && verifyRaw(reader, authenticateDomain, readerBody(aid, challenge), answer)
}
