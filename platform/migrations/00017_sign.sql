-- +goose Up
-- Transactions of the sign API (package platform/openid). All times are wall time. The document that is signed, and what the person gave,
-- lie sealed with a key that comes from the platform's own, and go when their time is over.
CREATE TABLE openid_sign_transactions (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    client       TEXT NOT NULL REFERENCES openid_clients (id),
    digest       TEXT NOT NULL,
    name         TEXT NOT NULL,
    media_type   TEXT NOT NULL,
    document     TEXT NOT NULL,
    purpose      TEXT NOT NULL,
    state        TEXT NOT NULL,
    session      TEXT NOT NULL,
    verification TEXT NOT NULL,
    signed       TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    taken_at     BIGINT NOT NULL
);
CREATE INDEX openid_sign_transactions_expires_at ON openid_sign_transactions (expires_at);
