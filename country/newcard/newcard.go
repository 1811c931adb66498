// Package newcard makes a card without a country: an invented person, authorities that live for the
// moment of making, and a chip in a folder that every command and every reader can use.
//
// It owns the order of the steps and the folder's layout. All that is written goes over the contacts, as
// production writes it. The authorities' keys are thrown away: nothing else will ever be issued by them,
// and nobody revokes the card. Nothing of it can pass for a real card (O=JPKI-TEST).
//
// The folder: chip.image (the chip, with its private keys), lock, anchors/sign.pem and auth.pem (the
// authorities' certificates, for verify --anchors) and anchors/face.pub (the root of card-face signatures),
// printed.json (what stands on the card's front and opens check number B), and terminal.pem (a counter's terminal
// that the chip trusts, to set a PIN that is blocked). Its mode is 0700.
package newcard

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/rules"
)

// Order says which card is wanted.
type Order struct {
	Dir     string // where it goes; it must not hold a chip
	Profile string // one of card.Profiles, "" for today's card
	Person  people.Resident
	Place   cert.Place // of the person's municipality
	Now     time.Time
	// PINs are those of the certificates that the profile has; none where the profile has no PINs. The four-digit
	// one is that of the other applications too.
	PINs     map[jitsuin.CertKind]jitsuin.PIN
	Switches card.Switches
	// Wrap puts something between the maker and the chip, such as a trace; nil for nothing.
	Wrap func(reader.Card) reader.Card
	// Keys are the applications' own keys, as those of a production batch; nil has them made.
	Keys *card.BatchKeys
}

// Made is what there is now.
type Made struct {
	Serial       string // in EF 0006
	Certificates map[jitsuin.CertKind]*x509.Certificate
}

