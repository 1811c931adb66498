// Package store is the database of one actor: SQLite in a file, or PostgreSQL, with one SQL text
// for both ($1, $2 placeholders, database/sql).
//
// It owns connections, transactions and their reruns, migrations, and signals after a commit. It
// knows no table except those that count migrations, and must never import an actor.
//
// Rules for SQL that runs on both, and on databases that speak PostgreSQL's protocol: columns
// are listed, placeholders are $N, times are BIGINT microseconds (Micros, Time), upserts are
// INSERT … ON CONFLICT, there is no FOR UPDATE, no LISTEN, no advisory lock and no database time.
// Only DDL differs, by three words that migrations may use: {{BLOB}}, {{ID}} and {{JSON}} (see Open).
package store
