-- Files that attempts have left, by name. Their bytes are blobs, which the job holds.

-- +goose Up
CREATE TABLE artifact (
  task    BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  name    TEXT NOT NULL,
  size    BIGINT NOT NULL,
  blob    TEXT NOT NULL,                -- of an empty file there is none of that id
  PRIMARY KEY (task, attempt, name)
);
