-- +goose Up
-- Tickets lie in web_ticket now; those that were drawn before are over within two minutes.
DROP TABLE counter_ticket;
