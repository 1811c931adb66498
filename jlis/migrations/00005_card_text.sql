-- +goose Up

-- Texts of cards that were signed anew after a move or a change of name, each by an identifier under which
-- the network is asked for the number. items is the SHA-256 of EF 0002.
CREATE TABLE card_text (
  id TEXT PRIMARY KEY, card TEXT NOT NULL, municipality TEXT NOT NULL, items {{BLOB}} NOT NULL, made_at BIGINT NOT NULL, UNIQUE (card, items));
