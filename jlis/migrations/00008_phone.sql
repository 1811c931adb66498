-- +goose Up

-- Applications for certificates on a telephone (移動端末設備用電子証明書): what was signed, with the card, and by whom. reason is why
-- nothing was issued. The certificates are in the record of issuance like all others, with the profiles phone-sign and phone-auth.
CREATE TABLE phone (
  application TEXT PRIMARY KEY, subject TEXT NOT NULL, model TEXT NOT NULL, document {{BLOB}} NOT NULL, applied_at BIGINT NOT NULL,
  reason TEXT NOT NULL);
CREATE INDEX phone_subject ON phone (subject);
CREATE UNIQUE INDEX certificate_phone_key_once ON certificate (key_hash) WHERE state <> 'abandoned' AND profile IN ('phone-sign', 'phone-auth');

-- Suspensions (一時停止). released_at is 0 while one is open; released_by is the municipality that lifted it, or 'revoked' where the
-- certificate was ended for good meanwhile.
CREATE TABLE suspension (
  kind TEXT NOT NULL, serial TEXT NOT NULL, held_at BIGINT NOT NULL, cause TEXT NOT NULL, rule TEXT NOT NULL, report TEXT NOT NULL,
  released_at BIGINT NOT NULL, released_by TEXT NOT NULL, keep_until TEXT NOT NULL,
  PRIMARY KEY (kind, serial, held_at), FOREIGN KEY (kind, serial) REFERENCES certificate (kind, serial));
CREATE UNIQUE INDEX suspension_open ON suspension (kind, serial) WHERE released_at = 0;

-- Reports that a card is lost. subject is '' where they fit nobody; source is from where, hashed; at is civil time, received_at wall time.
CREATE TABLE lost_report (
  reference TEXT PRIMARY KEY, subject TEXT NOT NULL, source TEXT NOT NULL, cause TEXT NOT NULL, at BIGINT NOT NULL, received_at BIGINT NOT NULL);
CREATE INDEX lost_report_source ON lost_report (source, received_at);
