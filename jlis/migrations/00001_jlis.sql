-- +goose Up

-- The copy of the register: four items, state, municipality. No number of a person is ever here.
CREATE TABLE person (
  subject TEXT PRIMARY KEY, municipality TEXT NOT NULL, state TEXT NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL,
  birth_date TEXT NOT NULL, sex TEXT NOT NULL, changed_at BIGINT NOT NULL);

-- Up to which place of each municipality's feed the network has passed everything on to us.
CREATE TABLE town_mark (municipality TEXT PRIMARY KEY, epoch BIGINT NOT NULL, n BIGINT NOT NULL);

-- The next ordinal of each issuer name in each epoch.
CREATE TABLE serial_head (kind TEXT NOT NULL, epoch BIGINT NOT NULL, next BIGINT NOT NULL, PRIMARY KEY (kind, epoch));

-- The record of issuance (発行記録), from the intent on. state: intended, issued, abandoned.
-- made_for names the application, or what of ours the certificate is for; authority the key that signs it.
CREATE TABLE certificate (
  kind TEXT NOT NULL, serial TEXT NOT NULL, profile TEXT NOT NULL, authority TEXT NOT NULL, made_for TEXT NOT NULL, state TEXT NOT NULL,
  subject TEXT NOT NULL, municipality TEXT NOT NULL, key_hash {{BLOB}} NOT NULL, tbs {{BLOB}} NOT NULL, digest {{BLOB}} NOT NULL UNIQUE,
  not_before BIGINT NOT NULL, not_after BIGINT NOT NULL, intended_at BIGINT NOT NULL,
  der {{BLOB}}, counter BIGINT UNIQUE, issued_at BIGINT, keep_until TEXT NOT NULL,
  PRIMARY KEY (kind, serial));
CREATE INDEX certificate_made_for ON certificate (made_for);
CREATE INDEX certificate_subject ON certificate (subject, kind);
CREATE INDEX certificate_key ON certificate (key_hash);
-- No key of a resident is certified twice, and an application brings one certificate of a kind.
CREATE UNIQUE INDEX certificate_key_once ON certificate (key_hash) WHERE state <> 'abandoned' AND profile IN ('sign', 'auth');
CREATE UNIQUE INDEX certificate_once ON certificate (made_for, kind) WHERE state <> 'abandoned';

-- Revocations (異動等失効情報 and the like). The key makes it one per certificate. effective_at is when the
-- certificate lost effect: the recording, or the beginning of an earlier day that the law names.
CREATE TABLE revocation (
  kind TEXT NOT NULL, serial TEXT NOT NULL, effective_at BIGINT NOT NULL, recorded_at BIGINT NOT NULL,
  reason TEXT NOT NULL, cause TEXT NOT NULL, rule TEXT NOT NULL, keep_until TEXT NOT NULL,
  PRIMARY KEY (kind, serial), FOREIGN KEY (kind, serial) REFERENCES certificate (kind, serial));

-- Revocations that the law puts on a later day.
CREATE TABLE revocation_due (
  subject TEXT NOT NULL, kind TEXT NOT NULL, due_at BIGINT NOT NULL, reason TEXT NOT NULL, cause TEXT NOT NULL, rule TEXT NOT NULL,
  municipality TEXT NOT NULL, PRIMARY KEY (subject, kind));
CREATE INDEX revocation_due_at ON revocation_due (due_at);

-- state: waiting, intended, issued, delivered, refused. received_at is wall time, the others civil.
CREATE TABLE application (
  id TEXT PRIMARY KEY, subject TEXT NOT NULL, municipality TEXT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL, state TEXT NOT NULL,
  body {{JSON}} NOT NULL, applied_at BIGINT NOT NULL, received_at BIGINT NOT NULL, code TEXT NOT NULL);
CREATE INDEX application_state ON application (state);

-- Cards from the order of the chip on. handle and the tokens are secrets: who has a handle has the card.
-- state: ordered, blank, finished, received, scrapped.
CREATE TABLE card (
  id TEXT PRIMARY KEY, application TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, municipality TEXT NOT NULL, state TEXT NOT NULL,
  order_token TEXT NOT NULL, move_token TEXT NOT NULL, handle TEXT NOT NULL, passed_handle TEXT NOT NULL, valid_until TEXT NOT NULL);

-- Counter and production terminals whose keys chips trust.
CREATE TABLE terminal (
  owner TEXT NOT NULL, name TEXT NOT NULL, key_hash {{BLOB}} NOT NULL, tbs {{BLOB}} NOT NULL, digest {{BLOB}} NOT NULL,
  certificate {{BLOB}}, counter BIGINT, made_at BIGINT NOT NULL, PRIMARY KEY (owner, name, key_hash));
CREATE INDEX terminal_digest ON terminal (digest);

-- Revocation files (失効情報ファイル), each kept for ten years. scope is '' or a municipality.
CREATE TABLE crl (
  authority TEXT NOT NULL, number BIGINT NOT NULL, scope TEXT NOT NULL, this_update BIGINT NOT NULL, next_update BIGINT NOT NULL,
  digest {{BLOB}} NOT NULL UNIQUE, der {{BLOB}}, counter BIGINT UNIQUE, keep_until TEXT NOT NULL, PRIMARY KEY (authority, number));
CREATE INDEX crl_scope ON crl (authority, scope, number);

-- The account of the signer's journal: every signature that the database knows of, and up to where nothing is missing.
CREATE TABLE signature (counter BIGINT PRIMARY KEY, epoch BIGINT NOT NULL, digest {{BLOB}} NOT NULL, note TEXT NOT NULL);
CREATE TABLE signature_account (one BIGINT PRIMARY KEY, through BIGINT NOT NULL, epoch BIGINT NOT NULL);

-- Verifiers: what the minister decided, and what they notified us of (届出).
CREATE TABLE accreditation (verifier TEXT PRIMARY KEY, body {{JSON}} NOT NULL);
CREATE TABLE verifier (instance TEXT PRIMARY KEY, name TEXT NOT NULL, office TEXT NOT NULL, starts_on TEXT NOT NULL, notified_at BIGINT NOT NULL);
