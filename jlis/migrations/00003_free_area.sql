-- +goose Up

-- Who may use the free area of cards (空き領域), as the minister (designations) and the towns (ordinances) tell.
CREATE TABLE ground (id TEXT PRIMARY KEY, provider TEXT NOT NULL, aid TEXT NOT NULL, body {{JSON}} NOT NULL);
CREATE INDEX ground_aid ON ground (aid, provider);

-- Tickets that let a provider act on one chip once. A row is the intent; the ticket follows the signature.
CREATE TABLE ticket (
  digest {{BLOB}} PRIMARY KEY, tbs {{BLOB}} NOT NULL, provider TEXT NOT NULL, aid TEXT NOT NULL, chip TEXT NOT NULL, ground TEXT NOT NULL,
  operations TEXT NOT NULL, ticket {{BLOB}}, counter BIGINT, made_at BIGINT NOT NULL);
CREATE INDEX ticket_chip ON ticket (chip, made_at);
