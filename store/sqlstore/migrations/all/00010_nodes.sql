-- Nodes that somebody paused, and by how much their clocks differ from the store's.

-- +goose Up
ALTER TABLE node ADD COLUMN paused SMALLINT NOT NULL DEFAULT 0; -- 1: until somebody lets it go on
ALTER TABLE node ADD COLUMN skew BIGINT NOT NULL DEFAULT 0;     -- us by which its clock is ahead of the store's
