-- What decides which task is next, and which may start at all: lanes by node and need, flows, keys, the pace of starts.

-- +goose Up
ALTER TABLE lane ADD COLUMN place TEXT NOT NULL DEFAULT ''; -- only this node may claim, or those with this label (KEY=VALUE); '': any
ALTER TABLE lane ADD COLUMN needs TEXT NOT NULL DEFAULT ''; -- what each of its tasks takes of its node: cpus=0.5,gpu=2

-- Gates that several jobs share have a name: the key that the jobs gave.
ALTER TABLE gate ADD COLUMN name TEXT;
ALTER TABLE gate ADD COLUMN further SMALLINT NOT NULL DEFAULT 0; -- 1: who has passed it may stand behind another
CREATE UNIQUE INDEX gate_name ON gate (name) WHERE name IS NOT NULL;

-- A flow is one of those that share a queue fairly. Its number is that of its gate, where the queue bounds flows.
CREATE TABLE flow (
  id     BIGINT PRIMARY KEY,
  queue  TEXT NOT NULL,
  name   TEXT NOT NULL,
  tag    BIGINT NOT NULL DEFAULT 0, -- virtual time that it has used (P22)
  behind BIGINT,                    -- not NULL: its tasks with ranks above this are to be given ranks from
  first  BIGINT                     -- this one on
);
CREATE UNIQUE INDEX flow_name ON flow (queue, name);
CREATE INDEX flow_open ON flow (id) WHERE behind IS NOT NULL;

-- A queue's virtual time is the greatest of its stripes: who writes beside others has one of its own.
CREATE TABLE turn (
  queue   TEXT NOT NULL,
  stripe  SMALLINT NOT NULL,
  claimed BIGINT NOT NULL,          -- the greatest rank that was claimed
  most    BIGINT NOT NULL,          -- the greatest tag that a flow was given
  PRIMARY KEY (queue, stripe)
);

-- Starts of queues that have only so many in a second.
CREATE TABLE pace (
  queue TEXT PRIMARY KEY,
  until BIGINT NOT NULL             -- when it will be as if nothing had started
);

ALTER TABLE job ADD COLUMN priority BIGINT NOT NULL DEFAULT 0; -- as it was submitted
UPDATE job SET priority = -rank;
ALTER TABLE job ADD COLUMN flow BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN flow_gate BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN key_gate BIGINT NOT NULL DEFAULT 0;
CREATE INDEX job_flow ON job (flow) WHERE flow <> 0;
CREATE INDEX job_key ON job (key_gate) WHERE key_gate <> 0;

ALTER TABLE task ADD COLUMN flow BIGINT;      -- NULL: its queue's discipline has none
ALTER TABLE task ADD COLUMN flow_gate BIGINT; -- NULL: its flow is not bounded
CREATE INDEX task_flow ON task (flow, rank) WHERE flow IS NOT NULL AND state = 4;

-- The queues that have something ready are looked up by each claim.
CREATE INDEX queue_stripe_ready ON queue_stripe (queue) WHERE state = 4;
