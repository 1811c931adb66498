-- +goose Up
-- A tenant's life. state is active, suspended or ended; state_at is civil time, state_reason in the words of
-- who did it. validity is '' where the platform's own setting holds, per_second and burst 0 where its quota does.
-- The columns contract_* tell of the contract (委託契約); number '' is none. expires_at is wall time, of a tenant
-- of the sandbox that nobody has used; 0 for all others.
ALTER TABLE tenants ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE tenants ADD COLUMN state_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN state_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN contact_name TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN contact_email TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN contact_phone TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN contract_number TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN contract_since TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN contract_until TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN validity TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN per_second INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN burst INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;
-- Tenants from before contracts were written down have one whose number nobody knows.
UPDATE tenants SET contract_number = '-', contract_since = deemed_since;
-- The keys that a tenant's assertions are signed with; times are wall time, ended_at 0 while a key is good.
-- tenants.public_key is the first one as it was registered, and is not looked at any more.
CREATE TABLE tenant_keys (
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    kid        TEXT NOT NULL,
    public_key {{BLOB}} NOT NULL,
    added_at   BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant, kid)
);
INSERT INTO tenant_keys (tenant, kid, public_key, added_at, ended_at) SELECT id, 'first', public_key, 0, 0 FROM tenants;
-- Rises with every change of a tenant or its keys: what processes keep in memory is as old as this number.
CREATE TABLE tenant_changes (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n   BIGINT NOT NULL
);
INSERT INTO tenant_changes (one, n) VALUES (1, 1);
-- What was used, without a word about whom: see package metering.
CREATE TABLE metered (
    tenant  TEXT NOT NULL REFERENCES tenants (id),
    id      TEXT NOT NULL,
    day     TEXT NOT NULL,
    service TEXT NOT NULL,
    kind    TEXT NOT NULL,
    method  TEXT NOT NULL,
    fee     INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX metered_day ON metered (tenant, day);
