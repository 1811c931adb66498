-- +goose Up

-- Identification data (本人確認情報), one row a person; municipality is where the record stands, or
-- last stood. Days are YYYY-MM-DD or ''.
CREATE TABLE person (
  subject TEXT PRIMARY KEY, prefecture TEXT NOT NULL, municipality TEXT NOT NULL, state TEXT NOT NULL,
  name TEXT NOT NULL, address TEXT NOT NULL, birth_date TEXT NOT NULL, sex TEXT NOT NULL,
  my_number TEXT NOT NULL UNIQUE, resident_code TEXT NOT NULL UNIQUE,
  destination TEXT NOT NULL, departs_on TEXT NOT NULL, continued_use BIGINT NOT NULL);
CREATE INDEX person_town ON person (prefecture, municipality);

-- Every notice that was applied. keep_until is '' for the newest of a person; for the others it is
-- the last day of retention, which counts from the next notice.
CREATE TABLE notice_log (
  id {{ID}}, subject TEXT NOT NULL, municipality TEXT NOT NULL, epoch BIGINT NOT NULL, n BIGINT NOT NULL,
  cause TEXT NOT NULL, occurred_on TEXT NOT NULL, body {{JSON}} NOT NULL, recorded_at BIGINT NOT NULL, keep_until TEXT NOT NULL);
CREATE INDEX notice_log_subject ON notice_log (subject, id);
CREATE INDEX notice_log_keep ON notice_log (keep_until);

-- What was last said to J-LIS of each town's feed.
CREATE TABLE passed_on (municipality TEXT PRIMARY KEY, epoch BIGINT NOT NULL, n BIGINT NOT NULL);

-- Numbers designated to towns; used is 1 once a notice has shown the resident code in use.
CREATE TABLE designated (
  resident_code TEXT PRIMARY KEY, my_number TEXT NOT NULL UNIQUE, municipality TEXT NOT NULL, used BIGINT NOT NULL);
CREATE INDEX designated_town ON designated (municipality, used);
