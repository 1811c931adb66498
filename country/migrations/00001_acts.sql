-- +goose Up

-- What the console does for people, each act with how far it has come. id is that of the click which asked
-- for it; rev rises with every step, so that a page that follows the act knows that there is something new.
CREATE TABLE act (
  id TEXT PRIMARY KEY, subject TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, story BIGINT NOT NULL,
  rev BIGINT NOT NULL, started_at BIGINT NOT NULL, body {{JSON}} NOT NULL);
CREATE INDEX act_subject ON act (subject, started_at);
CREATE INDEX act_state ON act (state);
CREATE INDEX act_story ON act (story, started_at);
