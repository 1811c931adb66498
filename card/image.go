package card

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jitsuin/jitsuin"
)

// image is everything a chip keeps without power. It is stored as JSON; a later version of
// this package must go on reading these.
type image struct {
	Version      int    // imageVersion; 1 had the JPKI application alone
	Authority    []byte // terminal authority: P-256 point, uncompressed
	Profile      string `json:",omitempty"` // name; "" in version 1, which is ProfileCard
	Switches     Switches
	Applications []*application // the issuer's domain first
}

const imageVersion = 2

// application is a DF: a name and its files.
type application struct {
	AID     []byte
	Files   []*file
	Own     uint16     `json:",omitempty"` // key file that P2 00 of COMPUTE DIGITAL SIGNATURE means
	Session *keyPair   `json:",omitempty"` // opens what SET SESSION KEY brings
	Objects []object   `json:",omitempty"` // what GET DATA gives
	Free    *freeState `json:",omitempty"` // of an application of somebody else in the free area, see free.go
}

// object is a data object of the issuer's domain.
type object struct {
	Tag   uint16
	Value []byte
}

type fileKind string

const (
	transparent fileKind = "transparent" // EF that READ BINARY reads
	recordFile  fileKind = "record"      // EF that READ RECORD reads
	pinFile     fileKind = "pin"         // internal EF (IEF) that VERIFY addresses
	keyFile     fileKind = "key"         // IEF with a key pair
	opaque      fileKind = "opaque"      // can be selected, nothing else
)

// rule is a condition on the security status: any one of these PIN files verified, or a terminal of
// one of these roles authenticated. The zero rule is always fulfilled.
type rule struct {
	AnyOf     []uint16 `json:",omitempty"`
	Terminals []Role   `json:",omitempty"`
	Never     bool     `json:",omitempty"`
}

// file is an EF or IEF with its content, rules and counters.
type file struct {
	ID   uint16
	Kind fileKind

	// Of transparent files and files of records.
	Content     []byte   `json:",omitempty"`
	Records     [][]byte `json:",omitempty"`
	Max         int      `json:",omitempty"` // room in bytes
	Read        rule     `json:",omitzero"`
	Write       []Role   `json:",omitempty"` // terminals that may UPDATE BINARY or UPDATE RECORD
	Certificate bool     `json:",omitempty"` // holds one DER certificate, written as a whole
	Certifies   uint16   `json:",omitempty"` // key file whose public key the certificate carries
	Presence    []uint16 `json:",omitempty"` // content is derived: which of these files are not empty

	PIN *pinState `json:",omitempty"`
	Key *keyState `json:",omitempty"`
}

// pinFormat is what a PIN may look like.
type pinFormat string

const (
	fourDigits     pinFormat = "four-digits"
	sixDigits      pinFormat = "six-digits"
	twelveDigits   pinFormat = "twelve-digits"
	fourteenDigits pinFormat = "fourteen-digits"
	password       pinFormat = "password" // 6 to 16 of A-Z 0-9
)

// digits says how many digits the formats of digits have.
var digits = map[pinFormat]int{fourDigits: 4, sixDigits: 6, twelveDigits: 12, fourteenDigits: 14}

// accepts tells whether a new PIN has the format.
func (f pinFormat) accepts(pin []byte) bool {
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	if n, ok := digits[f]; ok {
		return len(pin) == n && !slices.ContainsFunc(pin, func(c byte) bool { return !digit(c) })
	}
	return f == password && len(pin) >= 6 && len(pin) <= 16 &&
		!slices.ContainsFunc(pin, func(c byte) bool { return !digit(c) && (c < 'A' || c > 'Z') })
}

// changeWith is the command by which whoever knows a PIN changes it; "" for a check number, which
// follows from what is printed on the card.
type changeWith string

const (
	changeReference changeWith = "reference-data" // CHANGE REFERENCE DATA
	changeKey       changeWith = "key"            // CHANGE KEY
)

