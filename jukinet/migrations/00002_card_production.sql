-- +goose Up

-- Whose My Number was told for the production of a card, to whom and for which application.
CREATE TABLE number_told (
  caller TEXT NOT NULL, application TEXT NOT NULL, subject TEXT NOT NULL, told_at BIGINT NOT NULL,
  PRIMARY KEY (caller, application));
CREATE INDEX number_told_subject ON number_told (subject, told_at);
