-- +goose Up
-- What the office has stated as the outside witness of the verifiers' operation logs, never changed: the signed
-- statement, and of it the place that was seen. The last one of a verifier is where reading goes on.
CREATE TABLE witness_statement (
    verifier TEXT NOT NULL, number BIGINT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL, hash {{BLOB}} NOT NULL,
    finding TEXT NOT NULL, wall BIGINT NOT NULL, statement TEXT NOT NULL, PRIMARY KEY (verifier, number)
);
