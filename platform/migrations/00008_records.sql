-- +goose Up
-- The tenants' vaults: the records that the law asks for. The head of a record with its attachment; what stands in it is
-- in record_entries. verification is null for the record of a transaction, about then names the person's record.
-- keep_until is '' while a contract runs; held counts the holds (係争中) that are on.
CREATE TABLE vault_records_8 (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    verification TEXT UNIQUE REFERENCES checks (id),
    kind         TEXT NOT NULL,
    law          TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    keep_until   TEXT NOT NULL,
    signature    {{BLOB}} NOT NULL,
    certificate  {{BLOB}} NOT NULL,
    status       {{BLOB}} NOT NULL,
    document     {{BLOB}},
    about        TEXT NOT NULL DEFAULT '',
    purpose      TEXT NOT NULL DEFAULT '',
    user_id      TEXT NOT NULL DEFAULT '',
    account      TEXT NOT NULL DEFAULT '',
    cases        TEXT NOT NULL DEFAULT '',
    complete     INTEGER NOT NULL DEFAULT 0,
    complete_by  TEXT NOT NULL DEFAULT '',
    held         INTEGER NOT NULL DEFAULT 0,
    entries      INTEGER NOT NULL DEFAULT 0,
    head         TEXT NOT NULL DEFAULT ''
);
INSERT INTO vault_records_8 (id, tenant, verification, kind, law, made_at, keep_until, signature, certificate, status, purpose, user_id)
    SELECT v.id, v.tenant, v.verification, v.kind, v.law, v.made_at, v.keep_until, v.signature, v.certificate, v.status, c.purpose, c.user_id
    FROM vault_records v JOIN checks c ON c.id = v.verification AND c.tenant = v.tenant;
DROP TABLE vault_records;
ALTER TABLE vault_records_8 RENAME TO vault_records;
CREATE INDEX vault_ends ON vault_records (keep_until);
CREATE INDEX vault_made ON vault_records (tenant, made_at, id);
CREATE INDEX vault_account ON vault_records (tenant, account);
-- What was written into a record, entry by entry; body is an entry as JSON with its hash. Rows are added, and deleted with
-- their record, never changed.
CREATE TABLE record_entries (
    tenant TEXT   NOT NULL,
    record TEXT   NOT NULL REFERENCES vault_records (id),
    n      BIGINT NOT NULL,
    body   {{JSON}} NOT NULL,
    PRIMARY KEY (record, n)
);
-- The contracts that rest on a record; ended_on is '' while one runs.
CREATE TABLE record_contracts (
    tenant   TEXT NOT NULL,
    record   TEXT NOT NULL REFERENCES vault_records (id),
    contract TEXT NOT NULL,
    ended_on TEXT NOT NULL,
    PRIMARY KEY (record, contract)
);
-- Holds on records under dispute. asked_by is who asked for the release, '' before.
CREATE TABLE record_holds (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    record      TEXT NOT NULL REFERENCES vault_records (id),
    reason      TEXT NOT NULL,
    placed_by   TEXT NOT NULL,
    placed_at   BIGINT NOT NULL,
    asked_by    TEXT NOT NULL,
    asked_why   TEXT NOT NULL,
    released_by TEXT NOT NULL,
    released_at BIGINT NOT NULL
);
CREATE INDEX record_holds_record ON record_holds (record);
-- Certificates of destruction. They name nobody. cleaned_at is 0 until the database's files were rid of the record, too.
CREATE TABLE record_destructions (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    record       TEXT NOT NULL UNIQUE,
    verification TEXT NOT NULL,
    kind         TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    kept_until   TEXT NOT NULL,
    rule         TEXT NOT NULL,
    law          TEXT NOT NULL,
    entries      BIGINT NOT NULL,
    head         TEXT NOT NULL,
    destroyed_at BIGINT NOT NULL,
    cleaned_at   BIGINT NOT NULL
);
CREATE INDEX record_destructions_tenant ON record_destructions (tenant, destroyed_at, id);
CREATE INDEX record_destructions_check ON record_destructions (verification);
