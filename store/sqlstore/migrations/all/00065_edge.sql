-- Which jobs run after which, also when nobody waits any more. Of jobs of before there is what they still wait for.

-- +goose Up
CREATE TABLE edge (
  job       BIGINT NOT NULL,
  on_job    BIGINT NOT NULL,
  condition TEXT NOT NULL,
  PRIMARY KEY (job, on_job, condition)
);
CREATE INDEX edge_on ON edge (on_job, job);
INSERT INTO edge (job, on_job, condition) SELECT job, on_job, condition FROM dependency;
