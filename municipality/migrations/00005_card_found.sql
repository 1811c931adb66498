-- +goose Up

-- Cards that were found after a report of their loss: who looked at whom, by which document, for J-LIS to lift the suspension.
-- representative tells that the document is that of the legal representative. certificates is how many came back; -1 before J-LIS has answered.
CREATE TABLE card_found (
  id TEXT PRIMARY KEY, subject TEXT NOT NULL, clerk TEXT NOT NULL, document TEXT NOT NULL, representative BIGINT NOT NULL, caller TEXT NOT NULL,
  request_id TEXT NOT NULL, at BIGINT NOT NULL, certificates BIGINT NOT NULL);
CREATE INDEX card_found_subject ON card_found (subject, at);
