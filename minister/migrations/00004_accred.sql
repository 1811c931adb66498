-- +goose Up
-- One row per application for accreditation (認定申請): as it stands now, without the documents' content. number counts the
-- applications of a verifier, version the steps so far.
CREATE TABLE application (
    id TEXT PRIMARY KEY, verifier TEXT NOT NULL, number BIGINT NOT NULL, state TEXT NOT NULL, version BIGINT NOT NULL, body {{JSON}} NOT NULL,
    UNIQUE (verifier, number)
);
-- One row per act on an application, never changed. actor is the caller's instance, official the name of the person at the desk.
CREATE TABLE application_step (
    application TEXT NOT NULL REFERENCES application (id), number BIGINT NOT NULL, at BIGINT NOT NULL, act TEXT NOT NULL,
    actor TEXT NOT NULL, official TEXT NOT NULL, body {{JSON}} NOT NULL, PRIMARY KEY (application, number)
);
-- The yearly audits: as each stands now, and the acts on it, never changed.
CREATE TABLE audit_report (
    accreditation TEXT NOT NULL REFERENCES accreditations (id), year BIGINT NOT NULL, state TEXT NOT NULL, body {{JSON}} NOT NULL,
    PRIMARY KEY (accreditation, year)
);
CREATE TABLE audit_step (
    accreditation TEXT NOT NULL, year BIGINT NOT NULL, number BIGINT NOT NULL, at BIGINT NOT NULL, act TEXT NOT NULL,
    actor TEXT NOT NULL, official TEXT NOT NULL, body {{JSON}} NOT NULL, PRIMARY KEY (accreditation, year, number),
    FOREIGN KEY (accreditation, year) REFERENCES audit_report (accreditation, year)
);
-- The documents of both, by whose they are and what they contain.
CREATE TABLE evidence (
    verifier TEXT NOT NULL, sha256 TEXT NOT NULL, media_type TEXT NOT NULL, content {{BLOB}} NOT NULL, PRIMARY KEY (verifier, sha256)
);
-- The name of the official who decided, where a person did; decided_by is the instance that called.
ALTER TABLE decisions ADD COLUMN official TEXT NOT NULL DEFAULT '';
