-- +goose Up
-- The accreditation that a verifier's notification (届出) is about; '' for notifications of an earlier release, which hold for any.
ALTER TABLE verifier ADD COLUMN accreditation TEXT NOT NULL DEFAULT '';
-- Every notification as it was filed, never changed.
CREATE TABLE verifier_notice (
    instance TEXT NOT NULL, number BIGINT NOT NULL, notified_at BIGINT NOT NULL, name TEXT NOT NULL, office TEXT NOT NULL, starts_on TEXT NOT NULL,
    accreditation TEXT NOT NULL, PRIMARY KEY (instance, number)
);
INSERT INTO verifier_notice (instance, number, notified_at, name, office, starts_on, accreditation)
    SELECT instance, 1, notified_at, name, office, starts_on, '' FROM verifier;
