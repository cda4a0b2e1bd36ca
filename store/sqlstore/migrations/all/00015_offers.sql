-- What somebody settles for a node while it runs.

-- +goose Up
ALTER TABLE node ADD COLUMN settings TEXT; -- JSON: a rota.NodeSettings; NULL: nothing
