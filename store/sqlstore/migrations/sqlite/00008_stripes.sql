-- Counts of a queue are kept in stripes: who writes beside others has one of its own, and nobody waits for a counter.

-- +goose Up
CREATE TABLE queue_stripe (
  queue  TEXT NOT NULL,
  state  SMALLINT NOT NULL,
  stripe SMALLINT NOT NULL,
  n      BIGINT NOT NULL,
  PRIMARY KEY (queue, state, stripe)
) WITHOUT ROWID;
INSERT INTO queue_stripe SELECT queue, state, 0, n FROM queue_count;
DROP TABLE queue_count;
