package card

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"io"
	"math/big"

	"github.com/jitsuin/jitsuin"
)

// Role is what a terminal may do to a chip after EXTERNAL AUTHENTICATE.
type Role string

const (
	RoleProduction Role = "production" // J-LIS's production of cards: everything
	RoleCounter    Role = "counter"    // a municipality's terminal: keys, certificates, PINs
	RoleFace       Role = "face"       // a reader that compares the face (顔認証付きカードリーダー): the authentication key without a PIN
)

// roleByte is how a role stands in a terminal certificate.
func (r Role) roleByte() (byte, bool) {
	switch r {
	case RoleProduction:
		return 1, true
	case RoleCounter:
		return 2, true
	case RoleFace:
		return 3, true
	}
	return 0, false
}

func roleOf(b byte) (Role, bool) {
	for _, r := range []Role{RoleProduction, RoleCounter, RoleFace} {
		if c, _ := r.roleByte(); c == b {
			return r, true
		}
	}
	return "", false
}

const (
	pointSize       = 65 // uncompressed P-256 point
	signatureSize   = 64 // r ‖ s
	certificateSize = 2 + pointSize + signatureSize
	challengeMin    = 16

	terminalDomain     = "JITSUIN-TERMINAL-v1\x00"
	authenticateDomain = "JITSUIN-EXTERNAL-AUTHENTICATE-v1\x00"
)

// IssueTerminalCertificate has the terminal authority (a P-256 key) certify a terminal's P-256
// key for a role. The certificate has 131 bytes: version 01, role (01 production, 02 counter, 03 face),
// the terminal's point uncompressed (65), and the authority's ECDSA signature r ‖ s over
// SHA-256("JITSUIN-TERMINAL-v1" ‖ 00 ‖ the 67 bytes before it). It does not expire: a chip has
// no clock; a terminal whose key is lost means new chips or a new authority.
func IssueTerminalCertificate(random io.Reader, authority crypto.Signer, role Role, terminal *ecdsa.PublicKey) ([]byte, error) {
	tbs, err := TerminalTBS(role, terminal)
	if err != nil {
		return nil, err
	}
	if _, err := encodePoint(authority.Public()); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	der, err := authority.Sign(random, digest[:], crypto.SHA256)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "terminal-signature", "the terminal authority's key does not sign: %w", err)
	}
	return AssembleTerminalCertificate(tbs, der)
}

// TerminalTBS gives the bytes that the terminal authority signs for a terminal certificate
// (ECDSA with SHA-256), for an authority whose key takes whole to-be-signed data.
func TerminalTBS(role Role, terminal *ecdsa.PublicKey) ([]byte, error) {
	b, ok := role.roleByte()
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "terminal-role", "a terminal's role is production, counter or face").At("role")
	}
	point, err := encodePoint(terminal)
	if err != nil {
		return nil, err
	}
	return append(append([]byte(terminalDomain), 1, b), point...), nil
}

// AssembleTerminalCertificate makes the terminal certificate of the bytes that TerminalTBS gave and
// the authority's ECDSA signature over them, in the DER form of crypto.Signer.
func AssembleTerminalCertificate(tbs, signature []byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(tbs, []byte(terminalDomain))
	if !ok || len(body) != 2+pointSize {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "terminal-certificate", "these are not the bytes of a terminal certificate")
	}
	raw, err := rawSignature(signature, signatureSize)
	if err != nil {
		return nil, err
	}
	return append(bytes.Clone(body), raw...), nil
}

// SignChallenge makes the data of EXTERNAL AUTHENTICATE: certificate ‖ the terminal's ECDSA
// signature r ‖ s over SHA-256("JITSUIN-EXTERNAL-AUTHENTICATE-v1" ‖ 00 ‖ challenge).
func SignChallenge(random io.Reader, certificate []byte, terminal crypto.Signer, challenge []byte) ([]byte, error) {
	signature, err := signRaw(random, terminal, authenticateDomain, challenge)
	if err != nil {
		return nil, err
	}
	return append(append([]byte{}, certificate...), signature...), nil
}

func signRaw(random io.Reader, key crypto.Signer, domain string, message []byte) ([]byte, error) {
	if _, err := encodePoint(key.Public()); err != nil {
		return nil, err
	}
	digest := domainDigest(domain, message)
	der, err := key.Sign(random, digest, crypto.SHA256)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "terminal-signature", "the terminal's key does not sign: %w", err)
	}
	return rawSignature(der, signatureSize)
}

