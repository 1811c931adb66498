-- +goose Up
-- Sign-in tickets that were not used yet; ticket is a hash, expires_at wall time in microseconds.
CREATE TABLE web_ticket (ticket TEXT PRIMARY KEY, site TEXT NOT NULL, person TEXT NOT NULL, expires_at BIGINT NOT NULL);
