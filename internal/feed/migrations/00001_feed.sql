-- +goose Up

-- The sender. One row: the epoch in which events are numbered now.
CREATE TABLE feed_epoch (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL);
INSERT INTO feed_epoch (id, epoch) VALUES (1, 1);

-- How many events each subject has had; written by business transactions alone.
CREATE TABLE feed_versions (
  topic TEXT NOT NULL, subject TEXT NOT NULL, version BIGINT NOT NULL,
  PRIMARY KEY (topic, subject));

-- Committed events that have no number yet.
CREATE TABLE feed_outbox (
  id {{ID}}, topic TEXT NOT NULL, subject TEXT NOT NULL, version BIGINT NOT NULL, type TEXT NOT NULL,
  recorded_at BIGINT NOT NULL, origin {{JSON}} NOT NULL, body {{JSON}} NOT NULL);

-- The last number given in each topic; start is the hash before the first event of the epoch.
CREATE TABLE feed_heads (
  topic TEXT PRIMARY KEY, epoch BIGINT NOT NULL, n BIGINT NOT NULL, hash {{BLOB}} NOT NULL, start {{BLOB}} NOT NULL);

-- The numbered events; body is NULL once it is erased.
CREATE TABLE feed_events (
  topic TEXT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL, prev {{BLOB}} NOT NULL, hash {{BLOB}} NOT NULL,
  recorded_at BIGINT NOT NULL, origin {{JSON}} NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,
  version BIGINT NOT NULL, body {{JSON}}, body_hash {{BLOB}} NOT NULL,
  PRIMARY KEY (topic, epoch, n));

-- The latest numbered event of each subject; written by the sequencer alone.
CREATE TABLE feed_latest (
  topic TEXT NOT NULL, subject TEXT NOT NULL, version BIGINT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (topic, subject));

-- The reader. Up to where each source has been read.
CREATE TABLE feed_cursors (
  source TEXT NOT NULL, topic TEXT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL, hash {{BLOB}} NOT NULL,
  PRIMARY KEY (source, topic));

-- The last event applied of each subject.
CREATE TABLE feed_applied (
  source TEXT NOT NULL, topic TEXT NOT NULL, subject TEXT NOT NULL,
  epoch BIGINT NOT NULL, version BIGINT NOT NULL, hash {{BLOB}} NOT NULL,
  PRIMARY KEY (source, topic, subject));

-- Events that could not be applied, and the later ones of their subjects. authority is the epoch
-- that the event counts for: its own, or that of the snapshot it came in.
CREATE TABLE feed_parked (
  source TEXT NOT NULL, topic TEXT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL, authority BIGINT NOT NULL,
  subject TEXT NOT NULL, event {{JSON}} NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
  tries BIGINT NOT NULL, parked_at BIGINT NOT NULL, tried_at BIGINT NOT NULL,
  PRIMARY KEY (source, topic, epoch, n));
CREATE INDEX feed_events_subject ON feed_events (topic, subject);
CREATE INDEX feed_parked_subject ON feed_parked (source, topic, subject, epoch, n);
