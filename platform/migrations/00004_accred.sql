-- +goose Up
-- Our own applications for accreditation (認定申請), as the minister last told them.
CREATE TABLE own_application (
    id TEXT PRIMARY KEY, number BIGINT NOT NULL UNIQUE, state TEXT NOT NULL, version BIGINT NOT NULL, body {{JSON}} NOT NULL
);
