-- Secrets that jobs are given: the store has them sealed, with a key that is not in it.

-- +goose Up
CREATE TABLE secret (
  name    TEXT PRIMARY KEY,
  owner   TEXT NOT NULL,            -- whose jobs may have it
  sealed  BYTEA NOT NULL,
  changed BIGINT NOT NULL
);
