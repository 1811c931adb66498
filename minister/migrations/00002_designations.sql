-- +goose Up
-- Who may use the free area of the card by the minister's designation, one row per designation: its present state.
CREATE TABLE designation (
    id TEXT PRIMARY KEY, aid TEXT NOT NULL, number BIGINT NOT NULL, body TEXT NOT NULL, UNIQUE (aid, number)
);
-- One row per decision on a designation, never changed.
CREATE TABLE designation_decision (
    designation TEXT NOT NULL REFERENCES designation (id), number BIGINT NOT NULL, decided_at BIGINT NOT NULL, decided_by TEXT NOT NULL,
    state TEXT NOT NULL, until TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (designation, number)
);
