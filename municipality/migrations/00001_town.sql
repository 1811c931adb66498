-- +goose Up

-- The basic resident register (住民基本台帳), the records of those who left included (除票).
-- Days are YYYY-MM-DD or ''. revision rises with every change of the record.
CREATE TABLE resident (
  subject TEXT PRIMARY KEY, household TEXT NOT NULL,
  name TEXT NOT NULL, address TEXT NOT NULL, birth_date TEXT NOT NULL, sex TEXT NOT NULL,
  my_number TEXT NOT NULL UNIQUE, resident_code TEXT NOT NULL UNIQUE,
  nationality TEXT NOT NULL, stay TEXT NOT NULL, stay_until TEXT NOT NULL, adult_ward BIGINT NOT NULL,
  state TEXT NOT NULL, departs_on TEXT NOT NULL, destination TEXT NOT NULL, arrived_at TEXT NOT NULL,
  continued_use BIGINT NOT NULL, card TEXT NOT NULL, revision BIGINT NOT NULL);
CREATE INDEX resident_name ON resident (name, birth_date);
CREATE INDEX resident_birth ON resident (birth_date);
CREATE INDEX resident_household ON resident (household);

-- Every change (異動) with who recorded it; before has items and standing before it, '' for a first entry.
CREATE TABLE change_log (
  id {{ID}}, subject TEXT NOT NULL, revision BIGINT NOT NULL, cause TEXT NOT NULL, occurred_on TEXT NOT NULL,
  notice_due TEXT NOT NULL, clerk TEXT NOT NULL, request_id TEXT NOT NULL, before {{JSON}} NOT NULL, recorded_at BIGINT NOT NULL);
CREATE INDEX change_log_subject ON change_log (subject, revision);

-- Moving-out certificates (転出証明書情報) that have come; used is 1 once the person is entered.
CREATE TABLE moving_certificate (subject TEXT PRIMARY KEY, body {{JSON}} NOT NULL, used BIGINT NOT NULL);

-- Numbers set aside for new residents of this town.
CREATE TABLE number_stock (resident_code TEXT PRIMARY KEY, my_number TEXT NOT NULL, used BIGINT NOT NULL);

-- The cases of the counter.
CREATE TABLE counter_case (
  id TEXT PRIMARY KEY, subject TEXT NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL, due BIGINT NOT NULL, body {{JSON}} NOT NULL);
CREATE INDEX counter_case_due ON counter_case (due);
CREATE INDEX counter_case_subject ON counter_case (subject);

-- Which certificate kinds of a person an open case asks for: one case at a time for each.
CREATE TABLE open_case (subject TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (subject, kind));

-- The chips that are here. The handle is a secret: whoever has it has the card.
CREATE TABLE chip (card TEXT PRIMARY KEY, handle TEXT NOT NULL);

-- How far the import of an older register has come.
CREATE TABLE register_import (one BIGINT PRIMARY KEY, digest TEXT NOT NULL, lines BIGINT NOT NULL, done BIGINT NOT NULL);
