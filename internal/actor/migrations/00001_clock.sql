-- +goose Up
CREATE TABLE civil_clock (
    one           BIGINT NOT NULL PRIMARY KEY,
    offset_micros BIGINT NOT NULL
);
