-- Failures are grouped from the index alone.

-- +goose Up
DROP INDEX failure_at;
CREATE INDEX failure_at ON failure (at, fingerprint, task);
