-- +goose Up

-- What is printed on a card besides the person: its number of fifteen digits and the security code.
ALTER TABLE card ADD COLUMN number TEXT NOT NULL DEFAULT '';
ALTER TABLE card ADD COLUMN security_code TEXT NOT NULL DEFAULT '';

-- The key that signs what readers verify of a card's face, certified by its root.
CREATE TABLE face_key (
  name TEXT PRIMARY KEY, tbs {{BLOB}} NOT NULL, digest {{BLOB}} NOT NULL, certificate {{BLOB}}, counter BIGINT, made_at BIGINT NOT NULL);

-- Intents of its signatures. The bytes themselves have My Number in them and are not kept; the digest of one
-- of them follows from the number and the four items, so this table is as secret as the handles of cards.
CREATE TABLE face_signature (
  digest {{BLOB}} PRIMARY KEY, application TEXT NOT NULL, made_at BIGINT NOT NULL);
CREATE INDEX face_signature_application ON face_signature (application);
