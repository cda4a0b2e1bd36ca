-- Which nodes were asked to drain.

-- +goose Up
ALTER TABLE node ADD COLUMN drain SMALLINT NOT NULL DEFAULT 0; -- 1: until a new session takes the node's name