// Make makes the card. A folder that holds a chip is a Conflict "chip-exists" and is not touched. What was
// begun and not finished is cleared away.
func Make(ctx context.Context, o Order) (made Made, err error) {
	p, err := card.ProfileNamed(o.Profile)
	if err != nil {
		return made, err
	}
	if err := check(o, p); err != nil {
		return made, err
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "chip.image")); err == nil {
		return made, jitsuin.Errorf(jitsuin.Conflict, "chip-exists", "there is a chip in %s already", o.Dir)
	}
	work := o.Dir + ".making"
	if err := os.Mkdir(work, 0o700); err != nil {
		return made, fmt.Errorf("begin the card: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	m := maker{Order: o, profile: p, dir: work, issuers: map[jitsuin.CertKind]*issuer{}}
	if made, err = m.make(ctx); err != nil {
		return made, err
	}
	// An empty folder may be there; anything else is not replaced.
	if err := os.Remove(o.Dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return made, jitsuin.Errorf(jitsuin.Conflict, "folder-in-use", "the folder %s has something in it", o.Dir)
	}
	return made, os.Rename(work, o.Dir)
}

func check(o Order, p card.Profile) error {
	for _, kind := range p.Kinds {
		if kind == jitsuin.SignCert && rules.MayHold(kind, rules.Holder{Birth: o.Person.Items.BirthDate}, jitsuin.DateOf(o.Now)) != nil {
			return jitsuin.Errorf(jitsuin.Invalid, "card-person", "this kind of card needs a person who may hold a signature certificate").At("person")
		}
		if !p.PIN {
			continue
		}
		if _, err := reader.NormalNewPIN(kind, o.PINs[kind]); err != nil {
			return err
		}
	}
	return nil
}

// Fits tells whether a profile is for a person of that date of birth on a day.
func Fits(p card.Profile, birth, on jitsuin.Date) bool {
	switch {
	case p.Name == card.ProfileInfant:
		return !rules.ShowsPhoto(birth, on)
	case p.Name == card.ProfileChild:
		return rules.ShowsPhoto(birth, on) && rules.MayHold(jitsuin.SignCert, rules.Holder{Birth: birth}, on) != nil
	}
	return rules.MayHold(jitsuin.SignCert, rules.Holder{Birth: birth}, on) == nil
}

// Invent gives the n-th invented person for whom a profile is, with their place. The same n on the same day
// gives the same person.
func Invent(p card.Profile, n uint64, on jitsuin.Date) (people.Resident, cert.Place, error) {
	c := people.Generate(n, on)
	fitting := slices.DeleteFunc(slices.Clone(c.Residents), func(r people.Resident) bool {
		return r.AdultWard || r.Nationality != "JP" || !Fits(p, r.Items.BirthDate, on)
	})
	if len(fitting) == 0 {
		return people.Resident{}, cert.Place{}, jitsuin.Errorf(jitsuin.NotFound, "card-person", "nobody of seed %d is of the age for this kind of card", n)
	}
	who := fitting[n%uint64(len(fitting))]
	town, prefecture, _ := c.MunicipalityOf(who.Municipality)
	return who, cert.Place{Prefecture: prefecture.Romaji, Municipality: town.Romaji}, nil
}

type maker struct {
	Order
	profile  card.Profile
	dir      string
	issuers  map[jitsuin.CertKind]*issuer
	terminal reader.Terminal
	faceRoot contents.Anchor // without a key where the profile has no face
}

func (m *maker) make(ctx context.Context) (made Made, err error) {
	for _, kind := range m.profile.Kinds {
		if m.issuers[kind], err = newIssuer(kind, m.profile.Algorithm, m.Now); err != nil {
			return made, err
		}
	}
	chip, serial, err := m.blank()
	if err != nil {
		return made, err
	}
	made = Made{Serial: serial, Certificates: map[jitsuin.CertKind]*x509.Certificate{}}
	channel := reader.Local(chip)
	if m.Wrap != nil {
		channel = m.Wrap(channel)
	}
	defer channel.Close()
	j, err := reader.SelectJPKI(ctx, channel)
	if err == nil {
		err = j.Authenticate(ctx, m.terminal)
	}
	if err != nil {
		return made, err
	}
	for _, kind := range m.profile.Kinds {
		if made.Certificates[kind], err = m.certify(ctx, j, kind); err != nil {
			return made, err
		}
	}
	_, whole, err := m.terms("", jitsuin.DateOf(m.Now))
	if err != nil {
		return made, err
	}
	if err := m.face(ctx, channel, serial, whole); err != nil {
		return made, err
	}
	return made, m.keep()
}

// blank makes the chip, and the terminal that it trusts.
func (m *maker) blank() (*card.Chip, string, error) {
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	m.terminal.Key = own
	if m.terminal.Certificate, err = card.IssueTerminalCertificate(rand.Reader, authority, card.RoleProduction, &own.PublicKey); err != nil {
		return nil, "", err
	}
	counter, err := newTerminal(authority)
	if err != nil {
		return nil, "", err
	}
	if err := writeTerminal(filepath.Join(m.dir, terminalName), counter); err != nil {
		return nil, "", err
	}
	number, err := rand.Int(rand.Reader, big.NewInt(1e16))
	if err != nil {
		return nil, "", err
	}
	serial := fmt.Sprintf("%016d", number)
	keys := m.Keys
	if keys == nil {
		if keys, err = card.NewBatchKeys(); err != nil {
			return nil, "", err
		}
	}
	memory, err := card.NewFolder(m.dir)
	if err != nil {
		return nil, "", err
	}
	chip, err := card.New(memory, card.Blank{Serial: serial, TerminalAuthority: &authority.PublicKey, Profile: m.profile.Name, Keys: keys, Switches: m.Switches})
	return chip, serial, err
}

// certify has the chip make a key, and writes its certificate, the authority's, and the PIN.
func (m *maker) certify(ctx context.Context, j *reader.JPKI, kind jitsuin.CertKind) (*x509.Certificate, error) {
	key, err := j.GenerateKey(ctx, kind)
	if err != nil {
		return nil, err
	}
	by, today := m.issuers[kind], jitsuin.DateOf(m.Now)
	until, _, err := m.terms(kind, today)
	if err != nil {
		return nil, err
	}
	t := cert.Template{Profile: cert.ProfileAuth, Realm: cert.Sandbox(), Issuer: by.certificate, NotBefore: m.Now.Truncate(time.Second), LastDay: until,
		Key: key, CommonName: commonName(m.Person.Municipality), Place: m.Place}
	if kind == jitsuin.SignCert {
		t.Profile, t.Items = cert.ProfileSign, cert.PlainItems(m.Person.Items)
	}
	c, err := by.issue(&t)
	if err != nil {
		return nil, err
	}
	if err := j.WriteCertificate(ctx, kind, c.Raw); err != nil {
		return nil, err
	}
	if err := j.WriteCACertificate(ctx, kind, by.certificate.Raw); err != nil {
		return nil, err
	}
	if !m.profile.PIN {
		return c, nil
	}
	return c, j.ResetPIN(ctx, kind, m.PINs[kind])
}

// terms are the last days of a certificate and of its card, as the law has them for a card that is handed over today.
func (m *maker) terms(kind jitsuin.CertKind, today jitsuin.Date) (certificate, whole jitsuin.Date, err error) {
	generation := rules.Card2016
	if m.profile.Merged {
		generation = rules.CardNext
	}
	birth := m.Person.Items.BirthDate
	term, err := rules.CardTerm(rules.CardIssue{Birth: birth, Applied: today, Issued: today, Stay: rules.National, Generation: generation})
	if err != nil || kind == "" {
		return certificate, term.Until, err
	}
	whole = term.Until
	term, err = rules.CertificateTerm(rules.CertificateIssue{Kind: kind, Birth: birth, Issued: today, CardUntil: whole, Generation: generation})
	return term.Until, whole, err
}

// commonName is an identifier in the form observed on a test card: 14 characters that say nothing, the
// municipality, 003A.
func commonName(town jitsuin.MunicipalityCode) string {
	var b [7]byte
	rand.Read(b[:])
	return strings.ToUpper(hex.EncodeToString(b[:])) + string(town) + "003A"
}

// keep writes the authorities' certificates.
func (m *maker) keep() error {
	anchors := filepath.Join(m.dir, "anchors")
	if err := os.Mkdir(anchors, 0o700); err != nil {
		return err
	}
	for kind, by := range m.issuers {
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.certificate.Raw})
		if err := os.WriteFile(filepath.Join(anchors, string(kind)+".pem"), block, 0o644); err != nil {
			return err
		}
	}
	if m.faceRoot.Key == nil {
		return nil
	}
	face, err := m.faceRoot.PEM()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(anchors, "face.pub"), face, 0o644)
}
