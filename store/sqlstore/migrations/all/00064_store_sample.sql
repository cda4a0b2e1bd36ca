-- What the queues held, about every minute for a week.

-- +goose Up
CREATE TABLE store_sample (
  at      BIGINT NOT NULL PRIMARY KEY,
  waiting BIGINT NOT NULL,
  running BIGINT NOT NULL,
  ended   BIGINT NOT NULL,
  failed  BIGINT NOT NULL,
  oldest  BIGINT NOT NULL               -- microseconds that the oldest has waited
);
