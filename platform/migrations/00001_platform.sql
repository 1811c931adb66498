-- +goose Up
CREATE TABLE tenants (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    origins      {{JSON}} NOT NULL,
    public_key   {{BLOB}} NOT NULL,
    deemed_since TEXT NOT NULL
);
-- Our own accreditation as the minister last told it, and which one J-LIS has been notified of.
CREATE TABLE own_accreditation (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    body     {{JSON}} NOT NULL,
    notified TEXT NOT NULL
);
-- CA certificates of J-LIS, pinned when they were first fetched.
CREATE TABLE anchors (
    sha256    TEXT PRIMARY KEY,
    der       {{BLOB}} NOT NULL,
    pinned_at BIGINT NOT NULL
);
-- The platform's own log: what was checked and what came of it. No document, no four items, no
-- serial number. at_instant is the instant asked about where it was not the present, else 0.
CREATE TABLE checks (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    sort       TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    checked_at BIGINT NOT NULL,
    at_instant BIGINT NOT NULL,
    digest     TEXT NOT NULL,
    verdict    TEXT NOT NULL,
    report     {{JSON}} NOT NULL,
    user_id    TEXT NOT NULL,
    user_new   INTEGER NOT NULL,
    request_id TEXT NOT NULL
);
CREATE INDEX checks_tenant ON checks (tenant, checked_at);
-- The tenants' vaults: the evidence of a check that passed. keep_until is '' where its day depends
-- on the end of a contract.
CREATE TABLE vault_records (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    verification TEXT NOT NULL UNIQUE REFERENCES checks (id),
    kind         TEXT NOT NULL,
    law          TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    keep_until   TEXT NOT NULL,
    signature    {{BLOB}} NOT NULL,
    certificate  {{BLOB}} NOT NULL,
    status       {{BLOB}} NOT NULL
);
CREATE INDEX vault_ends ON vault_records (keep_until);
-- Pairwise users: a random id per person and tenant, and the certificates known to be theirs.
CREATE TABLE users (
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    id         TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE TABLE user_certificates (
    tenant  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    serial  TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, serial),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id)
);
CREATE TABLE login_challenges (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    challenge  {{JSON}} NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
