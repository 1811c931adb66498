-- +goose Up
-- What people gave to clients of tenants at their logins, by the names of claims and never the values: for their own view.
CREATE TABLE openid_given (
    session TEXT PRIMARY KEY,
    tenant  TEXT NOT NULL REFERENCES tenants (id),
    client  TEXT NOT NULL,
    user_id TEXT NOT NULL,
    claims  TEXT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX openid_given_user ON openid_given (tenant, user_id);
CREATE INDEX openid_given_at ON openid_given (at);