// pinState is a PIN and its retry counter. The PIN is kept as a salted SHA-256: that gives the
// comparison a fixed length and keeps the plain PIN out of the image; it is no protection
// against guessing by someone who holds the image, who holds the keys as well.
type pinState struct {
	Format pinFormat
	Max    int
	Tries  int
	Change changeWith `json:",omitempty"`
	Reset  []Role     `json:",omitempty"` // terminals that may set it anew
	Salt   []byte     `json:",omitempty"`
	Digest []byte     `json:",omitempty"`
}

func (p *pinState) digest(pin []byte) []byte {
	h := sha256.New()
	h.Write(p.Salt)
	h.Write(pin)
	return h.Sum(nil)
}

// matches compares in constant time. An unset PIN matches nothing.
func (p *pinState) matches(pin []byte) bool {
	return len(p.Digest) == sha256.Size && subtle.ConstantTimeCompare(p.Digest, p.digest(pin)) == 1
}

// set takes a new PIN and fills the counter.
func (p *pinState) set(pin []byte) {
	p.Salt = make([]byte, 16)
	rand.Read(p.Salt)
	p.Digest = p.digest(pin)
	p.Tries = p.Max
}

// keyState is a key pair and, during a re-issue, the one that will follow it.
type keyState struct {
	Algorithm Algorithm
	Use       rule
	// Authenticates tells that the key answers INTERNAL AUTHENTICATE, and signs nothing else.
	Authenticates bool     `json:",omitempty"`
	Active        *keyPair `json:",omitempty"`
	Pending       *keyPair `json:",omitempty"`
}

// keyPair is a private key at rest and, once used, in working form.
type keyPair struct {
	PKCS8  []byte
	signer crypto.Signer
}

func decodeImage(b []byte) (*image, error) {
	var im image
	if err := json.Unmarshal(b, &im); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Internal, "chip-image-damaged", "the chip's image cannot be read: %w", err)
	}
	if im.Version < 1 || im.Version > imageVersion || len(im.Applications) == 0 {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "chip-image-version", "the chip's image has version %d, this program knows 1 to %d", im.Version, imageVersion)
	}
	for _, app := range im.Applications {
		if app == nil {
			return nil, jitsuin.Errorf(jitsuin.Internal, "chip-image-damaged", "the chip's image has an application without content")
		}
		for _, f := range app.Files {
			if f == nil || (f.Kind == pinFile) != (f.PIN != nil) || (f.Kind == keyFile) != (f.Key != nil) {
				return nil, jitsuin.Errorf(jitsuin.Internal, "chip-image-damaged", "the chip's image has a file without its content")
			}
		}
	}
	im.renew()
	return &im, nil
}

// renew brings an image of version 1 up to date: its PINs were changed and set anew by the same
// commands as today.
func (im *image) renew() {
	if im.Version == imageVersion {
		return
	}
	im.Version, im.Profile = imageVersion, ProfileCard
	for _, app := range im.Applications {
		for _, f := range app.Files {
			if f.PIN != nil {
				f.PIN.Change, f.PIN.Reset = changeReference, byTerminals
			}
		}
	}
}

func (im *image) encode() ([]byte, error) {
	b, err := json.Marshal(im)
	if err != nil {
		return nil, fmt.Errorf("encode the chip's image: %w", err)
	}
	return b, nil
}

// application finds the first application whose name begins with aid. One of the free area is found by
// its whole name alone, so that nobody can look around there by trying beginnings.
func (im *image) application(aid []byte) *application {
	for _, app := range im.Applications {
		if app.Free == nil && bytes.HasPrefix(app.AID, aid) || app.selectable() && bytes.Equal(app.AID, aid) {
			return app
		}
	}
	return nil
}

func (a *application) file(id uint16) *file {
	for _, f := range a.Files {
		if f.ID == id {
			return f
		}
	}
	return nil
}

// content is what READ BINARY sees of f.
func (a *application) content(f *file) []byte {
	if f.Presence == nil {
		return f.Content
	}
	b := make([]byte, 0, len(f.Presence)+1)
	for _, id := range f.Presence {
		present := byte(0)
		if g := a.file(id); g != nil && len(g.Content) > 0 {
			present = 0x8F
		}
		b = append(b, present)
	}
	return append(b, 0)
}
