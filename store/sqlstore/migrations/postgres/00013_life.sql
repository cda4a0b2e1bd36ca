-- The life of the server: one row, of a table that is not logged. Whenever the server recovers, from a crash or to take
-- the place of another, such tables are emptied: the numbers of transactions known from before prove nothing then.

-- +goose Up
CREATE UNLOGGED TABLE life (
  one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
  id  BIGINT NOT NULL
);
