-- +goose Up
CREATE TABLE api_request (
    caller     TEXT   NOT NULL,
    key        TEXT   NOT NULL,
    operation  TEXT   NOT NULL,
    digest     {{BLOB}} NOT NULL,
    result     {{JSON}} NOT NULL,
    done_at    BIGINT NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX api_request_done_at ON api_request (done_at);
