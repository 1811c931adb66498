-- +goose Up
CREATE TABLE web_session (
    token      TEXT   PRIMARY KEY,
    site       TEXT   NOT NULL,
    data       {{JSON}} NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX web_session_expires_at ON web_session (expires_at);
