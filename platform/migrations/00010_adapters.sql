-- +goose Up
-- Tokens for adapters to the APIs of others: SHA-256 of the token in hex, never the token. Times are wall time.
CREATE TABLE adapter_tokens (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    name       TEXT NOT NULL,
    scopes     {{JSON}} NOT NULL,
    purpose    TEXT NOT NULL,
    digest     TEXT NOT NULL UNIQUE,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX adapter_tokens_tenant ON adapter_tokens (tenant, made_at);
-- Random names of certificates, one per tenant, for APIs that name certificates.
CREATE TABLE adapter_certificates (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    kind   TEXT NOT NULL,
    serial TEXT NOT NULL,
    id     TEXT NOT NULL UNIQUE,
    since  BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, serial)
);
-- What APIs of others tell of a check beside what stands in checks.
CREATE TABLE adapter_checks (
    tenant       TEXT NOT NULL,
    verification TEXT NOT NULL,
    certificate  TEXT NOT NULL REFERENCES adapter_certificates (id),
    hash         TEXT NOT NULL,
    PRIMARY KEY (tenant, verification)
);
CREATE INDEX adapter_checks_certificate ON adapter_checks (tenant, certificate);
-- Nonces of tenants that a card has signed, by their digest: each is taken once.
CREATE TABLE adapter_nonces (
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    kind         TEXT NOT NULL,
    digest       TEXT NOT NULL,
    txn          TEXT NOT NULL,
    verification TEXT NOT NULL,
    used_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, digest)
);
CREATE INDEX adapter_nonces_used_at ON adapter_nonces (used_at);
