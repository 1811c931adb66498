-- +goose Up

-- Who had whose My Number shown, and for which lawful purpose. The number itself is not repeated here.
CREATE TABLE number_shown (
  id TEXT PRIMARY KEY, subject TEXT NOT NULL, purpose TEXT NOT NULL, clerk TEXT NOT NULL, caller TEXT NOT NULL,
  request_id TEXT NOT NULL, shown_at BIGINT NOT NULL);
CREATE INDEX number_shown_subject ON number_shown (subject, shown_at);
