-- +goose Up

-- Ordinances (条例) by which the town uses the free area of cards: the present state of each.
CREATE TABLE ordinance (id TEXT PRIMARY KEY, aid TEXT NOT NULL, body {{JSON}} NOT NULL, entered_at BIGINT NOT NULL);

-- Seal registration numbers (印鑑登録番号): one a person, never given twice. The seals themselves are not kept here.
CREATE TABLE seal_number (subject TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE);

-- Seal-registration applications on cards (印鑑登録証), with who laid them there: state begun, loaded, deleted or lost.
CREATE TABLE seal_card (
  id TEXT PRIMARY KEY, subject TEXT NOT NULL, chip TEXT NOT NULL, number TEXT NOT NULL, state TEXT NOT NULL,
  clerk TEXT NOT NULL, begun_at BIGINT NOT NULL, done_at BIGINT NOT NULL);
CREATE INDEX seal_card_subject ON seal_card (subject, begun_at);

-- Terminals that may read the number from a card, such as kiosks: whom the town certified.
CREATE TABLE seal_reader (key_hash {{BLOB}} PRIMARY KEY, certificate {{BLOB}} NOT NULL, certified_by TEXT NOT NULL, certified_at BIGINT NOT NULL);
