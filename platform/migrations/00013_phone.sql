-- +goose Up
-- Checks that were refused because the certificate was suspended or revoked although the signature was its key's: somebody has the card,
-- or the telephone. The resident sees them.
CREATE TABLE refused_uses (
    verification TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    serial       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    checked_at   BIGINT NOT NULL
);
CREATE INDEX refused_uses_serial ON refused_uses (kind, serial);

-- Whether the contract is with a specified verifier of authentication (特定利用者証明検証者), who may do without the PIN (かざし利用).
ALTER TABLE tenants ADD COLUMN contract_pinless BIGINT NOT NULL DEFAULT 0;
