-- +goose Up
-- What each tenant is told (events), numbered without gaps in the order of the commits: ids, verdicts and
-- days, nothing about a person. told_at is civil, stored_at wall time.
CREATE TABLE tenant_events (
    tenant    TEXT NOT NULL REFERENCES tenants (id),
    n         BIGINT NOT NULL,
    id        TEXT NOT NULL UNIQUE,
    type      TEXT NOT NULL,
    data      {{JSON}} NOT NULL,
    told_at   BIGINT NOT NULL,
    stored_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, n)
);
-- The last number that was given out, and up to where the tenant has acknowledged by asking on.
CREATE TABLE tenant_outboxes (
    tenant TEXT PRIMARY KEY REFERENCES tenants (id),
    last_n BIGINT NOT NULL,
    read_n BIGINT NOT NULL
);
-- Where a tenant has its events pushed to. All times are wall time; next_try is also the claim of the
-- process that is about to send; tries and failing_since are those of the event after sent_n.
CREATE TABLE webhooks (
    tenant        TEXT PRIMARY KEY REFERENCES tenants (id),
    url           TEXT NOT NULL,
    since         BIGINT NOT NULL,
    sent_n        BIGINT NOT NULL,
    tries         INTEGER NOT NULL,
    failing_since BIGINT NOT NULL,
    next_try      BIGINT NOT NULL,
    stopped       INTEGER NOT NULL,
    problem       TEXT NOT NULL
);
-- Checks that are made later: items of a batch, and what residents submit. sealed is the request under a key
-- outside the database, empty once it was judged. queued_at and next_try are wall time; next_try is also the
-- claim of the process that is at it.
CREATE TABLE batches (
    id       TEXT PRIMARY KEY,
    tenant   TEXT NOT NULL REFERENCES tenants (id),
    made_at  BIGINT NOT NULL,
    total    INTEGER NOT NULL,
    waiting  INTEGER NOT NULL,
    ended_at BIGINT NOT NULL
);
CREATE TABLE queued_checks (
    id             TEXT PRIMARY KEY,
    tenant         TEXT NOT NULL REFERENCES tenants (id),
    batch          TEXT NOT NULL,
    submission     TEXT NOT NULL,
    i              INTEGER NOT NULL,
    key            TEXT NOT NULL,
    sealed         {{BLOB}} NOT NULL,
    size           BIGINT NOT NULL,
    queued_at      BIGINT NOT NULL,
    tries          INTEGER NOT NULL,
    next_try       BIGINT NOT NULL,
    state          TEXT NOT NULL,
    verification   TEXT NOT NULL,
    verdict        TEXT NOT NULL,
    sub_indication TEXT NOT NULL,
    problem        {{JSON}} NOT NULL
);
CREATE INDEX queued_checks_batch ON queued_checks (batch, i);
CREATE INDEX queued_checks_waiting ON queued_checks (state, tenant, next_try);
-- What a tenant asks one resident to submit straight to us. document is what is to be signed, empty where the
-- resident brings a document that is signed already; copy is the submitted document under a key outside the
-- database, from its verification until the tenant has taken it or destroy_on is over. last_day and destroy_on
-- are civil days, made_at, ended_at civil times.
CREATE TABLE submissions (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL REFERENCES tenants (id),
    link         TEXT NOT NULL UNIQUE,
    reference    TEXT NOT NULL,
    purpose      TEXT NOT NULL,
    title        TEXT NOT NULL,
    title_en     TEXT NOT NULL,
    name         TEXT NOT NULL,
    media_type   TEXT NOT NULL,
    document     {{BLOB}} NOT NULL,
    last_day     TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    state        TEXT NOT NULL,
    tries        INTEGER NOT NULL,
    outcome      TEXT NOT NULL,
    verification TEXT NOT NULL,
    copy_id      TEXT NOT NULL,
    copy         {{BLOB}} NOT NULL,
    copy_sha256  TEXT NOT NULL,
    destroy_on   TEXT NOT NULL,
    ended_at     BIGINT NOT NULL
);
CREATE INDEX submissions_tenant ON submissions (tenant, made_at);
CREATE INDEX submissions_destroy ON submissions (destroy_on);
CREATE INDEX submissions_last ON submissions (state, last_day);
-- Requests to a resident's holder that were made for a submission; expires_at is wall time, answer the digest
-- of what the holder answered.
CREATE TABLE submission_requests (
    txn        TEXT PRIMARY KEY,
    submission TEXT NOT NULL REFERENCES submissions (id),
    state      TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    answer     TEXT NOT NULL
);
