-- +goose Up
-- Named people of a sandbox: whose certificates are these, and what their users' ids are made from, so that a tenant's tests
-- meet the same users in every country of the same seed. Empty outside a sandbox.
CREATE TABLE sandbox_personas (
    kind   TEXT NOT NULL,
    serial TEXT NOT NULL,
    secret TEXT NOT NULL,
    PRIMARY KEY (kind, serial)
);
