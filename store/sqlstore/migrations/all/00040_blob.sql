-- Files that are kept for jobs, who needs them, and their bytes where the store itself keeps these.

-- +goose Up
CREATE TABLE blob (
  id      TEXT PRIMARY KEY,             -- SHA-256 of its bytes, hex
  state   SMALLINT NOT NULL,            -- 1 its bytes are coming, 2 they are there, 3 they are to be removed
  size    BIGINT NOT NULL,
  name    TEXT NOT NULL,
  creator TEXT NOT NULL,
  kept    SMALLINT NOT NULL,            -- 1: until somebody removes it
  created BIGINT NOT NULL,
  touched BIGINT NOT NULL               -- when it was last put, or lost who needed it
);
CREATE INDEX blob_state ON blob (state, touched);
CREATE INDEX blob_created ON blob (created, id);

CREATE TABLE blob_use (
  blob   TEXT NOT NULL,
  holder TEXT NOT NULL,                 -- "job 42", "schedule nightly"
  PRIMARY KEY (blob, holder)
);
CREATE INDEX blob_use_holder ON blob_use (holder);

-- Bytes by name. What comes in pieces is seen when it is whole.
CREATE TABLE object (
  id    BIGINT PRIMARY KEY,
  name  TEXT NOT NULL,
  size  BIGINT NOT NULL,
  whole SMALLINT NOT NULL,              -- 0: it is coming
  at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX object_name ON object (name) WHERE whole = 1;
CREATE INDEX object_coming ON object (at) WHERE whole = 0;

CREATE TABLE object_piece (
  object BIGINT NOT NULL,
  start  BIGINT NOT NULL,
  data   BYTEA NOT NULL,
  PRIMARY KEY (object, start)
);

INSERT INTO counter (name, value) VALUES ('object', 0);
