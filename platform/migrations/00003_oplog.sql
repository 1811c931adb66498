-- +goose Up
-- What the outside witness has stated on our operation log, as it came: for the pack that an auditor takes away. The
-- lines themselves stand in the feed operations.
CREATE TABLE witness_statements (
    id        TEXT PRIMARY KEY, -- SHA-256 of the statement
    number    BIGINT NOT NULL,
    epoch     BIGINT NOT NULL,
    n         BIGINT NOT NULL,
    statement TEXT NOT NULL
);
