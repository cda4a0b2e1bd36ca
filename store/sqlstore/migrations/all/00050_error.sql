-- The last line that a failed attempt wrote: what tells failures apart that have the same exit code (D14).

-- +goose Up
ALTER TABLE task ADD COLUMN error TEXT;
ALTER TABLE attempt ADD COLUMN error TEXT;
