-- +goose Up
-- The people of the office. user_id is the person in the platform's own sector (persons); left_at is 0 while they work here.
CREATE TABLE office_person (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    roles   {{JSON}} NOT NULL,
    since   BIGINT NOT NULL,
    left_at BIGINT NOT NULL
);
-- Invitations. token is a hash; invited_by a caller; confirmed 0 until a second person has agreed, where one is needed;
-- person the one who came, '' before. Times but made_at are wall time.
CREATE TABLE office_invitation (
    id           TEXT PRIMARY KEY,
    token        TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    roles        {{JSON}} NOT NULL,
    invited_by   TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    confirmed    INTEGER NOT NULL,
    withdrawn_at BIGINT NOT NULL,
    person       TEXT NOT NULL
);
-- Logins that passed and whose browsers have not come back yet; certificate is DER, made_at wall time.
CREATE TABLE office_pass (
    txn         TEXT PRIMARY KEY,
    person      TEXT NOT NULL,
    certificate {{BLOB}} NOT NULL,
    made_at     BIGINT NOT NULL
);
-- Sessions. token is a hash; checked_at is when the certificate's status was last good. Times are wall time.
CREATE TABLE office_session (
    token       TEXT PRIMARY KEY,
    person      TEXT NOT NULL,
    terminal    TEXT NOT NULL,
    certificate {{BLOB}} NOT NULL,
    begun_at    BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    checked_at  BIGINT NOT NULL
);
CREATE INDEX office_session_person ON office_session (person);
-- What one person has proposed and another is to approve. mark is what the thing looked like then. made_at and decided_at are
-- civil time, expires_at wall time.
CREATE TABLE office_proposal (
    id         TEXT PRIMARY KEY,
    act        TEXT NOT NULL,
    subject    TEXT NOT NULL,
    behalf     TEXT NOT NULL,
    body       {{JSON}} NOT NULL,
    mark       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    proposer   TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state      TEXT NOT NULL,
    decider    TEXT NOT NULL,
    decision   TEXT NOT NULL,
    decided_at BIGINT NOT NULL
);
CREATE INDEX office_proposal_state ON office_proposal (state, made_at);
