-- +goose Up
CREATE TABLE customers (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    since   BIGINT NOT NULL
);
-- A contract keeps the items as they were when it was signed: later ones are added, none is erased.
CREATE TABLE contracts (
    id           TEXT PRIMARY KEY,
    customer     TEXT NOT NULL REFERENCES customers (id),
    accepted_at  BIGINT NOT NULL,
    digest       TEXT NOT NULL,
    document     {{BLOB}} NOT NULL,
    verification TEXT NOT NULL,
    items        {{JSON}} NOT NULL,
    UNIQUE (customer, digest)
);
-- Tokens are kept as SHA-256. A login under way has the challenge, a session the customer.
CREATE TABLE logins (
    token      TEXT PRIMARY KEY,
    challenge  TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE sessions (
    token      TEXT PRIMARY KEY,
    customer   TEXT NOT NULL REFERENCES customers (id),
    expires_at BIGINT NOT NULL
);
