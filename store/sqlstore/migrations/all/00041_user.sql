-- Users, tokens that are theirs or good only once, and the audit.

-- +goose Up
CREATE TABLE account (
  name    TEXT PRIMARY KEY,
  role    TEXT NOT NULL,
  queues  TEXT NOT NULL,                -- patterns that the role is limited to; '': all
  hash    TEXT NOT NULL,                -- of the password; '': none
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL
);

ALTER TABLE token ADD COLUMN account TEXT NOT NULL DEFAULT ''; -- whose it is: it goes with that user
ALTER TABLE token ADD COLUMN queues TEXT NOT NULL DEFAULT '';  -- patterns that it is limited to; '': all
ALTER TABLE token ADD COLUMN once SMALLINT NOT NULL DEFAULT 0; -- 1: a link, to be redeemed
ALTER TABLE token ADD COLUMN login SMALLINT NOT NULL DEFAULT 0; -- 1: of a login or a link, which goes when it has expired

CREATE TABLE deed (
  id     BIGINT PRIMARY KEY,
  at     BIGINT NOT NULL,
  who    TEXT NOT NULL,
  origin TEXT NOT NULL,
  what   TEXT NOT NULL,
  target TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX deed_who ON deed (who, id);
INSERT INTO counter (name, value) VALUES ('deed', 0);
