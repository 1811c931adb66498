-- +goose Up

-- When a case last changed, in civil time: what was closed today stands on the counter's list.
ALTER TABLE counter_case ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX counter_case_state ON counter_case (state, updated_at);
