package phone

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/files"
	"github.com/jitsuin/jitsuin/rules"
)

// Info is what a telephone says of itself.
type Info struct {
	ID      jitsuin.ID       `json:"id"`
	Model   rules.PhoneModel `json:"model"`
	Label   string           `json:"label"` // how the person calls it
	Ready   bool             `json:"ready"` // it has its certificates
	MadeAt  time.Time        `json:"made_at"`
	Touched int              `json:"touched,omitempty"` // how often in a row the sensor did not recognise the person
}

// Phone is one telephone.
type Phone struct{ dir string }

// Dir is the folder, which holder.Cards.Open takes for a card.
func (p *Phone) Dir() string { return p.dir }

// All gives the telephones in a folder that are ready, in the order in which they were made; none where there is no such folder.
func All(dir string) (all []Info, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if _, err := jitsuin.ParseID(e.Name()); err != nil || !e.IsDir() {
			continue
		}
		i, err := (&Phone{filepath.Join(dir, e.Name())}).Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // being made
		}
		if err != nil {
			return nil, err
		}
		if i.Ready {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b Info) int { return a.MadeAt.Compare(b.MadeAt) })
	return all, err
}

// Find gives a telephone in a folder by its id. NotFound "phone-missing".
func Find(dir string, id jitsuin.ID) (*Phone, error) {
	p := &Phone{filepath.Join(dir, string(id))}
	_, err := jitsuin.ParseID(string(id))
	if err == nil {
		_, err = p.Info()
	}
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "phone-missing", "there is no such telephone here")
	}
	return p, nil
}

// Info reads what the telephone says of itself.
func (p *Phone) Info() (i Info, err error) {
	b, err := os.ReadFile(filepath.Join(p.dir, "phone.json"))
	if err == nil {
		err = json.Unmarshal(b, &i)
	}
	return i, err
}

func (p *Phone) save(i Info) error {
	b, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return files.Replace(filepath.Join(p.dir, "phone.json"), b, 0o600)
}

// Erase forgets the telephone with its keys. Its certificates stay in force until they are ended at J-LIS.
func (p *Phone) Erase() error { return os.RemoveAll(p.dir) }

// Make makes a telephone in a new folder below dir: its keys, and its PINs, which are checked first. Who does not go on to
// Take erases it.
func Make(ctx context.Context, dir string, i Info, pins map[jitsuin.CertKind]jitsuin.PIN) (*Phone, error) {
	if !i.Model.Valid() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "phone-model", "there is no such kind of telephone").At("model")
	}
	for _, kind := range jitsuin.CertKinds {
		if _, err := reader.NormalNewPIN(kind, pins[kind]); err != nil {
			return nil, err
		}
	}
	p := &Phone{filepath.Join(dir, string(i.ID))}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a telephone: %w", err)
	}
	i.Ready = false
	err := p.blank(i.Model)
	if err == nil {
		err = p.withSystem(ctx, func(j *reader.JPKI) error { return makeKeys(ctx, j, pins) })
	}
	if err == nil {
		err = p.save(i)
	}
	if err != nil {
		return nil, errors.Join(err, p.Erase())
	}
	return p, nil
}

