-- +goose Up
-- One row per accreditation: its present state. number counts the accreditations of a verifier.
CREATE TABLE accreditations (
    id         TEXT PRIMARY KEY,
    verifier   TEXT NOT NULL,
    number     BIGINT NOT NULL,
    name       TEXT NOT NULL,
    ground     TEXT NOT NULL,
    granted_on TEXT NOT NULL,
    until      TEXT NOT NULL,
    state      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    UNIQUE (verifier, number)
);
-- One row per decision, never changed.
CREATE TABLE decisions (
    accreditation TEXT NOT NULL REFERENCES accreditations (id),
    number        BIGINT NOT NULL,
    decided_at    BIGINT NOT NULL,
    decided_by    TEXT NOT NULL,
    state         TEXT NOT NULL,
    until         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    PRIMARY KEY (accreditation, number)
);
