-- +goose Up
-- Errands that are answered on another device than the one that began (screen = 1): how long the browser that began may type the digits
-- that the other device shows, how often it typed wrong ones, and when it typed the right ones. Wall time.
ALTER TABLE errands ADD COLUMN screen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE errands ADD COLUMN secret_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE errands ADD COLUMN secret_tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE errands ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;
-- Which errand answered a login at a client: a browser may have begun several for one, and only the one that was answered leads on.
ALTER TABLE openid_requests ADD COLUMN errand TEXT NOT NULL DEFAULT '';
