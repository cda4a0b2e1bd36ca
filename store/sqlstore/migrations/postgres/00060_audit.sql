-- What puts a row in the place of another is an update here, which is refused already.

-- +goose Up
SELECT 1;
