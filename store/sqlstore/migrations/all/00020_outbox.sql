-- What somebody is to be told: written with what it tells of, delivered by whichever server comes to it.

-- +goose Up
CREATE TABLE outbox (
  id    BIGINT PRIMARY KEY,
  kind  TEXT NOT NULL,               -- of the event
  job   BIGINT NOT NULL DEFAULT 0,   -- that it is about; 0: none
  place TEXT NOT NULL DEFAULT '',    -- to whom; '': to all whom the event is for, which is not looked up yet
  doc   TEXT NOT NULL,               -- JSON: the event
  at    BIGINT NOT NULL,             -- when it happened
  due   BIGINT NOT NULL,             -- not to be delivered before, or again
  tries BIGINT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT ''     -- of the last try
);
CREATE INDEX outbox_due ON outbox (due, id);

ALTER TABLE job ADD COLUMN notify SMALLINT NOT NULL DEFAULT 0; -- 1: somebody is told of its end

INSERT INTO counter (name, value) VALUES ('outbox', 0);
