-- How often a task's keeper or machine went away while it ran.

-- +goose Up
ALTER TABLE task ADD COLUMN crashes SMALLINT;