// rawSignature turns an ECDSA signature from DER into r ‖ s of size bytes.
func rawSignature(der []byte, size int) ([]byte, error) {
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) > 0 ||
		rs.R.Sign() <= 0 || rs.S.Sign() <= 0 || rs.R.BitLen() > size*4 || rs.S.BitLen() > size*4 {
		return nil, jitsuin.Errorf(jitsuin.Internal, "ecdsa-signature", "the key gave no ECDSA signature")
	}
	out := make([]byte, size)
	rs.R.FillBytes(out[:size/2])
	rs.S.FillBytes(out[size/2:])
	return out, nil
}

func verifyRaw(key *ecdsa.PublicKey, domain string, message, signature []byte) bool {
	if len(signature) != signatureSize {
		return false
	}
	r := new(big.Int).SetBytes(signature[:signatureSize/2])
	s := new(big.Int).SetBytes(signature[signatureSize/2:])
	return ecdsa.Verify(key, domainDigest(domain, message), r, s)
}

func domainDigest(domain string, message []byte) []byte {
	sum := sha256.Sum256(append([]byte(domain), message...))
	return sum[:]
}

// encodePoint writes a P-256 public key uncompressed and refuses every other key.
func encodePoint(public crypto.PublicKey) ([]byte, error) {
	key, ok := public.(*ecdsa.PublicKey)
	if !ok || key == nil || key.Curve != elliptic.P256() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "terminal-key", "terminals and their authority have P-256 keys")
	}
	return key.Bytes()
}

func decodePoint(b []byte) (*ecdsa.PublicKey, error) {
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b)
}

// checkTerminal verifies the data of EXTERNAL AUTHENTICATE and gives the terminal's role.
func checkTerminal(authority, data, challenge []byte) (Role, bool) {
	certificate, signature := data[:certificateSize], data[certificateSize:]
	body, bySignature := certificate[:2+pointSize], certificate[2+pointSize:]
	trusted, err := decodePoint(authority)
	if err != nil || body[0] != 1 || !verifyRaw(trusted, terminalDomain, body, bySignature) {
		return "", false
	}
	role, known := roleOf(body[1])
	terminal, err := decodePoint(body[2:])
	if err != nil || !known || !verifyRaw(terminal, authenticateDomain, challenge, signature) {
		return "", false
	}
	return role, true
}

// getChallenge is GET CHALLENGE (00 84): 1 to 256 random bytes; extended lengths give 6985.
func (c *Chip) getChallenge(cmd Command) ([]byte, SW) {
	switch {
	case cmd.P1 != 0 || cmd.P2 != 0:
		return nil, SWWrongP1P2
	case cmd.Extended:
		return nil, SWConditions
	case len(cmd.Data) > 0 || cmd.Le == 0:
		return nil, SWWrongLength
	}
	c.session.challenge = make([]byte, cmd.Le)
	rand.Read(c.session.challenge)
	return c.session.challenge, SWOK
}

// beginAuthentication uses up the challenge and ends what was authenticated before.
func (c *Chip) beginAuthentication() (challenge []byte) {
	challenge = c.session.challenge
	c.session.challenge, c.session.terminal, c.session.provider = nil, "", nil
	c.unstage()
	c.dropParts()
	return challenge
}

// externalAuthenticate is EXTERNAL AUTHENTICATE (80 82), ours. Every try uses up the challenge
// and ends an earlier authentication.
func (c *Chip) externalAuthenticate(cmd Command) ([]byte, SW) {
	if cmd.P1 == 0 && cmd.P2 == byProvider {
		return c.authenticateProvider(cmd)
	}
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return nil, SWWrongP1P2
	}
	challenge := c.beginAuthentication()
	if len(cmd.Data) != certificateSize+signatureSize {
		return nil, SWWrongLength
	}
	if len(challenge) < challengeMin {
		return nil, SWConditions
	}
	role, ok := checkTerminal(c.image.Authority, cmd.Data, challenge)
	if !ok {
		return nil, SWNotVerified
	}
	c.session.terminal = role
	return nil, SWOK
}
