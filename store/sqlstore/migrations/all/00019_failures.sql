-- What failed tasks have in common (D14). A row goes when the task is tried again, removed, or dismissed.

-- +goose Up
CREATE TABLE failure (
  task        BIGINT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  text        TEXT NOT NULL,
  at          BIGINT NOT NULL
);
CREATE INDEX failure_fingerprint ON failure (fingerprint, task);
CREATE INDEX failure_at ON failure (at);
