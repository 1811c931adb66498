package jlis

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
	"github.com/jitsuin/jitsuin/rules"
)

// States of a certificate's record. Only an issued one exists for anybody outside.
const (
	stateIntended  = "intended"
	stateIssued    = "issued"
	stateAbandoned = "abandoned"
)

// record is a certificate's entry in the record of issuance, from the intent on.
type record struct {
	Kind         jitsuin.CertKind
	Serial       cert.Serial
	Profile      cert.Profile
	Authority    string // the key that signs
	MadeFor      string // the application, or what of ours it is for
	State        string
	Subject      jitsuin.ID
	Municipality jitsuin.MunicipalityCode
	KeyHash      [32]byte // SHA-256 of the SubjectPublicKeyInfo
	TBS          []byte
	Digest       [32]byte
	NotBefore    time.Time
	NotAfter     time.Time
	DER          []byte
}

// onPhone tells whether the certificate is for a telephone.
func (r record) onPhone() bool { return r.Profile == cert.PhoneProfile(r.Kind) }

func (r record) lastDay() jitsuin.Date { return jitsuin.DateOf(r.NotAfter) }

const certificateColumns = `SELECT kind, serial, profile, authority, made_for, state, subject, municipality, key_hash, tbs, digest,
	not_before, not_after, der FROM certificate `

func scanRecord(s store.Scanner) (r record, err error) {
	var serial string
	var keyHash, digest []byte
	var from, until int64
	err = s.Scan(&r.Kind, &serial, &r.Profile, &r.Authority, &r.MadeFor, &r.State, &r.Subject, &r.Municipality, &keyHash, &r.TBS, &digest,
		&from, &until, &r.DER)
	if err != nil {
		return r, err
	}
	if r.Serial, err = parseSerial(serial); err != nil {
		return r, err
	}
	copy(r.KeyHash[:], keyHash)
	copy(r.Digest[:], digest)
	r.NotBefore, r.NotAfter = store.Time(from), store.Time(until)
	return r, nil
}

// certificatesIn reads records; where is a constant clause with its arguments.
func certificatesIn(tx *store.Tx, where string, args ...any) ([]record, error) {
	return store.Collect(scanRecord)(tx.Query(certificateColumns+where, args...))
}

func (a *Agency) certificates(ctx context.Context, where string, args ...any) (all []record, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = certificatesIn(tx, where, args...)
		return err
	})
	return all, err
}

// inForce gives the certificates of a person and kind on a card that are valid at an instant, or would be but for a suspension:
// issued, not expired, not revoked.
func inForce(tx *store.Tx, subject jitsuin.ID, kind jitsuin.CertKind, at time.Time) ([]record, error) {
	return inForceAs(tx, subject, kind, cert.Profile(kind), at)
}

// onPhoneInForce is inForce for the person's telephone.
func onPhoneInForce(tx *store.Tx, subject jitsuin.ID, kind jitsuin.CertKind, at time.Time) ([]record, error) {
	return inForceAs(tx, subject, kind, cert.PhoneProfile(kind), at)
}

func inForceAs(tx *store.Tx, subject jitsuin.ID, kind jitsuin.CertKind, profile cert.Profile, at time.Time) ([]record, error) {
	return certificatesIn(tx, `WHERE subject = $1 AND kind = $2 AND state = 'issued' AND profile = $3 AND not_after >= $4
		AND NOT EXISTS (SELECT 1 FROM revocation v WHERE v.kind = certificate.kind AND v.serial = certificate.serial)
		ORDER BY intended_at, serial`, string(subject), string(kind), string(profile), store.Micros(at))
}

func parseSerial(text string) (s cert.Serial, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(s) || hex.EncodeToString(raw) != text {
		return s, jitsuin.Errorf(jitsuin.Invalid, "serial-form", "a serial number has 32 lower-case hex digits").At("serial")
	}
	return cert.Serial(raw), nil
}

