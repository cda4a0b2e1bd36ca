-- What a queue says of the limits of its attempts (D6).

-- +goose Up
ALTER TABLE queue ADD COLUMN limits TEXT; -- JSON: a rota.Allowance; NULL: nothing
