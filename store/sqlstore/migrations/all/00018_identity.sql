-- Which jobs are in the way of others like them (D9).

-- +goose Up
ALTER TABLE queue ADD COLUMN number BIGINT NOT NULL DEFAULT 0;    -- stays when its name changes
UPDATE queue SET number = (SELECT count(*) FROM queue q WHERE q.name <= queue.name);
INSERT INTO counter (name, value) SELECT 'queue', count(*) FROM queue;

-- The latest job of each identity in a queue. Until when it is in the way follows from its end, and from its queue's window as
-- that is then.
CREATE TABLE identity (
  queue    BIGINT NOT NULL,             -- its number
  identity TEXT NOT NULL,
  job      BIGINT NOT NULL,
  ended    BIGINT NOT NULL DEFAULT 0,   -- of a job that is no longer kept
  PRIMARY KEY (queue, identity)
);
CREATE INDEX identity_job ON identity (job);
CREATE INDEX identity_ended ON identity (ended) WHERE ended > 0;
