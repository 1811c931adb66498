-- +goose Up
-- Requests that were answered here, each once: to whom, what for, with which card, and what came of it.
-- No document, no item, no certificate. at is civil time, noted_at wall time.
CREATE TABLE answers (
    txn        TEXT PRIMARY KEY,
    act        TEXT NOT NULL,
    client     TEXT NOT NULL,
    name_ja    TEXT NOT NULL,
    name_en    TEXT NOT NULL,
    origin     TEXT NOT NULL,
    purpose_ja TEXT NOT NULL,
    purpose_en TEXT NOT NULL,
    card       TEXT NOT NULL,
    at         BIGINT NOT NULL,
    noted_at   BIGINT NOT NULL,
    outcome    TEXT NOT NULL
);
CREATE INDEX answers_noted_at ON answers (noted_at);
