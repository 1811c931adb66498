-- +goose Up
-- What our own pages sent browsers to their holders for. state and browser are hashes; browser is '' where any may come back.
CREATE TABLE errands (
    txn        TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    about      TEXT NOT NULL,
    act        TEXT NOT NULL,
    state      TEXT NOT NULL,
    browser    TEXT NOT NULL,
    challenge  {{JSON}} NOT NULL,
    jws        TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    answer     TEXT NOT NULL,
    code       TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    result     TEXT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX errands_code ON errands (code);
CREATE INDEX errands_expires_at ON errands (expires_at);
-- The platform's own sector: people who logged in at its own origin, and the certificates known to be theirs. No tenant ever sees it.
CREATE TABLE persons (
    id         TEXT PRIMARY KEY,
    first_seen BIGINT NOT NULL
);
CREATE TABLE person_certificates (
    kind   TEXT NOT NULL,
    serial TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES persons (id),
    PRIMARY KEY (kind, serial)
);
CREATE INDEX person_certificates_person ON person_certificates (person);
-- The certificate on which an accepted check rests: what a later look at its status needs, and by which its holder finds it.
-- user_id is '' where the tenant did not want the user named, or has forgotten them.
CREATE TABLE check_certificates (
    verification TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    kind         TEXT NOT NULL,
    serial       TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    not_before   BIGINT NOT NULL,
    not_after    BIGINT NOT NULL,
    checked_at   BIGINT NOT NULL
);
CREATE INDEX check_certificates_serial ON check_certificates (kind, serial);
CREATE INDEX check_certificates_user ON check_certificates (tenant, user_id);
-- Looks at the status of a user's certificate (現況確認): who, what for, and what was answered.
CREATE TABLE status_checks (
    id             TEXT PRIMARY KEY,
    tenant         TEXT NOT NULL REFERENCES tenants (id),
    user_id        TEXT NOT NULL,
    verification   TEXT NOT NULL,
    kind           TEXT NOT NULL,
    purpose        TEXT NOT NULL,
    check_purpose  TEXT NOT NULL,
    method         TEXT NOT NULL,
    status         TEXT NOT NULL,
    reason         TEXT NOT NULL,
    revoked_at     BIGINT NOT NULL,
    source_updated BIGINT NOT NULL,
    checked_at     BIGINT NOT NULL
);
CREATE INDEX status_checks_verification ON status_checks (verification);
CREATE INDEX status_checks_tenant ON status_checks (tenant, checked_at);
-- Users of whom a tenant wants to be told that a certificate lapsed, and what it has been told of each certificate.
CREATE TABLE subscriptions (
    tenant  TEXT NOT NULL,
    user_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    since   BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
CREATE TABLE told_states (
    tenant  TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind    TEXT NOT NULL,
    serial  TEXT NOT NULL,
    state   TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, serial)
);
-- When the status of subscribed users was last looked at, civil time, and when it will be next.
CREATE TABLE status_rounds (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    last_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL
);
-- Consents to be told the latest four items (最新4情報提供). form is the text that was signed; agency the consent at J-LIS.
CREATE TABLE consents (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL REFERENCES tenants (id),
    user_id    TEXT NOT NULL,
    service    TEXT NOT NULL,
    service_en TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    form       {{JSON}} NOT NULL,
    return_url TEXT NOT NULL,
    state      TEXT NOT NULL,
    agency     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    serial     TEXT NOT NULL,
    drawn_at   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    given_on   TEXT NOT NULL,
    last_day   TEXT NOT NULL,
    remind_on  TEXT NOT NULL,
    keep_until TEXT NOT NULL
);
CREATE INDEX consents_user ON consents (tenant, user_id);
CREATE INDEX consents_serial ON consents (kind, serial);
CREATE INDEX consents_remind ON consents (remind_on);
-- The ledger: what happened to a consent, appended and never changed.
CREATE TABLE consent_entries (
    consent TEXT NOT NULL REFERENCES consents (id),
    n       INTEGER NOT NULL,
    tenant  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    act     TEXT NOT NULL,
    detail  TEXT NOT NULL,
    PRIMARY KEY (consent, n)
);
-- What was passed on under a consent: when, which items were new, what it cost. Never the items.
CREATE TABLE latest_items (
    id      TEXT PRIMARY KEY,
    tenant  TEXT NOT NULL REFERENCES tenants (id),
    consent TEXT NOT NULL REFERENCES consents (id),
    user_id TEXT NOT NULL,
    at      BIGINT NOT NULL,
    found   INTEGER NOT NULL,
    items   TEXT NOT NULL,
    yen     BIGINT NOT NULL
);
CREATE INDEX latest_items_consent ON latest_items (consent);
