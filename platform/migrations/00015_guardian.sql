-- +goose Up
-- Who sees a child's use as its legal representative (法定代理人): persons of our own sector, shown by the child's card and its PIN, which the
-- representative sets. It holds as long as J-LIS says that a representative acts for the child, which is asked at each look.
CREATE TABLE guardianships (
    id       TEXT PRIMARY KEY,
    guardian TEXT NOT NULL REFERENCES persons (id),
    child    TEXT NOT NULL REFERENCES persons (id),
    label    TEXT NOT NULL,
    since    BIGINT NOT NULL,
    UNIQUE (guardian, child)
);
