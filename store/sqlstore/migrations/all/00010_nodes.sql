-- Nodes that somebody paused, and by how much their clocks differ from the store's.

-- +goose Up
ALTER TABLE node ADD COLUMN paused SMALLINT NOT NULL DEFAULT 0; -- 1: until somebody lets it go on
ALTER TABLE node ADD COLUMN skew BIGINT NOT NULL DEFAULT 0;     -- us by which its clock is ahead of the store's

-- What somebody at one server wishes to see of an attempt that runs at another: one row for each place in its output that is
-- asked for, with the latest answer. Rows last some seconds.
CREATE TABLE look (
  task     BIGINT NOT NULL,
  attempt  BIGINT NOT NULL,
  stream   SMALLINT NOT NULL,           -- 1 stdout, 2 stderr
  start    BIGINT NOT NULL,             -- as asked for; below 0: before the end
  session  BIGINT NOT NULL,             -- that runs it
  most     BIGINT NOT NULL,             -- bytes of an answer
  until    BIGINT NOT NULL,             -- after that nobody waits any more
  asked    BIGINT NOT NULL,             -- raised by each wish
  answered BIGINT NOT NULL DEFAULT 0,   -- the wish that the answer is for
  shown    BIGINT,                      -- where the answer begins
  total    BIGINT,                      -- bytes of the stream then
  data     BYTEA,
  PRIMARY KEY (task, attempt, stream, start)
);
CREATE INDEX look_session ON look (session);
