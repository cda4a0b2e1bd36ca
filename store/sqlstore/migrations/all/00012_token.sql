-- Which node a token is.

-- +goose Up
ALTER TABLE token ADD COLUMN node TEXT NOT NULL DEFAULT ''; -- of the role node: '' until its first use