// blank makes the chip and the system that it trusts.
func (p *Phone) blank(model rules.PhoneModel) error {
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	system, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	certificate, err := card.IssueTerminalCertificate(rand.Reader, authority, card.RoleProduction, &system.PublicKey)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(system)
	if err != nil {
		return err
	}
	b := append(pem.EncodeToMemory(&pem.Block{Type: "TERMINAL CERTIFICATE", Bytes: certificate}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	if err := os.WriteFile(filepath.Join(p.dir, "terminal.pem"), b, 0o600); err != nil {
		return err
	}
	number, err := rand.Int(rand.Reader, big.NewInt(1e16))
	if err != nil {
		return err
	}
	memory, err := card.NewFolder(p.dir)
	if err != nil {
		return err
	}
	_, err = card.New(memory, card.Blank{Serial: fmt.Sprintf("%016d", number), TerminalAuthority: &authority.PublicKey, Profile: string(model)})
	return err
}

// makeKeys has the chip make its keys and sets their PINs. A key is usable once a certificate is there, and the telephone must sign
// before it has one from the authority: a certificate that nobody vouches for stands in its place until then.
func makeKeys(ctx context.Context, j *reader.JPKI, pins map[jitsuin.CertKind]jitsuin.PIN) error {
	for _, kind := range jitsuin.CertKinds {
		public, err := j.GenerateKey(ctx, kind)
		if err != nil {
			return err
		}
		der, err := standIn(public)
		if err == nil {
			err = j.WriteCertificate(ctx, kind, der)
		}
		if err == nil {
			err = j.ResetPIN(ctx, kind, pins[kind])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// standIn makes a certificate that says only that it is none.
func standIn(public crypto.PublicKey) ([]byte, error) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "not a certificate: a key of a telephone that is being enrolled"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0)}
	return x509.CreateCertificate(rand.Reader, t, t, public, signer)
}

// withSystem opens the chip as the telephone's system.
func (p *Phone) withSystem(ctx context.Context, use func(*reader.JPKI) error) (err error) {
	system, err := p.system()
	if err != nil {
		return err
	}
	return p.with(ctx, func(j *reader.JPKI) error {
		if err := j.Authenticate(ctx, system); err != nil {
			return err
		}
		return use(j)
	})
}

func (p *Phone) with(ctx context.Context, use func(*reader.JPKI) error) (err error) {
	channel, err := host.OpenFolder(ctx, p.dir, host.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, channel.Close()) }()
	j, err := reader.SelectJPKI(ctx, channel)
	if err != nil {
		return err
	}
	return use(j)
}

func (p *Phone) system() (t reader.Terminal, err error) {
	b, err := os.ReadFile(filepath.Join(p.dir, "terminal.pem"))
	if err != nil {
		return t, err
	}
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "TERMINAL CERTIFICATE" {
			t.Certificate = block.Bytes
			continue
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return t, fmt.Errorf("the telephone's system: %w", err)
		}
		t.Key, _ = key.(*ecdsa.PrivateKey)
	}
	if t.Key == nil || t.Certificate == nil {
		return t, jitsuin.Errorf(jitsuin.Invalid, "phone-system", "the telephone's system has no key")
	}
	return t, nil
}

// Prove signs what text gives for a kind with the telephone's key of the kind, once its PIN was shown: PKCS #1 v1.5 with SHA-256.
func (p *Phone) Prove(ctx context.Context, pins map[jitsuin.CertKind]jitsuin.PIN, text func(jitsuin.CertKind) []byte) (proofs map[jitsuin.CertKind][]byte, err error) {
	proofs = map[jitsuin.CertKind][]byte{}
	err = p.with(ctx, func(j *reader.JPKI) error {
		for _, kind := range jitsuin.CertKinds {
			s, err := j.Signer(ctx, kind, pins[kind])
			if err != nil {
				return err
			}
			digest := sha256.Sum256(text(kind))
			if proofs[kind], err = s.Sign(nil, digest[:], crypto.SHA256); err != nil {
				return err
			}
		}
		return nil
	})
	return proofs, err
}

// Keys gives the telephone's public keys, DER SubjectPublicKeyInfo.
func (p *Phone) Keys(ctx context.Context, pins map[jitsuin.CertKind]jitsuin.PIN) (keys map[jitsuin.CertKind][]byte, err error) {
	keys = map[jitsuin.CertKind][]byte{}
	err = p.with(ctx, func(j *reader.JPKI) error {
		for _, kind := range jitsuin.CertKinds {
			s, err := j.Signer(ctx, kind, pins[kind])
			if err != nil {
				return err
			}
			public, ok := s.Public().(*rsa.PublicKey)
			if !ok {
				return jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "the telephone's key is no RSA key")
			}
			if keys[kind], err = x509.MarshalPKIXPublicKey(public); err != nil {
				return err
			}
		}
		return nil
	})
	return keys, err
}

// Take writes the certificates that the authorities issued, each with the authority's; then the telephone is ready. The chip refuses
// one that is for another key.
func (p *Phone) Take(ctx context.Context, certificates, authorities map[jitsuin.CertKind][]byte) error {
	err := p.withSystem(ctx, func(j *reader.JPKI) error {
		for _, kind := range jitsuin.CertKinds {
			if certificates[kind] == nil {
				return jitsuin.Errorf(jitsuin.Invalid, "phone-certificate", "the certificate of the kind %s is missing", kind)
			}
			if err := j.WriteCACertificate(ctx, kind, authorities[kind]); err != nil {
				return err
			}
			if err := j.WriteCertificate(ctx, kind, certificates[kind]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	i, err := p.Info()
	if err != nil {
		return err
	}
	i.Ready = true
	return p.save(i)
}