// nextSerial takes the next ordinal of the kind's issuer name in the signer's epoch. All
// generations of a CA share the name, so they share the count.
func (a *Agency) nextSerial(tx *store.Tx, kind jitsuin.CertKind) (cert.Serial, error) {
	epoch := a.signer.Last().Epoch
	var next uint64
	err := tx.QueryRow(`INSERT INTO serial_head (kind, epoch, next) VALUES ($1, $2, 1)
		ON CONFLICT (kind, epoch) DO UPDATE SET next = serial_head.next + 1 RETURNING next`, string(kind), epoch).Scan(&next)
	if err != nil {
		return cert.Serial{}, err
	}
	return a.codecs[kind].Encode(epoch, next-1)
}

// intend gives a certificate its serial number and records the bytes to be signed. r brings
// authority, purpose and person; t all else.
func (a *Agency) intend(tx *store.Tx, kind jitsuin.CertKind, t cert.Template, r record, now time.Time) (record, error) {
	serial, err := a.nextSerial(tx, kind)
	if err != nil {
		return r, err
	}
	t.Serial = serial.Big()
	if r.TBS, err = t.TBS(); err != nil {
		return r, err
	}
	spki, err := x509.MarshalPKIXPublicKey(t.Key)
	if err != nil {
		return r, fmt.Errorf("public key: %w", err)
	}
	r.Kind, r.Serial, r.Profile, r.State = kind, serial, t.Profile, stateIntended
	r.KeyHash, r.Digest = sha256.Sum256(spki), sha256.Sum256(r.TBS)
	r.NotBefore, r.NotAfter = t.NotBefore, t.LastDay.LastSecond()
	keep, err := rules.KeepingOf(rules.RecordIssuance, jitsuin.DateOf(now))
	if err != nil {
		return r, err
	}
	_, err = tx.Exec(`INSERT INTO certificate (kind, serial, profile, authority, made_for, state, subject, municipality, key_hash, tbs, digest,
		not_before, not_after, intended_at, keep_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		string(kind), serial.String(), string(r.Profile), r.Authority, r.MadeFor, r.State, string(r.Subject), string(r.Municipality),
		r.KeyHash[:], r.TBS, r.Digest[:], store.Micros(r.NotBefore), store.Micros(r.NotAfter), store.Micros(now), keep.Until(t.LastDay).String())
	return r, err
}

// storeIssued turns an intent into a certificate. An intent that is none any more is a Conflict.
func storeIssued(tx *store.Tx, r record, receipt signer.Receipt, now time.Time) error {
	res, err := tx.Exec(`UPDATE certificate SET state = 'issued', der = $3, counter = $4, issued_at = $5
		WHERE kind = $1 AND serial = $2 AND state = 'intended'`,
		string(r.Kind), r.Serial.String(), r.DER, receipt.Counter, store.Micros(now))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return jitsuin.Errorf(jitsuin.Conflict, "intent-gone", "the intent of a certificate is not there any more: %w", err)
	}
	return nil
}

// bySerial gives the issued certificate with a serial number.
func bySerial(tx *store.Tx, kind jitsuin.CertKind, serial cert.Serial) (record, error) {
	r, err := scanRecord(tx.QueryRow(certificateColumns+`WHERE kind = $1 AND serial = $2 AND state = 'issued'`, string(kind), serial.String()))
	if errors.Is(err, sql.ErrNoRows) {
		return r, jitsuin.Errorf(jitsuin.NotFound, "certificate-unknown", "no certificate with this serial number was issued")
	}
	return r, err
}

// placeholder stands for the signature while a certificate is linted before it is signed.
const placeholder = "\x00not a signature: the rules are looked at before the key is used"

// lintTBS judges a certificate before it is signed.
func lintTBS(r record) error {
	der, err := cert.Assemble(r.TBS, []byte(placeholder))
	if err != nil {
		return err
	}
	return lint(der, r.Profile)
}

func lint(der []byte, p cert.Profile) error {
	found, err := cert.Lint(der, p)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return jitsuin.Errorf(jitsuin.Internal, "certificate-lint", "a certificate would break %d rules of its profile, the first %s: %s", len(found), found[0].Rule, found[0].Message)
	}
	return nil
}
