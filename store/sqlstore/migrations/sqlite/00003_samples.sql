-- What attempts and nodes used over time, for graphs.

-- +goose Up
-- One row for each attempt, written anew with each sample: 240 points at most, some 3 KiB.
CREATE TABLE sample (
  task    BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  step    BIGINT NOT NULL,                   -- us: how far apart the points are
  points  BLOB NOT NULL                      -- varints, four a point, each as what it is more than in the point before:
                                             -- us since 1970, bytes of memory, us of CPU, processes
);
CREATE UNIQUE INDEX sample_attempt ON sample (task, attempt);

-- Sizes are bytes. The rows thin out with age: some 2,600 a node.
CREATE TABLE node_sample (
  node         TEXT NOT NULL,
  at           BIGINT NOT NULL,
  load1        DOUBLE PRECISION NOT NULL,
  cpus         BIGINT NOT NULL,
  memory_used  BIGINT NOT NULL,
  memory_total BIGINT NOT NULL,
  disk_free    BIGINT NOT NULL,
  disk_total   BIGINT NOT NULL,
  slots        BIGINT NOT NULL,
  running      BIGINT NOT NULL,
  PRIMARY KEY (node, at)
) WITHOUT ROWID;
