-- +goose Up
-- The name that a person reads in English; '' where the tenant gave none.
ALTER TABLE tenants ADD COLUMN name_en TEXT NOT NULL DEFAULT '';
-- Signed requests to the holder, as they are given out until they expire.
CREATE TABLE holder_requests (
    txn        TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    jws        TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX holder_requests_expires_at ON holder_requests (expires_at);
