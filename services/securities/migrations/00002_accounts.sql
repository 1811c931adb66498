-- +goose Up
-- An application is drawn, signed and decided. outcome is '' until it is decided; decided_at is civil
-- time, expires_at wall time; verification and report are there once the platform was
-- asked, customer and items once an account was opened or found; else '' and null.
CREATE TABLE applications (
    number       TEXT   PRIMARY KEY,
    form         {{BLOB}} NOT NULL,
    drawn_at     BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    outcome      TEXT   NOT NULL,
    decided_at   BIGINT NOT NULL,
    customer     TEXT   NOT NULL,
    verification TEXT   NOT NULL,
    report       {{JSON}} NOT NULL,
    items        {{JSON}} NOT NULL
);
CREATE INDEX applications_customer ON applications (customer);
-- A request that leads a browser to its holder. answer is the SHA-256 of what the holder posted, '' before;
-- code leads back once, and is worth nothing without the browser's cookie, of which browser is the hash.
CREATE TABLE requests (
    txn         TEXT   PRIMARY KEY,
    act         TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    browser     TEXT   NOT NULL,
    application TEXT   NOT NULL,
    open        TEXT   NOT NULL,
    expires_at  BIGINT NOT NULL,
    answer      TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    used_at     BIGINT NOT NULL,
    outcome     TEXT   NOT NULL,
    customer    TEXT   NOT NULL
);
CREATE INDEX requests_code ON requests (code);
CREATE INDEX requests_application ON requests (application);
-- The application as it was signed. check_id is the id of the platform's check that is under way.
CREATE TABLE documents (
    application TEXT   PRIMARY KEY REFERENCES applications (number),
    received_at BIGINT NOT NULL,
    content     {{BLOB}} NOT NULL,
    signature   {{BLOB}} NOT NULL,
    check_id    TEXT   NOT NULL
);
CREATE TABLE accounts (
    number      TEXT   PRIMARY KEY,
    customer    TEXT   NOT NULL UNIQUE REFERENCES customers (id),
    application TEXT   NOT NULL UNIQUE REFERENCES applications (number),
    opened_at   BIGINT NOT NULL
);
-- Confirmation records (確認記録). Rows are added and never changed: n is 1 for the record itself, and
-- rises with each note of a change.
CREATE TABLE confirmation_records (
    account TEXT   NOT NULL REFERENCES accounts (number),
    n       BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    body    {{JSON}} NOT NULL,
    PRIMARY KEY (account, n)
);
