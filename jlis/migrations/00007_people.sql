-- +goose Up

-- Consents to be told the latest four items (最新4情報提供の同意), each for one service of one firm through one verifier. document is
-- what was signed; told what the firm has by this consent: the items of the certificate that signed it (told_at 0), then those of the
-- last supply. ended_at is 0 while it is in force.
CREATE TABLE consent (
  id TEXT PRIMARY KEY, subject TEXT NOT NULL, verifier TEXT NOT NULL, recipient TEXT NOT NULL, service TEXT NOT NULL, number TEXT NOT NULL,
  document {{BLOB}} NOT NULL, given_on TEXT NOT NULL, last_day TEXT NOT NULL, told {{JSON}} NOT NULL, told_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, withdrawal {{BLOB}}, keep_until TEXT NOT NULL,
  UNIQUE (verifier, number));
CREATE INDEX consent_subject ON consent (subject);

-- Supplies under a consent, also those that brought nothing new: when, which items were new, the fee in yen.
CREATE TABLE consent_supply (
  id TEXT PRIMARY KEY, consent TEXT NOT NULL REFERENCES consent (id), at BIGINT NOT NULL, items TEXT NOT NULL, yen BIGINT NOT NULL);
CREATE INDEX consent_supply_consent ON consent_supply (consent, at);
