package jlis

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"fmt"

	"github.com/jitsuin/jitsuin"
	chip "github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

// certifyTerminal has the terminal authority sign a terminal's key for a role, once: the same
// owner, name and key get the same certificate. Intent, signature and result follow issue.go.
func (a *Agency) certifyTerminal(ctx context.Context, owner, name string, role chip.Role, key *ecdsa.PublicKey) (certificate []byte, err error) {
	tbs, err := chip.TerminalTBS(role, key)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	keyHash := digest[:] // role and key
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		certificate = nil
		_, err := tx.Exec(`INSERT INTO terminal (owner, name, key_hash, tbs, digest, made_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (owner, name, key_hash) DO NOTHING`, owner, name, keyHash, tbs, digest[:], store.Micros(a.Clock.Now()))
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT certificate FROM terminal WHERE owner = $1 AND name = $2 AND key_hash = $3`, owner, name, keyHash).Scan(&certificate)
	})
	if err != nil || certificate != nil {
		return certificate, err
	}
	sig, receipt, err := a.sign(ctx, terminalKey, signer.Terminal, tbs)
	if err != nil {
		return nil, err
	}
	made, err := chip.AssembleTerminalCertificate(tbs, sig)
	if err != nil {
		return nil, err
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		if err := noteSignature(tx, receipt, "terminal"); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE terminal SET certificate = $4, counter = $5 WHERE owner = $1 AND name = $2 AND key_hash = $3 AND certificate IS NULL`,
			owner, name, keyHash, made, receipt.Counter)
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT certificate FROM terminal WHERE owner = $1 AND name = $2 AND key_hash = $3`, owner, name, keyHash).Scan(&certificate)
	})
	return certificate, err
}

// terminalPublicKey reads a P-256 key.
func terminalPublicKey(spki []byte) (*ecdsa.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(spki)
	key, ok := public.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "terminal-key", "a terminal's key is a SubjectPublicKeyInfo on P-256: %w", errOr(err)).At("public_key")
	}
	return key, nil
}

func errOr(err error) error {
	if err == nil {
		return fmt.Errorf("another kind of key")
	}
	return err
}
