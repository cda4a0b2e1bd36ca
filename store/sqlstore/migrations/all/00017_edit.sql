-- Operations that change jobs.

-- +goose Up
ALTER TABLE operation ADD COLUMN edit TEXT;                       -- JSON: a rota.Edit, of the act edit
ALTER TABLE operation ADD COLUMN refused BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operation ADD COLUMN why TEXT NOT NULL DEFAULT '';
CREATE INDEX dependency_job ON dependency (job);                  -- what a job waits for
