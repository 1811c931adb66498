-- +goose Up

-- Certificates that were issued, or may have been, and of which the database lost its record when it was
-- put back from a backup. They are dead.
CREATE TABLE lost_certificate (kind TEXT NOT NULL, serial TEXT NOT NULL, authority TEXT NOT NULL, noted_at BIGINT NOT NULL, PRIMARY KEY (kind, serial));

-- The changes that were recorded, by the digest of what they say: a registry network that was restored sends
-- some of them a second time.
CREATE TABLE change_seen (subject TEXT NOT NULL, digest {{BLOB}} NOT NULL, PRIMARY KEY (subject, digest));

-- Below this no number of a revocation list is given any more.
CREATE TABLE crl_floor (authority TEXT PRIMARY KEY, number BIGINT NOT NULL);
