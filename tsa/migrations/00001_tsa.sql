-- +goose Up
-- One row per serial number that was given, before its token was signed; never changed. stated_at is civil time.
CREATE TABLE stamp (
    serial    TEXT PRIMARY KEY,
    stated_at BIGINT NOT NULL,
    hash      TEXT NOT NULL,
    digest    TEXT NOT NULL,
    unit      TEXT NOT NULL
);
CREATE INDEX stamp_stated_at ON stamp (stated_at);
