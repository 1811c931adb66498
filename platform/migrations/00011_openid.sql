-- +goose Up
-- The OpenID provider (package platform/openid). All times are wall time. Secrets, codes and tokens lie here as SHA-256 in hex,
-- signing keys and items of people sealed with a key that comes from the platform's own.
CREATE TABLE openid_keys (
    n         BIGINT PRIMARY KEY,
    kid       TEXT NOT NULL UNIQUE,
    sealed    TEXT NOT NULL,
    made_at   BIGINT NOT NULL,
    active_at BIGINT NOT NULL
);
CREATE TABLE openid_clients (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    metadata     {{JSON}} NOT NULL,
    secret       TEXT NOT NULL,
    registration TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL
);
CREATE INDEX openid_clients_tenant ON openid_clients (tenant, made_at);
-- A login that was asked for: reference is of a pushed request (RFC 9126), taken_at when a browser brought it.
CREATE TABLE openid_requests (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    client     TEXT NOT NULL REFERENCES openid_clients (id),
    issuer     TEXT NOT NULL,
    params     {{JSON}} NOT NULL,
    reference  TEXT NOT NULL,
    browser    TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    taken_at   BIGINT NOT NULL,
    session    TEXT NOT NULL
);
CREATE INDEX openid_requests_reference ON openid_requests (reference);
CREATE INDEX openid_requests_expires_at ON openid_requests (expires_at);
-- A person logged in at one client in one browser. started_at is 0 until the browser was led back.
CREATE TABLE openid_sessions (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    client     TEXT NOT NULL REFERENCES openid_clients (id),
    issuer     TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    browser    TEXT NOT NULL,
    acr        TEXT NOT NULL,
    items      TEXT NOT NULL,
    auth_time  BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL
);
CREATE INDEX openid_sessions_browser ON openid_sessions (browser, client);
CREATE INDEX openid_sessions_user ON openid_sessions (tenant, user_id);
CREATE INDEX openid_sessions_expires_at ON openid_sessions (expires_at);
CREATE TABLE openid_codes (
    code       TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    client     TEXT NOT NULL,
    request    TEXT NOT NULL,
    session    TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX openid_codes_expires_at ON openid_codes (expires_at);
CREATE TABLE openid_tokens (
    token      TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    client     TEXT NOT NULL,
    issuer     TEXT NOT NULL,
    session    TEXT NOT NULL,
    code       TEXT NOT NULL,
    claims     {{JSON}} NOT NULL,
    jkt        TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX openid_tokens_session ON openid_tokens (tenant, session);
CREATE INDEX openid_tokens_code ON openid_tokens (tenant, code);
CREATE INDEX openid_tokens_expires_at ON openid_tokens (expires_at);
-- Assertions and proofs of possession that were used: each is taken once.
CREATE TABLE openid_seen (
    kind       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, digest)
);
CREATE INDEX openid_seen_expires_at ON openid_seen (expires_at);
-- Logout tokens that are to be sent (OpenID Connect Back-Channel Logout 1.0).
CREATE TABLE openid_logouts (
    id        TEXT PRIMARY KEY,
    tenant    TEXT NOT NULL,
    client    TEXT NOT NULL,
    issuer    TEXT NOT NULL,
    session   TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    address   TEXT NOT NULL,
    made_at   BIGINT NOT NULL,
    tries     BIGINT NOT NULL,
    next_at   BIGINT NOT NULL,
    ended_at  BIGINT NOT NULL,
    outcome   TEXT NOT NULL
);
CREATE INDEX openid_logouts_next_at ON openid_logouts (next_at);
