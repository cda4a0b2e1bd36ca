-- Nodes that claim no jobs of shells, and users who say who is told when their jobs end.

-- +goose Up
ALTER TABLE lane ADD COLUMN shell SMALLINT NOT NULL DEFAULT 1; -- 0: no shell runs its tasks; 1: one does, or may, in lanes from before this step
ALTER TABLE account ADD COLUMN tell TEXT;                      -- JSON: a rota.Tell; NULL: says nothing
