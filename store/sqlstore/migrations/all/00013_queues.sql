-- What somebody settles for a queue, and policies that change while jobs wait.

-- +goose Up
ALTER TABLE queue ADD COLUMN draining SMALLINT NOT NULL DEFAULT 0; -- 1: takes no new jobs
ALTER TABLE queue ADD COLUMN settings TEXT;                        -- JSON: a rota.QueueSettings but for its limits and its discipline; NULL: nothing

ALTER TABLE job ADD COLUMN retry_jitter DOUBLE PRECISION NOT NULL DEFAULT 0.2; -- by which part of itself a wait varies
-- Attempts that a task may have beyond its attempt_limit, or fewer: the policy of its queue has changed since it was submitted.
ALTER TABLE job ADD COLUMN more BIGINT NOT NULL DEFAULT 0;
